import Config
import Dispatch
import EventLoop
import Generation
import JSON
import TestSupport
import Testing

@testable import HTTPClient
@testable import Providers

/// All calls share one memory budget for responses, and each call returns its part however it ends.
@Suite(.timeLimit(.minutes(2))) struct AnswerBudgetTests {
    private static let piece = String(repeating: "x", count: 256 << 10)

    @Test func sharesAddUpAndComeBack() throws {
        let budget = AnswerBudget(limit: 100 << 10)
        func hold(_ share: inout AnswerBudget.Share, _ bytes: Int) -> GenerationError? {
            do throws(GenerationError) {
                try share.hold(bytes)
                return nil
            } catch {
                return error
            }
        }
        do {
            var first = AnswerBudget.Share(budget)
            var second = AnswerBudget.Share(budget)
            // Amounts below one step are not counted.
            #expect(hold(&first, 10_000) == nil && budget.bytes == 0)
            #expect(hold(&first, 70_000) == nil && budget.bytes == 65_536)
            let error = hold(&second, 70_000)
            #expect(error?.kind == .overloaded && error?.isRetryable == true && error?.kind.statusCode == 14)
            #expect(budget.bytes == 65_536)
            #expect(hold(&first, 20_000) == nil && budget.bytes == 16_384)
            #expect(hold(&second, 70_000) == nil && budget.bytes == 81_920)
            first.giveBack()
            first.giveBack()
            #expect(budget.bytes == 65_536)
        }
        #expect(budget.bytes == 0)
    }

    // MARK: - Attempts

    /// How a server responds, and how the attempt ends as a result.
    struct Ending: Sendable, CustomTestStringConvertible {
        var name: String
        var isStream = false
        var head = "Content-Type: application/json\r\nContent-Length: 300000\r\n"
        /// Two pieces; the budget is checked between them.
        var first = #"{"choices":[{"message":{"content":""# + AnswerBudgetTests.piece
        var second = ""
        /// The expected error; `nil` for success.
        var error: GenerationError.Kind?
        var testDescription: String { name }
    }

    private static let stream = "Content-Type: text/event-stream\r\nConnection: close\r\n"
    private static let open = "Connection: close\r\n"
    private static let half = #"data: {"choices":[{"delta":{"tool_calls":[{"function":{"arguments":""# + piece

    static let endings = [
        Ending(
            name: "a whole answer", head: open, second: #""},"finish_reason":"stop"}]}"#),
        Ending(name: "a whole answer that breaks off", error: .streamInterrupted),
        Ending(name: "no JSON", head: open, second: "!", error: .badProviderResponse),
        Ending(
            name: "more than one call may keep", head: open, second: String(repeating: piece, count: 64),
            error: .badProviderResponse),
        Ending(
            name: "a stream", isStream: true, head: stream, first: half,
            second: "\"}}]}}]}\n\ndata: {\"choices\":[{\"finish_reason\":\"stop\"}]}\n\ndata: [DONE]\n\n"),
        Ending(
            name: "a stream that breaks off", isStream: true, head: stream, first: half, error: .streamInterrupted),
        Ending(
            name: "an error in a stream", isStream: true, head: stream, first: half,
            second: "\"}}]}}]}\n\ndata: {\"error\":{\"message\":\"m\",\"type\":\"overloaded_error\"}}\n\n",
            error: .overloaded),
        Ending(
            name: "a whole answer to a stream's request", isStream: true,
            head: "Content-Type: application/json\r\nConnection: close\r\n",
            second: #""},"finish_reason":"stop"}]}"#),
    ]

    @Test(arguments: endings) func whatIsKeptComesBackAtTheEnd(_ ending: Ending) async throws {
        try await Self.withAttempt(ending) { budget, goOn, attempt, _ in
            try await Self.waitUntil { budget.bytes >= Self.piece.utf8.count }
            goOn.signal()
            #expect(await attempt.failure?.kind == ending.error)
            // Read after the end: the loop returns the memory before it reports the end.
            #expect(budget.bytes == 0)
        }
    }

    @Test(arguments: endings) func whatIsKeptComesBackAtACancel(_ ending: Ending) async throws {
        try await Self.withAttempt(ending) { budget, goOn, attempt, loop in
            try await Self.waitUntil { budget.bytes >= Self.piece.utf8.count }
            await loop.perform { attempt.cancel() }
            #expect(budget.bytes == 0)
            goOn.signal()
        }
    }

    @Test(arguments: [false, true])
    func theCallThatAsksForMoreIsRefused(_ isStream: Bool) async throws {
        let ending = Ending(
            name: "", isStream: isStream, head: isStream ? Self.stream : Self.open,
            first: (isStream ? Self.half : "") + String(repeating: Self.piece, count: 8))
        try await Self.withAttempt(ending, limit: 1 << 20) { budget, goOn, attempt, _ in
            let error = await attempt.failure
            #expect(error?.kind == .overloaded && error?.isRetryable == true && error?.kind.statusCode == 14)
            #expect(error?.message.contains("1048576 bytes") == true)
            #expect(budget.bytes == 0)
            goOn.signal()
        }
    }

    // MARK: - Harness

    private static func waitUntil(_ condition: () -> Bool) async throws {
        while !condition() { try await Task.sleep(for: .milliseconds(2)) }
    }

    private static func withAttempt(
        _ ending: Ending, limit: Int = 64 << 20,
        _ body: (AnswerBudget, DispatchSemaphore, Running, EventLoop) async throws -> Void
    ) async throws {
        let goOn = DispatchSemaphore(value: 0)
        let server = TestServer { connection in
            guard connection.request() != nil else { return }
            connection.send("HTTP/1.1 200 OK\r\n\(ending.head)\r\n\(ending.first)")
            goOn.wait()
            connection.send(ending.second)
            connection.hangUp()
        }
        defer { server.stop() }
        let budget = AnswerBudget(limit: limit)
        let model = try DialectHarness("openai", "gpt-4o") { $0.apiBase = server.url("/v1") }.model
        let loop = try EventLoop(label: "providers-test")
        let running = await loop.perform {
            let context = ProviderContext(
                loop: loop, client: HTTPClient(loop: loop), parser: JSONParser(), answers: budget)
            return Running(model, isStream: ending.isStream, context)
        }
        let result: Result<Void, any Error>
        do { result = .success(try await body(budget, goOn, running, loop)) } catch { result = .failure(error) }
        goOn.signal()
        await loop.perform { running.shutdown() }
        await loop.shutdown()
        try result.get()
    }
}

/// One attempt on its loop, as its caller sees it.
private final class Running: Sendable {
    private final class Sink: AnswerSink {
        let ends: AsyncStream<GenerationError?>.Continuation

        init(_ ends: AsyncStream<GenerationError?>.Continuation) { self.ends = ends }

        func receive(_ event: ChunkEvent) -> Demand { .more }

        func finish(_ result: Result<ChatResponse, GenerationError>) {
            switch result {
            case .success: ends.yield(nil)
            case .failure(let error): ends.yield(error)
            }
        }
    }

    private let parts: LoopBound<(context: ProviderContext, sink: Sink, attempt: ProviderAttempt)>
    private let ends: AsyncStream<GenerationError?>

    /// Starts an attempt; called on its loop.
    init(_ model: ConfiguredModel, isStream: Bool, _ context: ProviderContext) {
        let (ends, continuation) = AsyncStream.makeStream(of: GenerationError?.self)
        self.ends = ends
        let sink = Sink(continuation)
        let attempt = ProviderAttempt(
            model: model, request: ChatRequest(messages: [Message(role: .user, content: "hi")]), isStream: isStream,
            context: context, sink: sink)
        parts = LoopBound((context, sink, attempt), on: context.loop)
        attempt.start()
    }

    /// The error that the attempt ends with; `nil` for success.
    var failure: GenerationError? {
        get async {
            for await end in ends { return end }
            return nil
        }
    }

    /// Called on the loop.
    func cancel() { parts.value.attempt.cancel() }

    /// Called on the loop.
    func shutdown() { parts.value.context.client.shutdown() }
}
