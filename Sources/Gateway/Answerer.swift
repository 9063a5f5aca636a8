package import EventLoop
internal import Generation
package import Providers

/// A stage of the gateway, such as routing, retries or the attempt itself. A stage passes the job on to the next inner
/// stage. One object serves all loops and calls of a configuration; per-call state is in the source that it returns.
package protocol Answerer: Sendable {
    /// Returns a source for `job`; `AnswerSource.start` starts it. The source holds `sink` unowned: the calling stage
    /// is the source's only owner. `AnswerRun`, the outermost source, holds the caller's sink weakly.
    func answer(_ job: Job, into sink: any AnswerSink) -> any AnswerSource
}

/// The sink of a stage that handles only the result of an attempt: chunks bypass it.
protocol EndSink: AnswerSink {
    /// The sink of the enclosing stage, or the caller's.
    var sink: any AnswerSink { get }
}

extension EndSink {
    package var pieceSink: any AnswerSink { sink.pieceSink }
    package func receive(_ event: ChunkEvent) -> Demand { sink.receive(event) }
}

/// The clock and timers that stages use: the event loop's, or a test's.
package protocol Scheduler: AnyObject {
    /// The current time.
    var instant: Instant { get }
    /// Fires `timer` once, `delay` from now.
    func schedule(_ timer: LoopTimer, after delay: TimeAmount)
    /// Cancels `timer`; does nothing if it is not scheduled.
    func cancel(_ timer: LoopTimer)
}

extension EventLoop: Scheduler {
    package var instant: Instant { .now() }
}
