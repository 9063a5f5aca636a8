import Config
import EventLoop
import Generation
import JSON
import Synchronization
import TestSupport
import Testing

@testable import HTTPClient
@testable import Providers

/// What an attempt reports if its request was sent twice.
@Suite struct RepeatedSendingTests {
    private static let answer = #"{"choices":[{"message":{"role":"assistant","content":"hi"},"finish_reason":"stop"}]}"#

    @Test func aLostConnectionShowsAsAnEntryOfItsOwn() async throws {
        let requests = Atomic<Int>(0)
        let server = TestServer { connection in
            guard connection.request() != nil else { return }
            requests.add(1, ordering: .relaxed)
            connection.answer(Self.answer)
            // The next request finds the connection closed.
            connection.waitForBytes()
        }
        defer { server.stop() }
        let model = try DialectHarness("openai", "gpt-4o") { $0.apiBase = server.url("/v1") }.model
        let loop = try EventLoop(label: "providers-test")
        let context = await loop.perform { () -> LoopBound<ProviderContext> in
            var options = HTTPClientOptions()
            // Any machine is fast enough.
            options.resendWindow = .seconds(60)
            let client = HTTPClient(loop: loop, options: options)
            return LoopBound(ProviderContext(loop: loop, client: client, parser: JSONParser()), on: loop)
        }
        // If libcurl loses the connection in the same call that sent the request, it does not send it again.
        var found: Result?
        for _ in 0..<500 where found == nil {
            let result = await Self.run(model, context)
            if !result.sendings.isEmpty { found = result }
        }
        let second = try #require(found)
        #expect(second.content == "hi")
        #expect(second.sendings.map(\.httpStatus) == [0])
        let error = try #require(second.sendings.first?.error)
        #expect(error.kind == .network)
        #expect(error.message.hasPrefix("openai: "))
        #expect(error.message.hasSuffix("the request was sent again"))
        #expect(requests.load(ordering: .relaxed) >= 2)
        await loop.perform { context.value.client.shutdown() }
        await loop.shutdown()
    }

    private struct Result: Sendable {
        var content: String?
        var sendings: [RepeatedSending]
    }

    private static func run(_ model: ConfiguredModel, _ context: LoopBound<ProviderContext>) async -> Result {
        let loop = context.loop
        return await withCheckedContinuation { continuation in
            loop.execute {
                let sink = Sink { attempt, result in
                    let content = try? result.get().message.content
                    continuation.resume(returning: Result(content: content, sendings: attempt.repeatedSendings))
                }
                let request = ChatRequest(messages: [Message(role: .user, content: "hi")])
                let attempt = ProviderAttempt(
                    model: model, request: request, isStream: false, context: context.value, sink: sink)
                sink.attempt = attempt
                attempt.start()
            }
        }
    }

    /// Retains the attempt, and itself, until the attempt ends.
    private final class Sink: AnswerSink {
        var attempt: ProviderAttempt?
        private var this: Sink?
        private let completion: (ProviderAttempt, Swift.Result<ChatResponse, GenerationError>) -> Void

        init(_ completion: @escaping (ProviderAttempt, Swift.Result<ChatResponse, GenerationError>) -> Void) {
            self.completion = completion
            this = self
        }

        func receive(_ event: ChunkEvent) -> Demand { .more }

        func finish(_ result: Swift.Result<ChatResponse, GenerationError>) {
            if let attempt { completion(attempt, result) }
            self.attempt = nil
            this = nil
        }
    }
}
