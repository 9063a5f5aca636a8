internal import Glibc

/// The owner of a channel, which implements a protocol over it. Called on the loop.
package protocol ChannelOwner: AnyObject {
    /// Bytes or the end of the stream can be read. Call `Channel.read` once; remaining bytes are reported again. A
    /// hang-up is reported even if reading is paused, because bytes that the peer sent before it are still readable.
    func channelIsReadable(_ channel: Channel)
    /// The kernel accepted output; `Channel.waitingBytes` bytes are still waiting.
    func channelDidFlush(_ channel: Channel)
    /// The socket is closed. Called exactly once, whether the owner, the peer or the loop ended the channel.
    func channelDidEnd(_ channel: Channel, _ end: Channel.End)
}

/// A connected, non-blocking socket on one loop. Manages its descriptor, output buffer, registration and closing.
///
/// All output appended during one batch of the loop's turn is sent in one write at the end of the batch. Reading never
/// waits for writing. Only the channel closes the descriptor, in one place, and releases its owner then.
package final class Channel: ReadinessHandler, TurnEndHandler {
    /// Why a channel ended.
    package enum End: Sendable, Equatable {
        /// The owner closed it.
        case closed
        /// The peer closed it, or reading failed; waiting output is dropped.
        case peerClosed
        /// Sending failed.
        case broken(SystemError)
        /// The loop was shut down.
        case loopStopped
    }

    private enum State {
        case open
        /// No longer reading; ends once the output is sent.
        case closing
        case ended
    }

    /// The loop that the channel is confined to.
    package let loop: EventLoop
    private let descriptor: Int32
    private var owner: (any ChannelOwner)?
    private var registration: Registration?
    private var output = OutputBuffer()
    private var state = State.open
    private var isFlushScheduled = false
    /// Ends a closing channel whose peer does not read.
    private var closeTimer: LoopTimer?

    /// Whether the channel reports readable bytes. Setting the current value costs nothing.
    package var isReading: Bool {
        didSet { if isReading != oldValue { updateInterest() } }
    }

    /// Creates a channel that reports nothing before `start`. Takes ownership of `descriptor`, which must be connected
    /// and non-blocking.
    package init(_ descriptor: Int32, on loop: EventLoop, isReading: Bool = true) {
        self.descriptor = descriptor
        self.loop = loop
        self.isReading = isReading
    }

    deinit { if registration == nil, state != .ended { Glibc.close(descriptor) } }

    /// Starts reporting to `owner`, which the channel retains until it ends.
    /// - Throws: `SystemError` if the loop cannot register the socket, which is then closed without a call of the
    ///   owner.
    package func start(_ owner: any ChannelOwner) throws(SystemError) {
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

    /// Called by the loop.
    package func ready(_ readiness: Readiness) {
        if readiness.contains(.writable) { flush() }
        switch state {
        case .open:
            if readiness.contains(.hangup) || isReading && readiness.contains(.readable) {
                owner?.channelIsReadable(self)
            }
        case .closing:
            // The peer will not read the remaining output.
            if readiness.contains(.hangup) { end(.peerClosed) }
        case .ended: break
        }
    }

    /// Reads once. Returns the number of bytes read; 0 if none are available or if the channel has just ended.
    package func read(into buffer: UnsafeMutableRawBufferPointer) -> Int {
        guard state == .open else { return 0 }
        let count = Glibc.read(descriptor, buffer.baseAddress, buffer.count)
        if count > 0 { return count }
        if count < 0, errno == EAGAIN || errno == EINTR { return 0 }
        end(.peerClosed)
        return 0
    }

    // MARK: - Output

    /// Bytes of output that the kernel has not accepted yet.
    package var waitingBytes: Int { output.count }

    /// Appends `count` bytes of output for the caller to fill in, valid until the next append; `nil` if the channel has
    /// ended. They are sent at the end of the loop's current batch.
    package func append(count: Int) -> UnsafeMutableRawBufferPointer? {
        guard state != .ended else { return nil }
        if !isFlushScheduled {
            isFlushScheduled = true
            loop.atTurnEnd(self)
        }
        return output.append(count: count)
    }

    /// Flushes the output of a batch; called by the loop.
    package func turnEnded() {
        isFlushScheduled = false
        flush()
    }

    /// Sends as much output as the kernel accepts now.
    package func flush() {
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

    /// Stops reading, and closes once the output is sent, or after `patience` if the peer does not read it.
    package func closeAfterFlush(within patience: TimeAmount) {
        guard state == .open else { return }
        state = .closing
        let timer = LoopTimer { [unowned self] in end(.closed) }
        closeTimer = timer
        loop.schedule(timer, after: patience)
        flush()
    }

    /// Closes immediately; drops waiting output.
    package func close() { end(.closed) }

    /// Ends the channel because the loop was shut down; called by the loop.
    package func loopStopped() { end(.loopStopped) }

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
