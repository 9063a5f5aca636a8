import EventLoop
import Generation
import HTTPClient
import JSON

@testable import Providers

/// One attempt from its start to its end, on a loop of its own.
struct AttemptRun: Sendable {
    var text = ""
    var warnings: [String] = []
    var error: GenerationError?
    var sendings: [RepeatedSending] = []

    /// - Parameter began: called on the loop once the attempt has started.
    static func run(
        _ model: ConfiguredModel, _ request: ChatRequest, isStream: Bool = false,
        began: @escaping @Sendable () -> Void = {}
    ) async throws -> AttemptRun {
        let loop = try EventLoop(label: "providers-test")
        let context = await loop.perform { () -> LoopBound<ProviderContext> in
            let client = HTTPClient(loop: loop)
            return LoopBound(ProviderContext(loop: loop, client: client, parser: JSONParser()), on: loop)
        }
        let run = await withCheckedContinuation { continuation in
            loop.execute {
                let sink = Sink { continuation.resume(returning: $0) }
                let attempt = ProviderAttempt(
                    model: model, request: request, isStream: isStream, context: context.value, sink: sink)
                sink.attempt = attempt
                attempt.start()
                began()
            }
        }
        await loop.perform { context.value.client.shutdown() }
        await loop.shutdown()
        return run
    }

    /// Holds the attempt until its end, and itself.
    private final class Sink: AnswerSink {
        var attempt: ProviderAttempt?
        private var this: Sink?
        private var run = AttemptRun()
        private let completion: (AttemptRun) -> Void

        init(_ completion: @escaping (AttemptRun) -> Void) {
            self.completion = completion
            this = self
        }

        func receive(_ event: ChunkEvent) -> Demand {
            if case .text(let text) = event { run.text += text }
            return .more
        }

        func finish(_ result: Result<ChatResponse, GenerationError>) {
            switch result {
            case .success(let response):
                run.text += response.message.content
                run.warnings = response.completion.warnings
            case .failure(let error): run.error = error
            }
            run.sendings = attempt?.repeatedSendings ?? []
            attempt = nil
            completion(run)
            this = nil
        }
    }
}
