internal import EventLoop
internal import Generation
internal import Providers

/// The innermost stage: sends the request to one model once, and adds the attempt to the record.
struct AttemptStage: Answerer {
    let model: ConfiguredModel

    func answer(_ job: Job, into sink: any AnswerSink) -> any AnswerSource { AttemptRun(model, job, sink) }
}

private final class AttemptRun: AnswerSource, AnswerSink {
    private let model: ConfiguredModel
    private let job: Job
    private unowned let sink: any AnswerSink
    /// The receiver of every chunk, looked up once: usually the caller's sink, which may have been released.
    private weak var pieces: (any AnswerSink)?
    private var attempt: (any UpstreamAttempt)?
    private var since = Instant.boot
    private var hasContent = false
    private var deliveredBytes = 0

    init(_ model: ConfiguredModel, _ job: Job, _ sink: any AnswerSink) {
        self.model = model
        self.job = job
        self.sink = sink
        pieces = sink.pieceSink
    }

    func start() {
        since = job.loop.scheduler.instant
        let attempt = job.loop.upstream.attempt(at: model, job.question, isStream: job.isStream, into: self)
        self.attempt = attempt
        attempt.start()
    }

    func resume() { attempt?.resume() }

    var bodyBytes: Int { attempt?.bodyBytes ?? 0 }

    func cancel(_ cause: CancelCause) {
        guard let attempt else { return }
        self.attempt = nil
        attempt.cancel(cause)
        record(cause.error, attempt, usage: attempt.partialUsage)
    }

    func receive(_ event: ChunkEvent) -> Demand {
        if !hasContent {
            hasContent = true
            job.record.firstContentAt = job.loop.scheduler.instant
        }
        switch event {
        case .text(let text), .reasoning(let text): deliveredBytes += text.utf8.count
        case .toolCall(let delta): deliveredBytes += delta.argumentsJSONDelta.utf8.count
        case .part: break
        }
        return pieces?.receive(event) ?? .pause
    }

    func finish(_ result: Result<ChatResponse, GenerationError>) {
        guard let attempt else { return }
        self.attempt = nil
        switch result {
        case .success(let response):
            // The message of a streamed response is empty.
            deliveredBytes += response.message.generatedBytes
            record(nil, attempt, usage: response.completion.usage)
        case .failure(let error):
            record(error, attempt, usage: attempt.partialUsage)
            job.record.lastError = error
        }
        sink.finish(result)
    }

    private func record(_ error: GenerationError?, _ attempt: any UpstreamAttempt, usage: Usage) {
        let elapsed = job.loop.scheduler.instant - since
        job.record.upstreamTime = job.record.upstreamTime + elapsed
        job.record.answerBytes += deliveredBytes
        job.record.connectMicroseconds = attempt.connectMicroseconds
        job.record.authMicroseconds = attempt.authMicroseconds
        for sending in attempt.repeatedSendings {
            job.record.add(
                sending.error, at: model, httpStatus: sending.httpStatus,
                duration: .microseconds(UInt64(max(0, sending.microseconds))), isRepeated: true)
        }
        job.record.add(
            error, at: model, httpStatus: attempt.httpStatus, duration: elapsed,
            usage: usage.source == .absent && hasContent && deliveredBytes > 0 ? estimatedUsage : usage)
    }

    /// Estimated usage of an attempt that delivered content but has no reported usage, for example a cancelled stream.
    /// The vendor bills it all the same.
    private var estimatedUsage: Usage {
        var usage = Usage()
        usage.inputTokens = job.question.estimatedTokens
        usage.outputTokens = max(1, deliveredBytes / 4)
        usage.totalTokens = usage.inputTokens + usage.outputTokens
        usage.source = .estimated
        return usage
    }
}

extension Message {
    /// Bytes of generated text, reasoning and tool arguments.
    fileprivate var generatedBytes: Int {
        toolCalls.reduce(content.utf8.count + reasoning.utf8.count) { $0 + $1.argumentsJSON.utf8.count }
    }
}
