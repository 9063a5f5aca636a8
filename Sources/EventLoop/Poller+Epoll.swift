internal import CLinux
internal import Dispatch
internal import Glibc

/// Watches an epoll set with one Dispatch read source: the queue wakes once for any number of ready descriptors, and
/// the turn drains the set without returning to Dispatch.
final class EpollPoller: Poller {
    // Tokens of the poller's own descriptors. Registrations never have generation UInt32.max.
    private static let wakeToken = UInt64.max
    private static let timerToken = UInt64.max - 1

    private let epoll: Int32
    private let wakeup: Int32
    private let timer: Int32
    private var source: (any DispatchSourceRead)?
    private let scratch = UnsafeMutableBufferPointer<gw_epoll_event>.allocate(capacity: 256)

    init() throws(SystemError) {
        epoll = gw_epoll_create()
        guard epoll >= 0 else { throw SystemError("epoll_create1") }
        wakeup = gw_eventfd()
        timer = gw_timerfd()
        guard wakeup >= 0, timer >= 0,
            gw_epoll_add(epoll, wakeup, GW_EPOLLIN, Self.wakeToken) == 0,
            gw_epoll_add(epoll, timer, GW_EPOLLIN, Self.timerToken) == 0
        else {
            let error = SystemError("eventfd/timerfd")
            for fd in [epoll, wakeup, timer] where fd >= 0 { close(fd) }
            throw error
        }
    }

    // Not in `stop`: another thread that has just decided to wake the loop may still write to `wakeup`.
    deinit {
        scratch.deallocate()
        for fd in [epoll, wakeup, timer] { close(fd) }
    }

    func start(on queue: DispatchQueue, turn: @escaping () -> Void) {
        let source = DispatchSource.makeReadSource(fileDescriptor: epoll, queue: queue)
        source.setEventHandler(handler: turn)
        // Dispatch may use the descriptor until the cancellation has finished, so the handler retains this poller.
        source.setCancelHandler { withExtendedLifetime(self) {} }
        source.activate()
        self.source = source
    }

    func add(_ fd: Int32, token: UInt64, interest: Interest) throws(SystemError) {
        guard gw_epoll_add(epoll, fd, Self.mask(interest), token) == 0 else { throw SystemError("epoll_ctl add") }
    }

    func modify(_ fd: Int32, token: UInt64, interest: Interest) throws(SystemError) {
        guard gw_epoll_modify(epoll, fd, Self.mask(interest), token) == 0 else {
            throw SystemError("epoll_ctl modify")
        }
    }

    func remove(_ fd: Int32, token: UInt64) {
        // Fails only if the owner closed the descriptor first, which also removed it from the set.
        _ = gw_epoll_remove(epoll, fd)
    }

    func collect(into events: inout [ReadyEvent], waitMilliseconds: Int32) -> Int {
        let count = Int(gw_epoll_poll(epoll, scratch.baseAddress, Int32(scratch.count), waitMilliseconds))
        guard count > 0 else { return 0 }
        var appended = 0
        for event in scratch.prefix(count) {
            switch event.token {
            case Self.wakeToken: drain(wakeup)
            case Self.timerToken: drain(timer)
            default:
                var readiness: Readiness = []
                if event.events & (GW_EPOLLIN | GW_EPOLLRDHUP) != 0 { readiness.insert(.readable) }
                if event.events & GW_EPOLLOUT != 0 { readiness.insert(.writable) }
                if event.events & (GW_EPOLLERR | GW_EPOLLHUP) != 0 { readiness.insert(.hangup) }
                events.append(ReadyEvent(token: event.token, readiness: readiness))
            }
            appended += 1
        }
        return appended
    }

    func setTimer(_ deadline: Instant?) {
        // 0 would disarm the timer; a deadline in the past fires immediately, as intended.
        _ = gw_timerfd_set(timer, deadline.map { max($0.nanoseconds, 1) } ?? 0)
    }

    func wake() {
        var one: UInt64 = 1
        _ = write(wakeup, &one, 8)
    }

    func stop() {
        source?.cancel()
        source = nil
    }

    private func drain(_ fd: Int32) {
        var count: UInt64 = 0
        _ = read(fd, &count, 8)
    }

    private static func mask(_ interest: Interest) -> UInt32 {
        var mask: UInt32 = 0
        if interest.contains(.readable) { mask |= GW_EPOLLIN | GW_EPOLLRDHUP }
        if interest.contains(.writable) { mask |= GW_EPOLLOUT }
        return mask
    }
}
