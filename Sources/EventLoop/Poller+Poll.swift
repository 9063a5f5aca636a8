internal import Dispatch
internal import Glibc

/// The portable poller: waits in `poll(2)` on the loop's own queue, which it therefore occupies until `stop`. Each wait
/// costs time in proportion to the number of descriptors; for systems without epoll.
///
/// Dispatch sources, one per descriptor and direction, would be the obvious alternative. They are not used because
/// libdispatch on Linux can crash when many sources are created and cancelled quickly
/// (swiftlang/swift-corelibs-libdispatch#949).
final class PollPoller: Poller {
    /// The descriptors to poll. The first one is the read end of the wake-up pipe.
    private var polled: [pollfd]
    /// The token of each element of `polled`; that of the pipe is unused.
    private var tokens: [UInt64] = [.max]
    private var indices: [UInt64: Int] = [:]
    private var deadline: Instant?
    private var isStopped = false
    private let wakeReader: Int32
    private let wakeWriter: Int32

    init() throws(SystemError) {
        var ends: [Int32] = [-1, -1]
        guard pipe(&ends) == 0 else { throw SystemError("pipe") }
        for end in ends {
            // Cannot fail for a valid descriptor and these commands.
            _ = fcntl(end, F_SETFD, FD_CLOEXEC)
            _ = fcntl(end, F_SETFL, O_NONBLOCK)
        }
        wakeReader = ends[0]
        wakeWriter = ends[1]
        polled = [pollfd(fd: wakeReader, events: Int16(POLLIN), revents: 0)]
    }

    deinit {
        close(wakeReader)
        close(wakeWriter)
    }

    func start(on queue: DispatchQueue, turn: @escaping () -> Void) {
        let run = DispatchWorkItem { [self] in
            while !isStopped {
                _ = wait(milliseconds: -1)
                turn()
            }
        }
        queue.async(execute: run)
    }

    func add(_ fd: Int32, token: UInt64, interest: Interest) throws(SystemError) {
        // `poll` itself would accept anything and report an invalid descriptor forever.
        guard fcntl(fd, F_GETFD) >= 0 else { throw SystemError("poll") }
        indices[token] = polled.count
        polled.append(pollfd(fd: fd, events: Self.mask(interest), revents: 0))
        tokens.append(token)
    }

    func modify(_ fd: Int32, token: UInt64, interest: Interest) throws(SystemError) {
        guard let index = indices[token] else { throw SystemError("modify", code: ENOENT) }
        polled[index].events = Self.mask(interest)
    }

    func remove(_ fd: Int32, token: UInt64) {
        guard let index = indices.removeValue(forKey: token) else { return }
        polled.swapAt(index, polled.count - 1)
        tokens.swapAt(index, tokens.count - 1)
        polled.removeLast()
        tokens.removeLast()
        if index < tokens.count { indices[tokens[index]] = index }
    }

    func collect(into events: inout [ReadyEvent], waitMilliseconds: Int32) -> Int {
        guard wait(milliseconds: waitMilliseconds) else { return 0 }
        var reported = 0
        if polled[0].revents != 0 {
            drainPipe()
            reported += 1
        }
        for index in polled.indices.dropFirst() where polled[index].revents != 0 {
            let occurred = Int32(polled[index].revents)
            var readiness: Readiness = []
            if occurred & POLLIN != 0 { readiness.insert(.readable) }
            if occurred & POLLOUT != 0 { readiness.insert(.writable) }
            if occurred & (POLLERR | POLLHUP | POLLNVAL) != 0 { readiness.insert(.hangup) }
            events.append(ReadyEvent(token: tokens[index], readiness: readiness))
            reported += 1
        }
        return reported
    }

    func setTimer(_ deadline: Instant?) { self.deadline = deadline }

    func wake() {
        var byte: UInt8 = 1
        // Fails only if the pipe is full, and then the poller wakes up anyway.
        _ = write(wakeWriter, &byte, 1)
    }

    func stop() {
        isStopped = true
        wake()
    }

    /// Polls until a descriptor is ready, the timer's deadline or the end of the wait. Returns whether a descriptor is
    /// ready.
    /// - Parameter milliseconds: the longest wait; -1 to wait for as long as it takes.
    private func wait(milliseconds: Int32) -> Bool {
        var timeout = milliseconds
        if let deadline, timeout != 0 {
            let remaining = (deadline - .now()).nanoseconds
            // Rounded up, or the poller would return just before the deadline and poll again and again.
            let untilDeadline = Int32(clamping: max(0, remaining + 999_999) / 1_000_000)
            timeout = timeout < 0 ? untilDeadline : min(timeout, untilDeadline)
        }
        return poll(&polled, nfds_t(polled.count), timeout) > 0
    }

    private func drainPipe() {
        withUnsafeTemporaryAllocation(byteCount: 64, alignment: 1) { bytes in
            while read(wakeReader, bytes.baseAddress, bytes.count) == bytes.count {}
        }
    }

    private static func mask(_ interest: Interest) -> Int16 {
        var mask: Int32 = 0
        if interest.contains(.readable) { mask |= POLLIN }
        if interest.contains(.writable) { mask |= POLLOUT }
        return Int16(mask)
    }
}
