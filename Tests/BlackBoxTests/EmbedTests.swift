import Foundation
import Generation
import GenwireClient
import Messages
import TestSupport
import Testing

/// `Embed` through the real daemon, at every provider that has vectors.
@Suite struct EmbedTests {
    /// A model of each form, and its usual length.
    private static let models: [(name: String, provider: String, model: String, dimensions: Int)] = [
        ("small", "openai", "text-embedding-3-small", 1536), ("azure", "azure_openai", "text-embedding-3-large", 3072),
        ("groq", "groq", "nomic-embed", 1536), ("gemini", "gemini", "gemini-embedding-001", 3072),
        ("predict", "vertex", "text-embedding-005", 3072), ("one", "vertex", "gemini-embedding-001", 3072),
        ("single", "vertex", "gemini-embedding-2", 3072), ("partner", "vertex", "e5-maas", 3072),
        ("numbers", "openai", "numbers-1", 1536),
        ("shuffled", "openai", "shuffled-1", 1536),
    ]

    private static func configuration(_ extra: String = "") -> @Sendable (String, String) -> String {
        { upstream, folder in
            var text = "server: {listen: [\"unix:\(folder)/g.sock\"]}\nretry: {max_attempts: 1}\n\(extra)\nmodels:\n"
            for model in models { text += RecordingTests.section(model.name, model.provider, model.model, upstream) }
            text += RecordingTests.section("limited", "openai", "text-embedding-3-small#status=429", upstream)
            text += RecordingTests.section("denied", "gemini", "gemini-embedding-001#status=401", upstream)
            text += RecordingTests.section("slow", "vertex", "gemini-embedding-2#never-answer", upstream)
            text += RecordingTests.section("claude", "anthropic", "claude-sonnet-4-5", upstream)
            return text
        }
    }

    private static func withClient(
        _ extra: String = "", _ body: (GenwireClient, Stack) async throws -> Void
    ) async throws {
        try await Stack.with(configuration: configuration(extra)) { stack in
            let client = try await GenwireClient.connect(to: stack.address)
            try await body(client, stack)
            await client.close()
        }
    }

    private func failure(_ client: GenwireClient, _ request: EmbedRequest, deadline: UInt64 = 0) async -> ClientError? {
        do {
            _ = try await client.embed(request, deadlineMilliseconds: deadline)
            return nil
        } catch {
            return error
        }
    }

    @Test func everyProviderReturnsItsVectorsInOrder() async throws {
        try await Self.withClient { client, _ in
            let texts = (0..<260).map { "text \($0)" }
            let reference = try await client.embed(EmbedRequest(model: "small", inputs: texts, dimensions: 8))
            #expect(Set(reference.embeddings).count == texts.count)
            for model in Self.models {
                let response = try await client.embed(EmbedRequest(model: model.name, inputs: texts, dimensions: 8))
                #expect(response.embeddings.count == texts.count, "\(model.name)")
                let isSame = zip(response.embeddings, reference.embeddings).allSatisfy { left, right in
                    zip(left, right).allSatisfy { abs($0 - $1) < 1e-6 }
                }
                #expect(isSame, "\(model.name)")
                #expect(response.provider == model.provider && !response.model.isEmpty)
                #expect(response.usage.inputTokens == texts.reduce(0) { $0 + max(1, $1.count / 4) }, "\(model.name)")
                let isCounted = model.name != "gemini"
                #expect(response.usage.source == (isCounted ? .provider : .estimated), "\(model.name)")
                #expect(response.attempts.count == 1 && !response.providerRequestID.isEmpty)
                #expect(response.timing.totalMicroseconds > 0)
                let own = try await client.embed(EmbedRequest(model: model.name, inputs: ["x"]))
                #expect(own.embeddings.map(\.count) == [model.dimensions], "\(model.name)")
            }
            // Also by the vendor's name, with the provider's address and credential.
            let direct = try await client.embed(
                EmbedRequest(model: "openai/text-embedding-3-large", inputs: ["x"], dimensions: 8))
            #expect(direct.model == "text-embedding-3-large")
        }
    }

    @Test func inputTypesAndTruncation() async throws {
        try await Self.withClient { client, stack in
            let query = EmbedRequest(model: "predict", inputs: ["x"], dimensions: 8, inputType: "RETRIEVAL_QUERY")
            _ = try await client.embed(query)
            let instances = try await stack.lastRequest()["instances"] as? [[String: Any]]
            #expect(instances?.first?["task_type"] as? String == "RETRIEVAL_QUERY")
            var plain = query
            plain.model = "small"
            #expect(await failure(client, plain)?.detail?.kind == .unsupported)
            plain.dropUnsupported = true
            #expect(try await client.embed(plain).warnings.first?.contains("dropped input_type") == true)
            let long = String(repeating: "word ", count: 3000)
            let cut = try await client.embed(EmbedRequest(model: "predict", inputs: ["x", long], dimensions: 8))
            #expect(cut.warnings == ["vertex used only the beginning of 1 inputs, which are too long"])
        }
    }

    @Test func largeRequestsAreCutIntoBatches() async throws {
        try await Self.withClient { client, stack in
            // 3 MB of text: six requests for OpenAI, which counts tokens too.
            let texts = (0..<300).map { "\($0) " + String(repeating: "word ", count: 2000) }
            let response = try await client.embed(EmbedRequest(model: "small", inputs: texts, dimensions: 8))
            #expect(Set(response.embeddings).count == texts.count)
            #expect(response.usage.source == .provider && response.usage.inputTokens > 300_000)
            #expect(try await stack.statistic("requests") >= 6)
        }
    }

