internal import Dispatch

/// One ready descriptor, by the token it was added with.
struct ReadyEvent {
    var token: UInt64
    var readiness: Readiness
}

/// How a loop hears from the kernel. `EpollPoller` is the fast one; `DispatchPoller` is the portable one.
///
/// All calls but `wake` are made on the loop.
protocol Poller: AnyObject {
    /// Begins to call `turn` on `queue` whenever something is ready, the timer fired or somebody woke the loop.
    func start(on queue: DispatchQueue, turn: @escaping () -> Void)
    func add(_ fd: Int32, token: UInt64, interest: Interest) throws(SystemError)
    func modify(_ fd: Int32, token: UInt64, interest: Interest) throws(SystemError)
    /// After this no event with this token is produced. Closes the descriptor where asked to, as soon as nothing of the
    /// poller's watches it; where not, its owner may do so at once.
    func remove(_ fd: Int32, token: UInt64, closing: Bool)
    /// Appends what is ready now; where nothing is, waits for at most so many milliseconds, or not at all where the
    /// poller cannot. Returns how many reports there were, wake-ups and timers included.
    func collect(into events: inout [ReadyEvent], waitMilliseconds: Int32) -> Int
    /// Fires one turn at `deadline`; `nil` disarms.
    func setTimer(_ deadline: Instant?)
    /// Makes a turn happen soon. Safe from any thread.
    func wake()
    /// Ends all events. The poller is of no use afterwards.
    func stop()
}

/// Which poller a loop uses.
public enum PollerKind: Sendable, CaseIterable {
    /// One Dispatch read source over an epoll set.
    case epoll
    /// A Dispatch source a descriptor and direction.
    case dispatch
}
