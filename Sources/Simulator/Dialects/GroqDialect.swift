internal import JSON

/// Groq's chat completions.
struct GroqDialect: SimulatedDialect {
    func serves(_ request: SimulatedRequest) -> Bool { request.path.hasPrefix("/openai/v1/") }

    func error(status: Int) -> SimulatedAnswer {
        if status == 498 {
            return OpenAIDialect.refusal(
                498, "Flex tier capacity is exceeded. Please try again later.", type: "invalid_request_error",
                code: "capacity_exceeded")
        }
        var answer = OpenAIDialect().error(status: status)
        answer.headers.append(("x-ratelimit-reset-requests", "6s"))
        return answer
    }

    var errorEvent: String {
        // A named event with its own status, and the last of the stream.
        "event: error\ndata: {\"error\":{\"message\":\"Tool call validation failed: parameters for tool did not match schema\",\"type\":\"invalid_request_error\",\"code\":\"tool_use_failed\",\"failed_generation\":\"{}\",\"status_code\":400}}\n\n"
    }

    func answer(_ request: SimulatedRequest, _ options: SimulatorOptions) -> SimulatedAnswer {
        guard let key = request.bearer, options.apiKey == nil || options.apiKey == key else {
            return OpenAIDialect.refusal(401, "Invalid API Key", code: "invalid_api_key")
        }
        if request.path.contains("/models") {
            let models: [JSONValue] = ["llama-3.3-70b-versatile", "openai/gpt-oss-120b", "qwen/qwen3-32b"].map {
                [
                    "id": .string($0), "object": "model", "created": 1_715_367_049, "owned_by": "Groq",
                    "active": true, "context_window": 131072,
                ]
            }
            return .json(["object": "list", "data": .array(models)])
        }
        if let problem = Self.problem(request) { return problem }
        return OpenAIDialect.completion(request, options, variant: .init(isGroq: true))
    }

    /// The checks of Groq that OpenAI does not have.
    private static func problem(_ request: SimulatedRequest) -> SimulatedAnswer? {
        guard let body = try? JSONValue(parsing: request.body) else { return nil }
        let model = body["model"]?.string ?? ""
        if let count = body["n"]?.int, count != 1 {
            return OpenAIDialect.refusal(400, "'n' : number must be at most 1", param: "n")
        }
        if let name = ["top_k", "logit_bias", "metadata", "store"].first(where: { body.has($0) }) {
            return OpenAIDialect.refusal(400, "property '\(name)' is unsupported")
        }
        if body.has("reasoning_format"), body.has("include_reasoning") {
            return OpenAIDialect.refusal(
                400, "cannot specify both reasoning_format and include_reasoning", param: "reasoning_format")
        }
        if model.contains("toolfail") {
            return .json(
                [
                    "error": [
                        "message":
                            "Failed to call a function. Please adjust your prompt. See 'failed_generation' for more details.",
                        "type": "invalid_request_error", "code": "tool_use_failed",
                        "failed_generation": "<function=get_weather>{}",
                    ]
                ], status: 400)
        }
        return nil
    }
}

extension JSONValue {
    /// Whether the value is an object with the member, even if the member is `null`.
    func has(_ key: String) -> Bool { members?.contains { $0.key == key } ?? false }
}
