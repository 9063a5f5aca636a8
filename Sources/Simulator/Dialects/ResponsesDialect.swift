internal import JSON

/// OpenAI's Responses API, at OpenAI and at Azure's unversioned `/openai/v1/`.
struct ResponsesDialect: SimulatedDialect {
    func serves(_ request: SimulatedRequest) -> Bool {
        request.path.hasSuffix("/responses") || request.path.hasSuffix("/responses/input_tokens")
    }

    func error(status: Int) -> SimulatedAnswer { OpenAIDialect().error(status: status) }

    var errorEvent: String {
        let error: JSONValue = [
            "type": "error", "code": "server_error",
            "message": "The server had an error while processing your request.", "param": nil, "sequence_number": 2,
        ]
        return "event: error\ndata: \(error.text)\n\n"
    }

    func answer(_ request: SimulatedRequest, _ options: SimulatorOptions) -> SimulatedAnswer {
        // A token takes precedence over a key.
        guard let credential = request.bearer ?? request.headers["api-key"],
            options.apiKey == nil || options.apiKey == credential
        else { return error(status: 401) }
        guard request.method == "POST" else {
            return OpenAIDialect.refusal(405, "Not allowed to \(request.method) here.")
        }
        guard let body = try? JSONValue(parsing: request.body), body.members != nil else {
            return OpenAIDialect.refusal(400, "We could not parse the JSON body of your request.")
        }
        let isCount = request.path.hasSuffix("/input_tokens")
        let subject = Strictness.Subject(
            vendor: request.path.hasPrefix("/openai/") ? .azureOpenAI : .openAI, endpoint: .responses,
            model: body["model"]?.string ?? "")
        if let problem = ResponsesChecks.problem(body, subject, isCount: isCount) {
            return OpenAIDialect.refusal(problem.status, problem.message, param: problem.param, code: problem.code)
        }
        let reply = ResponsesReply(body, subject, options)
        if isCount {
            return .json(["object": "response.input_tokens", "input_tokens": .int(reply.inputTokens)])
        }
        return body["stream"]?.bool == true
            ? .events(reply.events, intervalMilliseconds: options.chunkIntervalMilliseconds) : .json(reply.whole)
    }
}
