package import EventLoop
internal import Generation
package import Providers

/// Answers jobs: every stage of the gateway, down to the attempt itself. A stage does its part and hands the job to the
/// answerer inside it. One object serves all loops and calls of a configuration; what belongs to a call is in the
/// source that it makes.
package protocol Answerer: Sendable {
    /// A source that `AnswerSource.start` sets going. It refers to `sink` unowned: the stage that asks holds the source,
    /// and nobody else does. `AnswerRun`, the outermost source, holds the caller's sink weakly.
    func answer(_ job: Job, into sink: any AnswerSink) -> any AnswerSource
}

/// The sink of a stage that looks at ends only: pieces bypass it.
protocol EndSink: AnswerSink {
    /// The sink behind the stage.
    var sink: any AnswerSink { get }
}

extension EndSink {
    package var pieceSink: any AnswerSink { sink.pieceSink }
    package func receive(_ event: ChunkEvent) -> Demand { sink.receive(event) }
}

/// Time and timers, as stages see them: those of the event loop, or of a test.
package protocol Scheduler: AnyObject {
    /// The monotonic clock right now, in nanoseconds.
    var instant: UInt64 { get }
    /// Fires `timer` once, `delay` nanoseconds from now.
    func schedule(_ timer: LoopTimer, afterNanoseconds delay: UInt64)
    /// Keeps `timer` from firing.
    func cancel(_ timer: LoopTimer)
}

extension EventLoop: Scheduler {
    package var instant: UInt64 { Self.monotonicNanoseconds() }
}
