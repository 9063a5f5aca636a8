internal import Generation
internal import Providers

/// Resolves the model or route of a request and its fallbacks, and tries these targets in order until one succeeds.
struct RouteStage: Answerer {
    let catalog: Catalog

    func answer(_ job: Job, into sink: any AnswerSink) -> any AnswerSource { RouteRun(catalog, job, sink) }
}

private final class RouteRun: AnswerSource, EndSink {
    private enum State {
        /// `targets[index]` is the next target to try.
        case ready
        case answering(any AnswerSource)
        case over
    }

    private let catalog: Catalog
    private let job: Job
    unowned let sink: any AnswerSink
    private var state = State.ready
    private var targets: [Catalog.Target] = []
    private var index = 0
    /// True inside `proceed`. A target that fails in `start` is followed by the next iteration, not by recursion.
    private var isProceeding = false

    init(_ catalog: Catalog, _ job: Job, _ sink: any AnswerSink) {
        self.catalog = catalog
        self.job = job
        self.sink = sink
    }

    func start() {
        do throws(GenerationError) {
            targets = try catalog.resolve(job.question.model, fallbacks: job.question.fallbacks)
        } catch {
            return end(.failure(error))
        }
        proceed()
    }

    func resume() {
        if case .answering(let source) = state { source.resume() }
    }

    var bodyBytes: Int {
        if case .answering(let source) = state { source.bodyBytes } else { 0 }
    }

    func cancel(_ cause: CancelCause) {
        let state = state
        self.state = .over
        if case .answering(let source) = state { source.cancel(cause) }
    }

    func finish(_ result: Result<ChatResponse, GenerationError>) {
        guard case .answering = state else { return }
        guard case .failure(let error) = result, job.mayAttemptAgain, index + 1 < targets.count,
            error.kind.mayFallBack
        else { return end(result) }
        index += 1
        state = .ready
        proceed()
    }

    private func proceed() {
        guard !isProceeding else { return }
        isProceeding = true
        while case .ready = state {
            let target = targets[index]
            job.record.target = target.model
            let source = target.answerer.answer(job, into: self)
            state = .answering(source)
            source.start()
        }
        isProceeding = false
    }

    private func end(_ result: Result<ChatResponse, GenerationError>) {
        state = .over
        sink.finish(result)
    }
}

extension GenerationError.Kind {
    /// Whether another model may succeed. False for invalid requests and for calls that were cancelled.
    var mayFallBack: Bool {
        switch self {
        case .invalidRequest, .cancelled, .shuttingDown: false
        default: true
        }
    }
}
