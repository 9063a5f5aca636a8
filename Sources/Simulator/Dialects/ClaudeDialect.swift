internal import JSON

/// Anthropic's Messages API, at Anthropic and on Vertex AI.
struct ClaudeDialect: SimulatedDialect {
    func serves(_ request: SimulatedRequest) -> Bool {
        if request.verb == "rawPredict" || request.verb == "streamRawPredict" { return true }
        return request.path.hasSuffix("/messages") || request.path.hasSuffix("/messages/count_tokens")
            || (request.path.hasPrefix("/v1/models") && request.headers["anthropic-version"] != nil)
    }

    // MARK: - Errors

    static func refusal(_ status: Int, _ type: String, _ message: String) -> SimulatedAnswer {
        .json(
            [
                "type": "error", "error": ["type": .string(type), "message": .string(message)],
                "request_id": .string("req_" + SimulatedReply.randomName(24)),
            ], status: status)
    }

    static func invalid(_ message: String) -> SimulatedAnswer { refusal(400, "invalid_request_error", message) }

    func error(status: Int) -> SimulatedAnswer {
        let known: [Int: (String, String)] = [
            400: ("invalid_request_error", "The request was invalid."),
            401: ("authentication_error", "invalid x-api-key"), 402: ("billing_error", "Your credit is too low."),
            403: ("permission_error", "You are not allowed to use this model."),
            404: ("not_found_error", "model: not found"),
            413: ("request_too_large", "Request exceeds the maximum size"),
            429: ("rate_limit_error", "This request would exceed your organization's rate limit."),
            504: ("timeout_error", "Request timed out"), 529: ("overloaded_error", "Overloaded"),
        ]
        let (type, message) = known[status] ?? ("api_error", "Internal server error")
        var answer = Self.refusal(status, type, message)
        if status == 429 {
            answer.headers += [
                ("retry-after", "2"), ("anthropic-ratelimit-requests-reset", "2026-01-01T00:00:00Z"),
            ]
        }
        if status == 401 { answer.headers.append(("x-should-retry", "false")) }
        return answer
    }

    var errorEvent: String {
        "event: error\ndata: {\"type\":\"error\",\"error\":{\"details\":null,\"type\":\"overloaded_error\",\"message\":\"Overloaded\"}        }\n\n"
    }

    // MARK: - Requests

    func answer(_ request: SimulatedRequest, _ options: SimulatorOptions) -> SimulatedAnswer {
        let isVertex = request.verb != nil
        let key = isVertex ? request.headers["x-goog-api-key"] : request.headers["x-api-key"]
        guard let credential = request.bearer ?? key, options.apiKey == nil || options.apiKey == credential else {
            // Errors of Vertex AI itself have Google's format.
            return isVertex ? GeminiDialect().error(status: 401) : error(status: 401)
        }
        if !isVertex, let problem = Self.version(request) { return problem }
        if request.method == "GET" { return models(request) }
        guard request.method == "POST", let body = try? JSONValue(parsing: request.body), body.members != nil else {
            return Self.invalid("The request body is not valid JSON.")
        }
        let isCount = request.pathModel == "count-tokens" || request.path.hasSuffix("/count_tokens")
        let model = isVertex && !isCount ? request.pathModel ?? "" : body["model"]?.string ?? ""
        if model.hasPrefix("missing-model") {
            return isVertex
                ? GeminiDialect().error(status: 404) : Self.refusal(404, "not_found_error", "model: \(model)")
        }
        let subject = Strictness.Subject(
            vendor: isVertex ? .anthropicVertex : .anthropic, endpoint: .messages, model: model)
        let check = ClaudeChecks(
            body: body, subject: subject, isCount: isCount, headers: request.headers,
            streams: request.verb == "streamRawPredict")
        if let problem = check.problem() { return problem }
        if isCount {
            let text = ClaudeReply.text(of: body)
            return .json(["input_tokens": .int(max(1, text.count / 4))])
        }
        let reply = ClaudeReply(body, subject, options)
        return body["stream"]?.bool == true
            ? .events(reply.events, intervalMilliseconds: options.chunkIntervalMilliseconds) : .json(reply.whole)
    }

    private static func version(_ request: SimulatedRequest) -> SimulatedAnswer? {
        guard let version = request.headers["anthropic-version"] else {
            return invalid("anthropic-version: header is required")
        }
        guard ["2023-01-01", "2023-06-01", "2026-10-21"].contains(version) else {
            return invalid("anthropic-version: \"\(version)\" is not a valid version")
        }
        return nil
    }

    private func models(_ request: SimulatedRequest) -> SimulatedAnswer {
        func entry(_ id: String) -> JSONValue {
            ["type": "model", "id": .string(id), "display_name": .string(id), "created_at": "2026-01-01T00:00:00Z"]
        }
        if let model = request.pathModel { return .json(entry(model)) }
        let ids = ["claude-sonnet-4-5", "claude-opus-4-7"]
        return .json([
            "data": .array(ids.map(entry)), "has_more": false, "first_id": .string(ids[0]), "last_id": .string(ids[1]),
        ])
    }
}
