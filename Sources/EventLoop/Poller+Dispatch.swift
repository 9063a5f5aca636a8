internal import Dispatch
internal import Glibc

/// The portable poller: one Dispatch source per descriptor and direction. Slower than epoll, for systems without it.
final class DispatchPoller: Poller {
    /// The sources of one descriptor. They watch duplicates, because Dispatch requires a descriptor to stay open until
    /// its cancellation has finished, but owners such as libcurl close theirs at any time.
    private final class Watch {
        var reader: (any DispatchSourceRead)?
        var readerDescriptor: Int32?
        var writer: (any DispatchSourceWrite)?
        /// Sources whose cancellation has not finished, including those in use.
        private var sourceCount = 0
        /// The owner's descriptor, to be closed after the last source.
        private var closing: Int32?

        func begin() { sourceCount += 1 }

        /// A source's cancellation has finished: closes its duplicate and, after the last one, the owner's descriptor.
        func end(_ duplicate: Int32) {
            Glibc.close(duplicate)
            sourceCount -= 1
            closeIfUnwatched()
        }

        func close(_ descriptor: Int32) {
            closing = descriptor
            closeIfUnwatched()
        }

        private func closeIfUnwatched() {
            guard sourceCount == 0, let descriptor = closing else { return }
            closing = nil
            Glibc.close(descriptor)
        }
    }

    private var queue: DispatchQueue?
    private var turn: () -> Void = {}
    private var watches: [UInt64: Watch] = [:]
    private var pending: [ReadyEvent] = []
    /// Readers whose peer has hung up; reported in each turn until they are cancelled.
    private var hangups: [(token: UInt64, own: Int32)] = []
    private var timer: (any DispatchSourceTimer)?
    // Written once in `start`, before any other thread has access to the loop.
    nonisolated(unsafe) private var wakeSource: (any DispatchSourceUserDataAdd)?

    func start(on queue: DispatchQueue, turn: @escaping () -> Void) {
        self.queue = queue
        self.turn = turn
        let source = DispatchSource.makeUserDataAddSource(queue: queue)
        source.setEventHandler { [unowned self] in
            repeatHangups()
            turn()
        }
        source.activate()
        wakeSource = source
    }

    func add(_ fd: Int32, token: UInt64, interest: Interest) throws(SystemError) {
        let watch = Watch()
        watches[token] = watch
        try apply(interest, to: watch, fd: fd, token: token)
    }

    func modify(_ fd: Int32, token: UInt64, interest: Interest) throws(SystemError) {
        guard let watch = watches[token] else { throw SystemError("modify", code: ENOENT) }
        try apply(interest, to: watch, fd: fd, token: token)
    }

    func remove(_ fd: Int32, token: UInt64, closing: Bool) {
        guard let watch = watches.removeValue(forKey: token) else { return }
        watch.reader?.cancel()
        watch.writer?.cancel()
        pending.removeAll { $0.token == token }
        if closing { watch.close(fd) }
    }

    func collect(into events: inout [ReadyEvent], waitMilliseconds: Int32) -> Int {
        let count = pending.count
        events.append(contentsOf: pending)
        pending.removeAll(keepingCapacity: true)
        return count
    }

    func setTimer(_ deadline: Instant?) {
        guard let deadline else {
            timer?.cancel()
            timer = nil
            return
        }
        let timer = self.timer ?? makeTimer()
        self.timer = timer
        let delay = Int(clamping: (deadline - .now()).nanoseconds)
        timer?.schedule(deadline: .now() + .nanoseconds(delay), leeway: .nanoseconds(0))
    }

    func wake() { wakeSource?.add(data: 1) }

    func stop() {
        for watch in watches.values {
            watch.reader?.cancel()
            watch.writer?.cancel()
        }
        watches.removeAll()
        timer?.cancel()
        timer = nil
        wakeSource?.cancel()
    }

    private func makeTimer() -> (any DispatchSourceTimer)? {
        let timer = DispatchSource.makeTimerSource(queue: queue)
        timer.setEventHandler(handler: turn)
        timer.activate()
        return timer
    }

    private func apply(_ interest: Interest, to watch: Watch, fd: Int32, token: UInt64) throws(SystemError) {
        if interest.contains(.readable) {
            if watch.reader == nil {
                let own = try duplicate(fd)
                let source = DispatchSource.makeReadSource(fileDescriptor: own, queue: queue)
                source.setEventHandler { [unowned self] in
                    let isEnd = watch.reader?.data == 0
                    report(.readable, token)
                    if isEnd { noteHangup(own, token) }
                }
                source.setCancelHandler { watch.end(own) }
                watch.begin()
                source.activate()
                watch.reader = source
                watch.readerDescriptor = own
            }
        } else {
            watch.reader?.cancel()
            watch.reader = nil
            watch.readerDescriptor = nil
        }
        if interest.contains(.writable) {
            if watch.writer == nil {
                let own = try duplicate(fd)
                let source = DispatchSource.makeWriteSource(fileDescriptor: own, queue: queue)
                source.setEventHandler { [unowned self] in report(.writable, token) }
                source.setCancelHandler { watch.end(own) }
                watch.begin()
                source.activate()
                watch.writer = source
            }
        } else {
            watch.writer?.cancel()
            watch.writer = nil
        }
    }

    private func report(_ readiness: Readiness, _ token: UInt64) {
        // A source may fire once more before its cancellation takes effect on the queue.
        guard watches[token] != nil else { return }
        pending.append(ReadyEvent(token: token, readiness: readiness))
        turn()
    }

    /// Records a hang-up, after which Dispatch reports nothing more, even if bytes or the end of the stream are unread.
    /// - Parameter own: the duplicate that this reader watches; each reader has its own.
    private func noteHangup(_ own: Int32, _ token: UInt64) {
        var state = pollfd(fd: own, events: 0, revents: 0)
        guard watches[token]?.readerDescriptor == own, poll(&state, 1, 0) == 1, Int32(state.revents) & POLLHUP != 0
        else { return }
        hangups.append((token, own))
        wake()
    }

    private func repeatHangups() {
        guard !hangups.isEmpty else { return }
        hangups = hangups.filter { watches[$0.token]?.readerDescriptor == $0.own }
        for hangup in hangups { pending.append(ReadyEvent(token: hangup.token, readiness: [.readable, .hangup])) }
        if !hangups.isEmpty { wake() }
    }

    private func duplicate(_ fd: Int32) throws(SystemError) -> Int32 {
        let own = fcntl(fd, F_DUPFD_CLOEXEC, 0)
        guard own >= 0 else { throw SystemError("dup") }
        return own
    }
}
