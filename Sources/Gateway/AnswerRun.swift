package import EventLoop
package import Generation
package import Providers

/// One call in progress, returned by `Gateway.answer`. As the outermost source, it completes the record and passes it
/// to the observers before the caller's sink receives the result.
package final class AnswerRun: AnswerSource, AnswerSink {
    private let job: Job
    private let stages: any Answerer
    private weak var sink: (any AnswerSink)?
    private var source: (any AnswerSource)?
    private var isOver = false

    init(_ job: Job, through stages: any Answerer, into sink: any AnswerSink) {
        self.job = job
        self.stages = stages
        self.sink = sink
    }

    package func start() {
        guard !isOver else { return }
        do throws(GenerationError) {
            try job.question.check()
        } catch {
            return finish(.failure(error))
        }
        let source = stages.answer(job, into: self)
        self.source = source
        source.start()
    }

    package func resume() { source?.resume() }

    package var bodyBytes: Int { source?.bodyBytes ?? 0 }

    package func cancel(_ cause: CancelCause) {
        guard !isOver else { return }
        let source = source
        self.source = nil
        source?.cancel(cause)
        end(.cancelled(cause))
    }

    /// Cancels the call because its deadline passed.
    /// - Returns: the error to report, with the attempts made and the last attempt's error.
    package func expire() -> GenerationError {
        cancel(.deadline)
        var error = CancelCause.deadline.error
        if let lastError = job.record.lastError {
            error.message += " (the last attempt failed: \(lastError.message))"
        }
        job.record.complete(&error)
        return error
    }

    package var pieceSink: any AnswerSink { sink?.pieceSink ?? self }

    package func receive(_ event: ChunkEvent) -> Demand { sink?.receive(event) ?? .pause }

    package func finish(_ result: Result<ChatResponse, GenerationError>) {
        guard !isOver else { return }
        source = nil
        switch result {
        case .success(var response):
            end(.success)
            job.record.complete(&response.completion)
            sink?.finish(.success(response))
        case .failure(var error):
            end(.failure(error.kind))
            job.record.complete(&error)
            sink?.finish(.failure(error))
        }
    }

    private func end(_ outcome: CallRecord.Outcome) {
        isOver = true
        job.record.endedAt = job.loop.scheduler.instant
        job.record.outcome = outcome
        job.loop.ended(job.record)
    }
}
