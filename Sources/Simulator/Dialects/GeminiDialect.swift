internal import JSON

/// Google's generateContent, on Vertex AI and as the Gemini API.
struct GeminiDialect: SimulatedDialect {
    private static let verbs = ["generateContent", "streamGenerateContent", "countTokens"] + GeminiEmbeddingReply.verbs

    func serves(_ request: SimulatedRequest) -> Bool {
        if let verb = request.verb, Self.verbs.contains(verb) { return true }
        return request.path.contains("/publishers/google/models") || request.path.hasPrefix("/v1beta/models")
            || (request.path.hasPrefix("/v1/models") && request.headers["x-goog-api-key"] != nil)
    }

    // MARK: - Errors

    static func refusal(
        _ status: Int, _ word: String, _ message: String, details: JSONValue? = nil
    ) -> SimulatedAnswer {
        var error: [(key: String, value: JSONValue)] = [
            ("code", .int(status)), ("message", .string(message)), ("status", .string(word)),
        ]
        if let details { error.append(("details", details)) }
        return .json(["error": .object(error)], status: status)
    }

    func error(status: Int) -> SimulatedAnswer {
        switch status {
        case 400: Self.refusal(400, "INVALID_ARGUMENT", "Request contains an invalid argument.")
        case 401:
            Self.refusal(
                401, "UNAUTHENTICATED",
                "Request had invalid authentication credentials. Expected OAuth 2 access token, login cookie or other valid authentication credential."
            )
        case 403: Self.refusal(403, "PERMISSION_DENIED", "Permission 'aiplatform.endpoints.predict' denied.")
        case 404: Self.refusal(404, "NOT_FOUND", "Publisher Model was not found or your project does not have access.")
        case 429:
            // The delay is in the body, not in a header.
            Self.refusal(
                429, "RESOURCE_EXHAUSTED", "You exceeded your current quota. Please retry in 1.5s.",
                details: [["@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": "1.5s"]])
        case 503: Self.refusal(503, "UNAVAILABLE", "The model is overloaded. Please try again later.")
        default: Self.refusal(status, "INTERNAL", "An internal error has occurred.")
        }
    }

    /// Several lines without `data:`, as Google sends them.
    var errorEvent: String {
        "{\n  \"error\": {\n    \"code\": 503,\n    \"message\": \"The model is overloaded. {Try} again later.\",\n    \"status\": \"UNAVAILABLE\"\n  }\n}\n\n"
    }

    // MARK: - Requests

    func answer(_ request: SimulatedRequest, _ options: SimulatorOptions) -> SimulatedAnswer {
        let isVertex = request.path.contains("/publishers/") || request.path.contains("/projects/")
        let key = request.headers["x-goog-api-key"] ?? request.query["key"]
        guard let credential = request.bearer ?? key else { return error(status: isVertex ? 401 : 403) }
        guard options.apiKey == nil || options.apiKey == credential else {
            if request.bearer != nil { return error(status: 401) }
            return Self.refusal(
                400, "INVALID_ARGUMENT", "API key not valid. Please pass a valid API key.",
                details: [["@type": "type.googleapis.com/google.rpc.ErrorInfo", "reason": "API_KEY_INVALID"]])
        }
        guard let verb = request.verb, Self.verbs.contains(verb) else { return models(request) }
        let model = request.pathModel ?? ""
        if model.hasPrefix("missing-model") { return error(status: 404) }
        guard request.method == "POST", let body = try? JSONValue(parsing: request.body), body.members != nil else {
            return Self.refusal(400, "INVALID_ARGUMENT", "Invalid JSON payload received.")
        }
        if GeminiEmbeddingReply.verbs.contains(verb) {
            return GeminiEmbeddingReply.answer(body, verb: verb, model: model, isVertex: isVertex)
        }
        let subject = Strictness.Subject(
            vendor: isVertex ? .vertex : .gemini, endpoint: .generateContent, model: model)
        let facts = Self.place(request)
        if verb == "countTokens" {
            let content = body["generateContentRequest"] ?? body
            if let problem = GeminiChecks.problem(content, subject, facts: facts, isCount: true) { return problem }
            let count = max(1, GeminiReply.text(ofContents: content).count / 4)
            return .json([
                "totalTokens": .int(count),
                "promptTokensDetails": [["modality": "TEXT", "tokenCount": .int(count)]],
            ])
        }
        if let problem = GeminiChecks.problem(body, subject, facts: facts, isCount: false) { return problem }
        let reply = GeminiReply(body, subject, options)
        guard verb == "streamGenerateContent" else { return .json(reply.whole) }
        let events = reply.events
        guard request.query["alt"] == "sse" else {
            // One JSON array, sent in pieces.
            let pieces = events.enumerated().map { ($0 == 0 ? "[" : ",\r\n") + $1.text }
            var answer = SimulatedAnswer.events(
                pieces + ["]"], intervalMilliseconds: options.chunkIntervalMilliseconds)
            answer.headers = [("content-type", "application/json; charset=UTF-8")]
            return answer
        }
        let end = isVertex ? "\r\n\r\n" : "\n\n"
        return .events(
            events.map { "data: \($0.text)\(end)" }, intervalMilliseconds: options.chunkIntervalMilliseconds)
    }

    /// The project and the region in a path.
    private static func place(_ request: SimulatedRequest) -> [String: String] {
        let parts = request.path.split(separator: "/").map(String.init)
        var facts: [String: String] = [:]
        for (name, key) in [("projects", "project"), ("locations", "region")] {
            guard let index = parts.firstIndex(of: name), index + 1 < parts.count else { continue }
            facts[key] = parts[index + 1]
        }
        return facts
    }

    private func models(_ request: SimulatedRequest) -> SimulatedAnswer {
        func entry(_ name: String) -> JSONValue {
            [
                "name": .string("models/" + name), "displayName": .string(name), "version": "001",
                "inputTokenLimit": 1_048_576, "outputTokenLimit": 65536,
                "supportedGenerationMethods": ["generateContent", "countTokens"],
            ]
        }
        if let name = request.pathModel { return .json(entry(name)) }
        let models = ["gemini-2.5-flash", "gemini-2.5-pro", "gemini-3-pro-preview"].map(entry)
        return .json(
            request.path.contains("/publishers/") ? ["publisherModels": .array(models)] : ["models": .array(models)])
    }
}
