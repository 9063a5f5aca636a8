internal import JSON

/// OpenAI's chat completions, with the vendor's checks.
struct OpenAIDialect: SimulatedDialect {
    func serves(_ request: SimulatedRequest) -> Bool {
        let path = request.path
        return path.hasSuffix("/chat/completions") || path.hasSuffix("/embeddings") || path.hasSuffix("/models")
            || path.contains("/models/")
    }

    // MARK: - Errors

    func error(status: Int) -> SimulatedAnswer {
        let known: [Int: (String, JSONValue, JSONValue)] = [
            400: ("The request was not understood.", "invalid_request_error", nil),
            401: ("Incorrect API key provided.", "invalid_request_error", "invalid_api_key"),
            402: ("Your account has no credit left.", "billing_error", nil),
            403: ("You are not allowed to use this model.", "permission_error", nil),
            404: (
                "The model does not exist or you do not have access to it.", "invalid_request_error", "model_not_found"
            ),
            429: ("Rate limit reached for requests. Please try again later.", "requests", "rate_limit_exceeded"),
            503: ("The engine is currently overloaded, please try again later.", "server_error", nil),
        ]
        let (message, type, code) = known[status] ?? ("The server had an error.", "server_error", nil)
        var answer = Self.refusal(status, message, type: type, code: code)
        if status == 429 { answer.headers.append(("retry-after", "2")) }
        return answer
    }

    var errorEvent: String {
        "data: {\"error\":{\"message\":\"The server had an error while processing your request.\",\"type\":\"server_error\",\"param\":null,\"code\":null}}\n\n"
    }

    static func refusal(
        _ status: Int, _ message: String, param: JSONValue = nil, type: JSONValue = "invalid_request_error",
        code: JSONValue = nil
    ) -> SimulatedAnswer {
        .json(["error": ["message": .string(message), "type": type, "param": param, "code": code]], status: status)
    }

    // MARK: - Requests

    func answer(_ request: SimulatedRequest, _ options: SimulatorOptions) -> SimulatedAnswer {
        let authorization = request.headers["authorization"] ?? ""
        if let key = options.apiKey, authorization != "Bearer \(key)" {
            // Vendors repeat a part of the key in the error.
            return Self.refusal(
                401,
                "Incorrect API key provided: \(authorization.dropFirst(7).prefix(40)). You can find your API key in your account.",
                code: "invalid_api_key")
        }
        if options.apiKey == nil, authorization.isEmpty {
            return Self.refusal(401, "You didn't provide an API key.", code: nil)
        }
        if request.path.contains("/models") {
            guard request.method == "GET" else { return Self.refusal(405, "Not allowed to \(request.method) here.") }
            return models(request.path)
        }
        return Self.completion(request, options)
    }

    /// A completion, or the error for an invalid request; shared by all vendors of this dialect.
    static func completion(
        _ request: SimulatedRequest, _ options: SimulatorOptions, variant: OpenAIReply.Variant = .init(),
        deployment: String? = nil, facts: [String: String] = [:]
    ) -> SimulatedAnswer {
        guard request.method == "POST" else { return refusal(405, "Not allowed to \(request.method) here.") }
        guard let body = try? JSONValue(parsing: request.body), body.members != nil else {
            return refusal(400, "We could not parse the JSON body of your request.")
        }
        if request.path.hasSuffix("/embeddings") { return OpenAIEmbeddingReply.answer(body, deployment: deployment) }
        let subject = Strictness.Subject(
            vendor: variant.vendor, endpoint: .chat, model: deployment ?? body["model"]?.string ?? "")
        if let problem = OpenAIChecks.problem(body, subject, facts: facts) {
            return refusal(problem.status, problem.message, param: problem.param, code: problem.code)
        }
        let reply = OpenAIReply(body, options, variant: variant, subject: subject)
        return body["stream"]?.bool == true
            ? .events(reply.events, intervalMilliseconds: options.chunkIntervalMilliseconds) : .json(reply.whole)
    }

    private func models(_ path: String) -> SimulatedAnswer {
        func entry(_ id: String) -> JSONValue {
            ["id": .string(id), "object": "model", "created": 1_715_367_049, "owned_by": "system"]
        }
        if let range = path.firstRange(of: "/models/") { return .json(entry(String(path[range.upperBound...]))) }
        return .json(["object": "list", "data": .array(["gpt-4o", "gpt-4o-mini", "o3-mini"].map(entry))])
    }
}
