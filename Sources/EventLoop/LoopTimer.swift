/// A reusable one-shot timer. Schedule it with `EventLoop.schedule(_:after:)`.
///
/// Scheduling and cancelling cost a few pointer updates, so one timer per request is fine. For a deadline that moves
/// with every chunk, store the time of the last chunk and check it when the timer fires.
package final class LoopTimer {
    let handler: () -> Void
    // The wheel's intrusive list: its slot and `next` retain a scheduled timer.
    var next: LoopTimer?
    unowned(unsafe) var previous: LoopTimer?
    var slot = -1
    var deadlineTick: UInt64 = 0

    /// Creates an unscheduled timer that calls `handler` on the loop each time it fires.
    package init(_ handler: @escaping () -> Void) {
        self.handler = handler
    }

    /// Whether the timer is waiting to fire.
    package var isScheduled: Bool { slot >= 0 }
}
