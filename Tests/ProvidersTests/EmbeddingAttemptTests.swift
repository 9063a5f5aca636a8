import Config
import EventLoop
import Generation
import HTTPClient
import JSON
import TestSupport
import Testing

@testable import Providers

/// Attempts against a vendor that fails on demand.
@Suite struct EmbeddingAttemptTests {
    private struct Vendor: Sendable {
        /// The first text of each request.
        var requests: [String] = []
        /// First texts whose next request fails, and how.
        var failing: [String: Int] = [:]
        var active = 0
        var mostActive = 0
    }

    private struct Outcome: Sendable {
        var error: GenerationError?
        var response: EmbedResponse?
        var missing: [Int] = []
        var partial = Usage()
        var status = 0
    }

    /// Holds an attempt and its end.
    private final class Sink: AnswerSink {
        var attempt: EmbeddingAttempt?
        private let end: (Swift.Result<ChatResponse, GenerationError>) -> Void
        init(_ end: @escaping (Swift.Result<ChatResponse, GenerationError>) -> Void) { self.end = end }
        func receive(_ event: ChunkEvent) -> Demand { .more }
        func finish(_ result: Swift.Result<ChatResponse, GenerationError>) { end(result) }
    }

    private static func serve(_ vendor: Locked<Vendor>) -> TestServer {
        TestServer { connection in
            while let (_, body) = connection.request() {
                let object = try? JSONValue(parsing: body)
                let texts = (object?["input"]?.array ?? []).compactMap { text in
                    text.string.map { String($0.prefix { $0 != " " }) }
                }
                let failure = vendor.withLock { vendor -> Int? in
                    vendor.requests.append(texts.first ?? "")
                    vendor.active += 1
                    vendor.mostActive = max(vendor.mostActive, vendor.active)
                    return vendor.failing.removeValue(forKey: texts.first ?? "")
                }
                defer { vendor.withLock { $0.active -= 1 } }
                if let failure {
                    connection.answer(#"{"error":{"message":"it is down"}}"#, status: "\(failure) No")
                    continue
                }
                let data = texts.map { #"{"embedding":[\#($0.dropFirst()),1]}"# }.joined(separator: ",")
                connection.answer(#"{"data":[\#(data)],"usage":{"prompt_tokens":\#(texts.count)}}"#)
            }
        }
    }

    private static func withVendor(
        _ vendor: Locked<Vendor>, _ count: Int, padding: Int = 0, attempts: Int
    ) async throws -> [Outcome] {
        let server = serve(vendor)
        defer { server.stop() }
        let model = try DialectHarness("openai", "m") { $0.apiBase = server.url("/v1") }.model
        // Vectors of this length are requested in batches of 100.
        let request = EmbedRequest(
            inputs: (0..<count).map { "t\($0)" + String(repeating: " ", count: padding) }, dimensions: 5200)
        let loop = try EventLoop(label: "embedding-test")
        let made = await loop.perform { () -> LoopBound<(ProviderContext, VectorTable)> in
            let client = HTTPClient(loop: loop, options: HTTPClientOptions())
            let context = ProviderContext(loop: loop, client: client, parser: JSONParser())
            return LoopBound((context, VectorTable(request, limit: .max, context: context)), on: loop)
        }
        var outcomes: [Outcome] = []
        for _ in 0..<attempts {
            outcomes.append(
                await withCheckedContinuation { continuation in
                    loop.execute {
                        let (context, table) = made.value
                        var sink: Sink?
                        sink = Sink { result in
                            var outcome = Outcome(missing: table.missing)
                            outcome.partial = sink?.attempt?.partialUsage ?? Usage()
                            outcome.status = sink?.attempt?.httpStatus ?? 0
                            switch result {
                            case .success(let response): outcome.response = table.response(response.completion)
                            case .failure(let error): outcome.error = error
                            }
                            continuation.resume(returning: outcome)
                            sink = nil
                        }
                        guard let own = sink else { return }
                        let attempt = EmbeddingAttempt(
                            model: model, request: request, table: table, context: context, sink: own)
                        own.attempt = attempt
                        attempt.start()
                    }
                })
        }
        await loop.perform { made.value.0.client.shutdown() }
        await loop.shutdown()
        return outcomes
    }

    @Test func aRetryAsksOnlyForWhatIsMissing() async throws {
        let vendor = Locked(Vendor(failing: ["t100": 503]))
        let outcomes = try await Self.withVendor(vendor, 250, attempts: 2)
        #expect(outcomes[0].error?.kind == .overloaded && outcomes[0].status == 503)
        #expect(outcomes[0].missing == Array(100..<200) && outcomes[0].partial.inputTokens == 150)
        let response = try #require(outcomes[1].response)
        #expect(response.embeddings.map(\.first) == (0..<250).map { Float($0) })
        #expect(response.usage.inputTokens == 250 && response.usage.source == .provider)
        #expect(outcomes[1].partial.inputTokens == 100 && outcomes[1].status == 200)
        #expect(vendor.withLock { $0.requests.sorted() } == ["t0", "t100", "t100", "t200"])
    }

    @Test func fewRequestsRunAtATime() async throws {
        let vendor = Locked(Vendor())
        // Ten of these fill a request.
        let outcomes = try await Self.withVendor(vendor, 120, padding: 59_000, attempts: 1)
        #expect(outcomes[0].response?.embeddings.map(\.first) == (0..<120).map { Float($0) })
        #expect(vendor.withLock { $0.requests.count } == 12)
        #expect(vendor.withLock { $0.mostActive } <= 4)
    }

    @Test func aRefusalStartsNothingMore() async throws {
        let vendor = Locked(Vendor(failing: ["t0": 400, "t100": 400, "t200": 400, "t300": 400]))
        let outcomes = try await Self.withVendor(vendor, 2000, attempts: 1)
        #expect(outcomes[0].error?.kind == .invalidRequest)
        #expect(outcomes[0].error?.message.contains("it is down") == true)
        #expect(vendor.withLock { $0.requests.count } <= 4)
    }
}
