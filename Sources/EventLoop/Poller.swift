internal import Dispatch

/// A ready descriptor, identified by the token it was added with.
struct ReadyEvent {
    var token: UInt64
    var readiness: Readiness
}

/// Reports kernel events to a loop. `EpollPoller` is fast, `PollPoller` is portable.
///
/// Called on the loop, except `wake`.
protocol Poller: AnyObject {
    /// Starts calling `turn` on `queue` when a descriptor is ready, the timer fires or `wake` is called.
    func start(on queue: DispatchQueue, turn: @escaping () -> Void)
    func add(_ fd: Int32, token: UInt64, interest: Interest) throws(SystemError)
    func modify(_ fd: Int32, token: UInt64, interest: Interest) throws(SystemError)
    /// Produces no more events with this token. The owner may close the descriptor as soon as this returns.
    func remove(_ fd: Int32, token: UInt64)
    /// Appends the ready descriptors. If there are none, waits for at most `waitMilliseconds`. Returns the number of reports, including wake-ups and timers.
    func collect(into events: inout [ReadyEvent], waitMilliseconds: Int32) -> Int
    /// Arms the timer to start a turn at `deadline`; `nil` disarms it.
    func setTimer(_ deadline: Instant?)
    /// Starts a turn soon. Safe from any thread.
    func wake()
    /// Stops all events. The poller cannot be restarted. `wake` may still be called and has no effect.
    func stop()
}

/// The poller implementation of a loop.
package enum PollerKind: Sendable, CaseIterable {
    /// One Dispatch read source over an epoll set.
    case epoll
    /// `poll(2)` on the loop's queue.
    case poll
}
