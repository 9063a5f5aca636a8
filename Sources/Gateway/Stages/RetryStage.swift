internal import EventLoop
internal import Generation
internal import Providers

/// Retries failed attempts with one model, with backoff, within its policy and the caller's deadline. A call that has
/// delivered content is never retried.
struct RetryStage: Answerer {
    let policy: RetryPolicy
    let inner: any Answerer

    func answer(_ job: Job, into sink: any AnswerSink) -> any AnswerSource { RetryRun(policy, inner, job, sink) }
}

private final class RetryRun: AnswerSource, EndSink {
    private enum State {
        case idle
        case attempting(any AnswerSource)
        case backingOff(LoopTimer)
        case over
    }

    private let policy: RetryPolicy
    private let inner: any Answerer
    private let job: Job
    unowned let sink: any AnswerSink
    private var state = State.idle
    private var attempts = 0

    init(_ policy: RetryPolicy, _ inner: any Answerer, _ job: Job, _ sink: any AnswerSink) {
        self.policy = policy
        self.inner = inner
        self.job = job
        self.sink = sink
    }

    func start() {
        attempts += 1
        let attempt = inner.answer(job, into: self)
        state = .attempting(attempt)
        attempt.start()
    }

    func resume() {
        if case .attempting(let attempt) = state { attempt.resume() }
    }

    var bodyBytes: Int {
        if case .attempting(let attempt) = state { attempt.bodyBytes } else { 0 }
    }

    func cancel(_ cause: CancelCause) {
        let state = state
        self.state = .over
        switch state {
        case .attempting(let attempt): attempt.cancel(cause)
        case .backingOff(let timer): job.loop.scheduler.cancel(timer)
        case .idle, .over: break
        }
    }

    func finish(_ result: Result<ChatResponse, GenerationError>) {
        guard case .attempting = state else { return }
        guard case .failure(let error) = result, job.mayAttemptAgain,
            let delay = policy.delay(after: error, attempt: attempts, jitter: .random(in: 0...1)),
            job.hasTime(for: delay)
        else {
            state = .over
            sink.finish(result)
            return
        }
        let timer = LoopTimer { [weak self] in self?.start() }
        state = .backingOff(timer)
        job.loop.scheduler.schedule(timer, after: delay)
    }
}
