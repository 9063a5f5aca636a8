import Config
import Foundation
import Generation
import Genwire
import TestSupport
import Testing

/// The in-process API against the simulator, without a daemon.
@Suite struct InProcessTests {
    @Test func theFactoryAndItsModels() async throws {
        #expect(GenerationModelFactory.listProviders().contains("openai"))
        #expect(GenerationModelFactory.isProviderSupported("openai"))
        #expect(!GenerationModelFactory.isProviderSupported("nobody"))
        #expect(throws: GenerationError.self) {
            try GenerationModelFactory.createModel(provider: "nobody", modelName: "x")
        }
        try await Stack.with { stack in
            let model = try GenerationModelFactory.createModel(
                provider: "openai", modelName: "gpt-4o",
                parameters: .init(maxTokens: 100, temperature: 0.5, apiBase: stack.upstream + "/v1", apiKey: "sk-local")
            )
            #expect(try await model.generateContent("in process").hasPrefix("You asked: in process"))
            let sent = try await stack.lastRequest()
            #expect(sent["max_tokens"] as? Int == 100 && sent["temperature"] as? Double == 0.5)
            #expect(try await model.coinToken() == "sk-local")
            #expect(await model.validateAuthentication())
            #expect(await model.authHealthStatus().status == .healthy)
            let answers = await model.batchGenerate(["one", "two", "three"], parallel: 2)
            #expect(try answers.map { try $0.get().split(separator: " ")[2] } == ["one", "two", "three"])

            var text = ""
            for try await event in model.chatCompletionStream([Message(role: .user, content: "streamed")]) {
                if case .text(let piece) = event { text += piece }
            }
            #expect(text.hasPrefix("You asked: streamed"))

            let metrics = GenerationMetrics()
            _ = try await metrics.trackGeneration(model, prompt: "x")
            #expect(metrics.snapshot.successfulRequests == 1 && metrics.snapshot.averageLatency > 0)

            let generator = TemplateGenerator(
                model: model, template: "{context}|{history}|{query}", maxContextTokens: 5)
            let answer = try await generator.generateResponse(
                query: "why {context}?",
                contextDocuments: [
                    Document(content: "short"), Document(content: String(repeating: "long ", count: 20)),
                ],
                conversationHistory: [Message(role: .user, content: "hi")])
            #expect(answer.hasPrefix("You asked: short|user: hi|why {context}?"))
        }
    }

    @Test func vectors() async throws {
        try await Stack.with { stack in
            let model = try GenerationModelFactory.createModel(
                provider: "openai", modelName: "text-embedding-3-small",
                parameters: .init(apiBase: stack.upstream + "/v1", apiKey: "k"))
            let texts = (0..<300).map { "text \($0)" }
            // More than a frame holds: there is none in between.
            let response = try await model.embed(texts + texts + texts)
            #expect(response.embeddings.map(\.count) == Array(repeating: 1536, count: 900))
            #expect(
                response.embeddings[7] == response.embeddings[307] && response.embeddings[7] != response.embeddings[8])
            let short = try await model.embed(["a"], dimensions: 4, inputType: "")
            #expect(short.embeddings.map(\.count) == [4] && short.usage.source == .provider)
            await #expect(throws: GenerationError.self) { try await model.embed([]) }
        }
    }

    @Test func leavingAStreamClosesItsUpstream() async throws {
        try await Stack.with { stack in
            let model = try GenerationModelFactory.createModel(
                provider: "openai", modelName: "gpt-4o#stall-after=3",
                parameters: .init(apiBase: stack.upstream + "/v1", apiKey: "k"))
            do {
                for try await _ in model.chatCompletionStream([Message(role: .user, content: "x y z")]) { break }
            }
            let isClosed = try await eventually { try await stack.statistic("cancelled_streams") == 1 }
            #expect(isClosed)

            let silent = try GenerationModelFactory.createModel(
                provider: "openai", modelName: "gpt-4o#never-answer",
                parameters: .init(apiBase: stack.upstream + "/v1", apiKey: "k"))
            let call = Task { try await silent.generateContent("x") }
            let isWaiting = try await eventually { try await stack.statistic("active_streams") == 1 }
            #expect(isWaiting)
            call.cancel()
            await #expect(throws: GenerationError.self) { try await call.value }
            let isFree = try await eventually { try await stack.statistic("active_streams") == 0 }
            #expect(isFree)
        }
    }

    private func configuration(_ text: String) throws -> Configuration {
        let path = NSTemporaryDirectory() + "genwire-\(UUID().uuidString).yaml"
        try text.write(toFile: path, atomically: true, encoding: .utf8)
        defer { try? FileManager.default.removeItem(atPath: path) }
        return try GenerationModelFactory.loadConfiguration(path)
    }

    @Test func aRouteFallsBackAsInTheDaemon() async throws {
        try await Stack.with { stack in
            let base = "api_base: \"\(stack.upstream)/v1\", api_key: k"
            let configuration = try configuration(
                """
                models:
                  broken: {provider: openai, config: {model_name: "gpt-4o#status=500", \(base)}}
                  sound: {provider: openai, config: {model_name: gpt-4o-mini, \(base)}}
                  unusable: {provider: openai, optional: true, config: {model_name: x, api_key: "${UNSET_VARIABLE}"}}
                routes: {both: {strategy: fallback, targets: [broken, sound]}}
                retry: {max_attempts: 2, initial_backoff: 0.01, max_backoff: 0.01}
                """)
            let route = try GenerationModelFactory.createModel(named: "both", from: configuration)
            #expect(route.modelName == "gpt-4o#status=500" && route.provider == "openai")
            let answer = try await route.chatCompletion([Message(role: .user, content: "x")])
            #expect(answer.completion.attempts.map(\.model) == ["broken", "broken", "sound"])
            #expect(answer.completion.attempts.map(\.status) == [500, 500, 200])
            var text = ""
            for try await case .text(let piece) in route.chatCompletionStream([Message(role: .user, content: "y")]) {
                text += piece
            }
            #expect(text.hasPrefix("You asked: y"))

            let broken = try GenerationModelFactory.createModel(named: "broken", from: configuration)
            let error = await #expect(throws: GenerationError.self) { try await broken.generateContent("x") }
            #expect(error?.attempts.count == 2)
            for (name, kind) in [("unusable", GenerationError.Kind.authentication), ("nobody", .unknownModel)] {
                let error = #expect(throws: GenerationError.self) {
                    try GenerationModelFactory.createModel(named: name, from: configuration)
                }
                #expect(error?.kind == kind, "\(name)")
            }
        }
    }

    private static let vendor = """
        import http.server, ssl, sys
        class Vendor(http.server.BaseHTTPRequestHandler):
            def do_POST(self):
                self.rfile.read(int(self.headers["content-length"]))
                body = b'{"choices":[{"message":{"role":"assistant","content":"hi"},"finish_reason":"stop"}]}'
                self.send_response(200)
                self.send_header("content-length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)
        server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Vendor)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(sys.argv[1], sys.argv[2])
        server.socket = context.wrap_socket(server.socket, server_side=True)
        print("ready on", server.server_port, file=sys.stderr, flush=True)
        server.serve_forever()
        """

    @Test func certificatesAreVerifiedUnlessTheConfigurationSaysOtherwise() async throws {
        try await withTemporaryFolder { folder in
            let made = try await runProgram(
                "/usr/bin/openssl",
                [
                    "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2",
                    "-subj", "/CN=127.0.0.1", "-keyout", "\(folder)/key.pem", "-out", "\(folder)/certificate.pem",
                ])
            try #require(made.code == 0, "\(made.errors)")
            let server = try RunningProgram(
                "/usr/bin/env",
                ["python3", "-c", Self.vendor, "\(folder)/certificate.pem", "\(folder)/key.pem"],
                logPath: folder + "/vendor.log")
            let port = await server.waitForLine(containing: "ready on")?.split(separator: " ").last ?? "0"
            let model = """
                generation: {provider: openai, config: {model_name: m, api_base: "https://127.0.0.1:\(port)", api_key: k}}
                retry: {max_attempts: 1}

                """
            let strict = try GenerationModelFactory.createModel(from: try configuration(model))
            let lax = try GenerationModelFactory.createModel(
                from: try configuration(model + "tls: {insecure_skip_verify: true}"))
            for _ in 0..<2 {
                let error = await #expect(throws: GenerationError.self) { try await strict.generateContent("x") }
                #expect(error?.kind == .network && error?.message.contains("certificate") == true)
                let answer = try? await lax.generateContent("x")
                #expect(answer == "hi")
            }
            // The test process may have been started with every other signal blocked.
            server.signal(SIGKILL)
            _ = await server.waitForExit()
        }
    }

    @Test func analyticsKeepTheMeansRight() {
        let analytics = UsageAnalytics()
        analytics.recordUsage(provider: "a", tokens: 10, responseTime: 1, success: true)
        analytics.recordUsage(provider: "a", tokens: 99, responseTime: 9, success: false)
        analytics.recordUsage(provider: "a", tokens: 20, responseTime: 3, success: true)
        #expect(analytics.usage["a"]?.averageResponseTime == 2)
        #expect(analytics.usage["a"]?.tokensUsed == 30)
        #expect(analytics.usageReport().contains("\"requests\":3"))
    }

    @Test func tokensAndPrompts() {
        #expect(estimateTokens("12345678") == 2)
        #expect(fitPrompt("short", maxTokens: 10) == "short")
        #expect(fitPrompt(String(repeating: "word ", count: 100), maxTokens: 25).split(separator: " ").count == 20)
        #expect(fitPrompt("a b c d e f g h", maxTokens: 0) == "")
    }
}
