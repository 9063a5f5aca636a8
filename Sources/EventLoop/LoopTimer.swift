/// A one-shot timer that its owner keeps and re-uses. Schedule it with `EventLoop.schedule`.
///
/// Scheduling and cancelling cost a few pointer moves, so a timer a request is fine; for a deadline that moves with
/// every chunk, note the time of the last chunk and check it when the timer fires.
public final class LoopTimer {
    let handler: () -> Void
    // The wheel's intrusive list: the slot and `next` keep a scheduled timer alive.
    var next: LoopTimer?
    unowned(unsafe) var previous: LoopTimer?
    var slot = -1
    var deadlineTick: UInt64 = 0

    /// A timer that calls `handler` on the loop each time it fires.
    public init(_ handler: @escaping () -> Void) {
        self.handler = handler
    }

    /// Whether the timer is waiting to fire.
    public var isScheduled: Bool { slot >= 0 }
}