    @Test func whatCannotBeAnsweredIsRefusedAtOnce() async throws {
        try await Self.withClient { client, stack in
            let many = Array(repeating: "x", count: 1000)
            let cases: [(EmbedRequest, GenerationError.Kind)] = [
                (EmbedRequest(model: "small", inputs: many, dimensions: 1536), .invalidRequest),
                (EmbedRequest(model: "small", inputs: many), .invalidRequest),
                (EmbedRequest(model: "small", inputs: []), .invalidRequest),
                (EmbedRequest(model: "openai/text-embedding-ada-002", inputs: ["x"], dimensions: 8), .unsupported),
                (EmbedRequest(model: "small", inputs: ["x", ""]), .invalidRequest),
                (EmbedRequest(model: "small", inputs: ["x"], dimensions: -1), .invalidRequest),
                (EmbedRequest(model: "claude", inputs: ["x"]), .unsupported),
                (EmbedRequest(model: "nobody", inputs: ["x"]), .unknownModel),
            ]
            for (request, kind) in cases {
                #expect(await failure(client, request)?.detail?.kind == kind, "\(request.model) \(kind)")
            }
            let before = try await stack.statistic("requests")
            #expect(before == 0)
            // Without a length, the first vectors tell.
            let late = await failure(client, EmbedRequest(model: "numbers", inputs: many + many + many))
            #expect(late?.detail?.kind == .invalidRequest && late?.message.contains("send at most 682") == true)
            let after = try await stack.statistic("requests")
            #expect(after > 0 && after <= 4)
        }
    }

    @Test func cancellingClosesEveryRequest() async throws {
        try await Self.withClient { client, stack in
            let texts = (0..<20).map { "text \($0)" }
            let late = await failure(
                client, EmbedRequest(model: "slow", inputs: texts, dimensions: 8), deadline: 300)
            #expect(late?.code == 4 && late?.detail?.attempts.count == 1)
            let sent = try await stack.statistic("requests")
            #expect(sent <= 4)
            let isClosed = try await eventually { try await stack.statistic("cancelled_streams") == sent }
            #expect(isClosed)
        }
    }

    @Test func failuresRoutesAndUsage() async throws {
        let route = "routes: {vectors: {strategy: fallback, targets: [limited, small]}}"
        try await Self.withClient(route) { client, _ in
            let limited = await failure(client, EmbedRequest(model: "limited", inputs: ["x"]))
            #expect(limited?.detail?.kind == .rateLimit && limited?.code == 8)
            #expect(limited?.detail?.attempts.count == 1)
            #expect(await failure(client, EmbedRequest(model: "denied", inputs: ["x"]))?.code == 16)
            let wrong = await failure(client, EmbedRequest(model: "small", inputs: ["x"], dimensions: 4000))
            #expect(wrong?.detail?.kind == .invalidRequest && wrong?.message.contains("1536") == true)
            let routed = try await client.embed(EmbedRequest(model: "vectors", inputs: ["x"], dimensions: 8))
            #expect(routed.attempts.map(\.model) == ["limited", "small"])
            let rows = try await client.usage()
            #expect(rows.first { $0.model == "limited" }?.failedRequests == 2)
            let row = rows.first { $0.model == "small" }
            #expect(row?.successfulRequests == 1 && row?.inputTokens == 1 && row?.outputTokens == 0)
        }
    }

    @Test func theCommand() async throws {
        try await Self.withClient { _, stack in
            let file = stack.folder + "/text"
            try "one\ntwo\n".write(toFile: file, atomically: true, encoding: .utf8)
            func embed(_ arguments: String..., input: String = "") async throws -> (
                code: Int32, output: String, errors: String
            ) {
                try await runProgram(
                    "genwire", ["--model", "small", "embed", "--dimensions", "2"] + arguments,
                    environment: ["GENWIRE_CONNECT": stack.address], input: input)
            }
            let words = try await embed("one", "two")
            #expect(words.code == 0, "\(words.errors)")
            let lines = words.output.split(separator: "\n")
            #expect(
                lines.count == 2 && lines.allSatisfy { $0.split(separator: " ").compactMap { Float($0) }.count == 2 })
            #expect(try await embed(input: "one\n\ntwo\r\n").output == words.output)
            #expect(try await embed("one", "-", input: "two").output == words.output)
            #expect(try await embed("--file", file, "one").output.split(separator: "\n").count == 2)
            let object = try await embed("one", "--json").output
            let parsed = try JSONSerialization.jsonObject(with: Data(object.utf8)) as? [String: Any]
            let vectors = parsed?["embeddings"] as? [[String: Any]]
            #expect((vectors?.first?["values"] as? [Double])?.count == 2, "\(object)")
            #expect(try await embed("one", "--input-type", "X").errors.contains("UNSUPPORTED"))
            let dropped = try await embed("one", "--input-type", "X", "--drop-unsupported")
            #expect(dropped.code == 0 && dropped.errors.hasPrefix("note: dropped input_type"))
            #expect(try await embed(input: "").errors.contains("inputs is empty"))
        }
    }
}
