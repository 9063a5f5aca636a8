internal import Glibc

/// The owner of a channel: what speaks a protocol over it. Called on the loop only.
public protocol ChannelOwner: AnyObject {
    /// Bytes, or the end, can be read: call `Channel.read` once; what is left is reported again. A hang-up is reported
    /// even where reading is paused, since what the peer sent before it is still there.
    func channelIsReadable(_ channel: Channel)
    /// Output was handed to the kernel, all of it or what it took; `Channel.waitingBytes` still waits.
    func channelDidFlush(_ channel: Channel)
    /// The socket is closed. Called exactly once, whoever ended it.
    func channelDidEnd(_ channel: Channel, _ end: Channel.End)
}

/// One connected, non-blocking socket on one loop: its descriptor, its output, what it waits for, and its end.
///
/// Everything that one batch of the loop's turn appends leaves in one write at the batch's end. Reading never waits for
/// writing. The channel alone closes the descriptor, by one way only, and lets go of its owner then.
public final class Channel: ReadinessHandler, TurnEndHandler {
    /// Why a channel ended.
    public enum End: Sendable, Equatable {
        /// The owner closed it.
        case closed
        /// The peer closed it, or reading failed: nobody waits for output any more.
        case peerClosed
        /// The kernel does not take output any more.
        case broken(SystemError)
        /// The loop was shut down.
        case loopStopped
    }

    private enum State {
        case open
        /// Nothing more is read; ends when the output is out.
        case closing
        case ended
    }

    /// The loop that it belongs to.
    public let loop: EventLoop
    private let descriptor: Int32
    private var owner: (any ChannelOwner)?
    private var registration: Registration?
    private var output = OutputBuffer()
    private var state = State.open
    private var isFlushScheduled = false
    /// Ends a channel that is closing and whose peer does not read.
    private var closeTimer: LoopTimer?

    /// Whether the peer's bytes are wanted. Costs nothing where it does not change.
    public var isReading: Bool {
        didSet { if isReading != oldValue { updateInterest() } }
    }

    /// A channel that does not report anything yet. Takes over `descriptor`, which is connected and does not block.
    public init(_ descriptor: Int32, on loop: EventLoop, isReading: Bool = true) {
        self.descriptor = descriptor
        self.loop = loop
        self.isReading = isReading
    }

    deinit { if registration == nil, state != .ended { Glibc.close(descriptor) } }

    /// Begins to report to `owner`, which it holds until the end.
    /// - Throws: `SystemError` where the loop does not take the socket, which is closed then; the owner hears nothing.
    public func start(_ owner: any ChannelOwner) throws(SystemError) {
        do {
            registration = try loop.register(descriptor, isReading ? .readable : [], self)
            self.owner = owner
        } catch {
            state = .ended
            Glibc.close(descriptor)
            throw error
        }
    }

    // MARK: - Input

    /// The socket is ready.
    public func ready(_ readiness: Readiness) {
        if readiness.contains(.writable) { flush() }
        switch state {
        case .open:
            if readiness.contains(.hangup) || isReading && readiness.contains(.readable) {
                owner?.channelIsReadable(self)
            }
        case .closing:
            // Nobody reads what is left of the output.
            if readiness.contains(.hangup) { end(.peerClosed) }
        case .ended: break
        }
    }

    /// Reads once. Returns how many bytes came; 0 where there are none now, or where the channel ended with this.
    public func read(into buffer: UnsafeMutableRawBufferPointer) -> Int {
        guard state == .open else { return 0 }
        let count = Glibc.read(descriptor, buffer.baseAddress, buffer.count)
        if count > 0 { return count }
        if count < 0, errno == EAGAIN || errno == EINTR { return 0 }
        end(.peerClosed)
        return 0
    }

    // MARK: - Output

    /// Bytes that the kernel has not taken yet.
    public var waitingBytes: Int { output.count }

    /// Appends `count` bytes of output for the caller to write, valid until the next append; `nil` where the channel has
    /// ended. They leave when the present batch of the loop is through.
    public func append(count: Int) -> UnsafeMutableRawBufferPointer? {
        guard state != .ended else { return nil }
        if !isFlushScheduled {
            isFlushScheduled = true
            loop.atTurnEnd(self)
        }
        return output.append(count: count)
    }

    /// Flushes what a batch produced.
    public func turnEnded() {
        isFlushScheduled = false
        flush()
    }

    /// Hands the output to the kernel now, as far as it takes it.
    public func flush() {
        guard state != .ended else { return }
        while !output.isEmpty {
            let bytes = output.readable
            let count = Glibc.send(descriptor, bytes.baseAddress, bytes.count, Int32(MSG_NOSIGNAL))
            if count > 0 {
                output.consume(count)
            } else if errno == EINTR {
                continue
            } else if errno == EAGAIN {
                break
            } else {
                return end(.broken(SystemError("send")))
            }
        }
        if output.isEmpty, state == .closing { return end(.closed) }
        updateInterest()
        owner?.channelDidFlush(self)
    }

    private func updateInterest() {
        guard let registration else { return }
        var interest: Interest = []
        if isReading, state == .open { interest.insert(.readable) }
        if !output.isEmpty { interest.insert(.writable) }
        try? loop.update(registration, interest)
    }

    // MARK: - End

    /// Reads no more, and closes when the output is out, at the latest after `patience`: a peer may not read.
    public func closeAfterFlush(within patience: TimeAmount) {
        guard state == .open else { return }
        state = .closing
        let timer = LoopTimer { [unowned self] in end(.closed) }
        closeTimer = timer
        loop.schedule(timer, after: patience)
        flush()
    }

    /// Closes at once; output that waits is dropped.
    public func close() { end(.closed) }

    /// The loop ends, and so does everything on it.
    public func loopStopped() { end(.loopStopped) }

    private func end(_ end: End) {
        guard state != .ended else { return }
        state = .ended
        if let registration {
            self.registration = nil
            loop.close(registration)
        } else {
            Glibc.close(descriptor)
        }
        if let closeTimer { loop.cancel(closeTimer) }
        closeTimer = nil
        output.removeAll()
        let owner = owner
        self.owner = nil
        owner?.channelDidEnd(self, end)
    }
}
