internal import JSON

/// OpenAI's models on Azure: deployments, the unversioned API `/openai/v1/`, and Foundry's endpoints.
struct AzureDialect: SimulatedDialect {
    func serves(_ request: SimulatedRequest) -> Bool {
        let path = request.path
        return path.hasPrefix("/openai/deployments") || path.hasPrefix("/openai/models")
            || path.hasSuffix("/models/chat/completions") || path.hasSuffix("/models/embeddings")
            || path.hasSuffix("/models/info")
            || (path.hasPrefix("/openai/v1/") && request.headers["api-key"] != nil)
    }

    func error(status: Int) -> SimulatedAnswer {
        let known: [Int: (String, String)] = [
            401: ("401", "Access denied due to invalid subscription key or wrong API endpoint."),
            403: ("403", "Public access is disabled."),
            404: (
                "DeploymentNotFound",
                "The API deployment for this resource does not exist. If you created the deployment within the last 5 minutes, please wait a moment and try again."
            ),
            429: ("429", "Requests to the ChatCompletions operation have exceeded the call rate limit."),
            503: ("ServiceUnavailable", "The service is temporarily unable to process your request."),
        ]
        let (code, message) = known[status] ?? ("InternalServerError", "The server had an error.")
        var answer = Self.refusal(status, code, message)
        if status == 429 { answer.headers += [("retry-after", "1"), ("retry-after-ms", "0")] }
        return answer
    }

    var errorEvent: String {
        "data: {\"error\":{\"message\":\"The response was filtered\",\"type\":null,\"param\":null,\"code\":\"content_filter\"}}\n\n"
    }

    private static func refusal(_ status: Int, _ code: String, _ message: String) -> SimulatedAnswer {
        .json(["error": ["code": .string(code), "message": .string(message)]], status: status)
    }

    func answer(_ request: SimulatedRequest, _ options: SimulatorOptions) -> SimulatedAnswer {
        // A token takes precedence over a key.
        guard let credential = request.bearer ?? request.headers["api-key"],
            options.apiKey == nil || options.apiKey == credential
        else { return error(status: 401) }
        let isVersionless = request.path.hasPrefix("/openai/v1/")
        let version = request.query["api-version"] ?? ""
        // Only the unversioned API accepts `v1` and `preview`, and its path is not nested.
        guard isVersionless || (version.first?.isNumber == true && request.path.ranges(of: "/deployments/").count < 2)
        else { return Self.refusal(404, "404", "Resource not found") }
        if request.method == "GET" {
            let models: [JSONValue] = ["gpt-4o", "gpt-4o-mini"].map {
                ["id": .string($0), "object": "model", "status": "succeeded"]
            }
            return .json(["object": "list", "data": .array(models)])
        }
        let isDeployment = request.path.hasPrefix("/openai/deployments/")
        if isDeployment, request.pathModel?.hasPrefix("missing") == true { return error(status: 404) }
        if let filtered = Self.filtered(request) { return filtered }
        return OpenAIDialect.completion(
            request, options, variant: .init(isAzure: true), deployment: isDeployment ? request.pathModel : nil,
            facts: isVersionless ? [:] : ["api_version": version])
    }

    private static func filtered(_ request: SimulatedRequest) -> SimulatedAnswer? {
        guard String(decoding: request.body, as: UTF8.self).contains("blocked prompt") else { return nil }
        return .json(
            [
                "error": [
                    "message":
                        "The response was filtered due to the prompt triggering Azure OpenAI's content management policy. Please modify your prompt and retry.",
                    "type": nil, "param": "prompt", "code": "content_filter", "status": 400,
                    "innererror": [
                        "code": "ResponsibleAIPolicyViolation",
                        "content_filter_result": ["violence": ["filtered": true, "severity": "high"]],
                    ],
                ]
            ], status: 400)
    }
}
