package import EventLoop
package import HTTPServer
internal import JSON

/// The simulator's HTTP server and its counters. Confined to its loop.
package final class SimulatorServer {
    /// The dialects; the first one that serves a request's path handles it.
    private static let dialects: [any SimulatedDialect] = [
        ClaudeDialect(),
        GeminiDialect(),
        ResponsesDialect(),
        AzureDialect(),
        GroqDialect(),
        OpenAIDialect(),
    ]

    private let loop: EventLoop
    private let options: SimulatorOptions
    private lazy var server = HTTPServer(
        loop: loop,
        limits: HTTPServerLimits(
            connections: 16384, connectionBytes: 64 << 10, bodyBytes: 64 << 20, idleSeconds: nil, requestSeconds: nil),
        delegate: self)
    /// The responses in progress.
    private var players: [ObjectIdentifier: AnswerPlayer] = [:]
    private var scriptPosition = 0
    // Counters for /sim/stats.
    private var requestCount = 0
    private var cancelledCount = 0
    private var lastClose = Instant.boot
    private var bodies: [[UInt8]] = []

    /// Creates a server; `start` makes it listen.
    package init(_ options: SimulatorOptions, loop: EventLoop) {
        self.options = options
        self.loop = loop
    }

    /// Listens on 127.0.0.1 and returns the port.
    /// - Throws: `HTTPServerStartError`.
    package func start() throws(HTTPServerStartError) -> UInt16 { try server.start(.loopback(port: options.port)) }

    /// Stops listening and closes all connections.
    package func stop() { server.stop() }

    // MARK: - Responses

    func answer(_ request: SimulatedRequest) -> SimulatedAnswer {
        if let answer = TokenEndpoints.answer(request) { return answer }
        if request.path.hasPrefix("/sim/") { return control(request) }
        requestCount += 1
        if request.method == "POST" {
            if bodies.count >= 100 { bodies.removeFirst() }
            bodies.append(request.body)
        }
        guard let dialect = Self.dialects.first(where: { $0.serves(request) }) else {
            return .json(
                [
                    "error": [
                        "message": .string("Invalid URL (\(request.method) \(request.path))"),
                        "type": "invalid_request_error", "param": nil, "code": nil,
                    ]
                ], status: 404)
        }
        var (request, model, faults, slicing) = directives(request)
        faults = options.faults + faults
        var answer: SimulatedAnswer
        if let scripted = scripted(request, model, &faults, &slicing) {
            answer = scripted
        } else if let name = recordingName(model, request) {
            answer =
                options.recordings.flatMap { Recording.answer(name, in: $0) }
                ?? dialect.error(status: 404)
        } else if request.method == "POST",
            faults.contains(where: { if case .refuseTimes(let count) = $0 { requestCount <= count } else { false } })
        {
            answer = dialect.error(status: 503)
        } else if let token = request.bearer, token.hasPrefix("sim-token-"),
            !TokenEndpoints.isValid(token, at: request.headers["host"] ?? "")
        {
            // A token that this simulator issued, and that has expired or was revoked.
            answer = dialect.error(status: 401)
        } else {
            answer = dialect.answer(request, options)
        }
        answer.headers += [
            ("x-request-id", "req_\(requestCount)"), ("openai-processing-ms", "12"),
            ("x-ratelimit-limit-requests", "10000"), ("x-ratelimit-remaining-requests", "9999"),
        ].filter { own in !answer.headers.contains { $0.name.lowercased() == own.0 } }
        answer.slice(slicing, intervalMilliseconds: options.chunkIntervalMilliseconds)
        if options.latencyMilliseconds > 0 { faults.append(.delay(options.latencyMilliseconds)) }
        // Faults apply to generation only: health checks list the models and must succeed.
        if request.method == "POST" { answer.apply(faults, dialect: dialect) }
        return answer
    }

    /// Separates `#fault,fault,slice=N` from the model's name, so that a configuration can select faults per model.
    private func directives(
        _ request: SimulatedRequest
    ) -> (request: SimulatedRequest, model: String, faults: [Fault], slicing: Slicing) {
        guard request.method == "POST" else { return (request, "", [], options.slicing) }
        let body = try? JSONValue(parsing: request.body)
        // As with the vendors, a model in the path takes precedence, except in the path of Claude's token counting.
        let pathModel = request.pathModel == "count-tokens" ? nil : request.pathModel
        let full = pathModel ?? body?["model"]?.string ?? ""
        let parts = full.split(separator: "#", maxSplits: 1).map(String.init)
        guard parts.count == 2 else { return (request, full, [], options.slicing) }
        var slicing = options.slicing
        for word in parts[1].split(separator: ",") where word.hasPrefix("slice=") {
            slicing = Slicing(String(word.dropFirst(6))) ?? slicing
        }
        var request = request
        if pathModel != nil { request.pathModel = parts[0] }
        if let members = body?.members, members.contains(where: { $0.key == "model" }) {
            request.body = Array(
                JSONValue.object(
                    members.map { (key: $0.key, value: $0.key == "model" ? .string(parts[0]) : $0.value) }
                ).text.utf8)
        }
        return (request, parts[0], Fault.list(parts[1]), slicing)
    }

    private func recordingName(_ model: String, _ request: SimulatedRequest) -> String? {
        if let name = request.headers["x-sim-recording"] { return name }
        return model.hasPrefix("recording:") ? String(model.dropFirst(10)) : nil
    }

    private func scripted(
        _ request: SimulatedRequest, _ model: String, _ faults: inout [Fault], _ slicing: inout Slicing
    ) -> SimulatedAnswer? {
        guard let steps = options.script?.steps, request.method == "POST" else { return nil }
        let step = steps[min(scriptPosition, steps.count - 1)]
        guard step.matches(path: request.path, model: model) else { return nil }
        scriptPosition += 1
        faults += step.faults
        if step.latencyMilliseconds > 0 { faults.append(.delay(step.latencyMilliseconds)) }
        slicing = step.slicing ?? slicing
        var answer: SimulatedAnswer
        if let name = step.recording {
            guard let recorded = options.recordings.flatMap({ Recording.answer(name, in: $0) }) else { return nil }
            answer = recorded
        } else if !step.events.isEmpty {
            answer = .events(
                step.events.map { "data: \($0)\n\n" }, intervalMilliseconds: step.chunkIntervalMilliseconds)
        } else if let body = step.body {
            answer = SimulatedAnswer(
                headers: [("content-type", "application/json")],
                pieces: [SimulatedAnswer.Piece(bytes: Array(body.utf8))])
        } else {
            return nil
        }
        if let status = step.status { answer.status = status }
        for (name, value) in step.headers {
            answer.headers.removeAll { $0.name.lowercased() == name.lowercased() }
            answer.headers.append((name, value))
        }
        return answer
    }

    private func control(_ request: SimulatedRequest) -> SimulatedAnswer {
        switch request.path {
        case "/sim/stats":
            let last = bodies.last.flatMap { try? JSONValue(parsing: $0) }
            return .json([
                "requests": .int(requestCount), "open_connections": .int(server.connectionCount),
                "active_streams": .int(server.exchangeCount - 1), "cancelled_streams": .int(cancelledCount),
                "last_close_ns": .int(Int(lastClose.nanoseconds)), "last_request": last ?? nil,
            ])
        case "/sim/requests":
            return .json(.array(bodies.map { (try? JSONValue(parsing: $0)) ?? .string("not JSON") }))
        case "/sim/reset":
            requestCount = 0
            cancelledCount = 0
            scriptPosition = 0
            bodies = []
            return .json(["ok": true])
        default: return .json(["error": "no such control path"], status: 404)
        }
    }
}

extension SimulatorServer: HTTPServerDelegate {
    package func server(
        _ server: HTTPServer, didReceive request: HTTPServerRequest, _ exchange: HTTPExchange
    ) {
        let player = AnswerPlayer(answer(SimulatedRequest(request)), exchange, loop)
        players[ObjectIdentifier(exchange)] = player
        player.start()
    }

    package func server(_ server: HTTPServer, didEnd exchange: HTTPExchange, _ end: HTTPExchange.End) {
        players.removeValue(forKey: ObjectIdentifier(exchange))?.stop()
        guard case .interrupted = end else { return }
        cancelledCount += 1
        lastClose = .now()
    }
}
