internal import EventLoop
internal import Limits

/// One client's connection to a server: combines its socket (`Channel`), authentication (`Admission`), memory account
/// (`RequestAccount`) and protocol (`TTRPCWire`). Confined to its loop.
///
/// Reading never waits for writing, so the server receives a cancellation even if the client reads nothing.
final class ServerConnection {
    private enum State {
        /// Not read yet, because the peer's address sent invalid tokens.
        case heldBack
        /// Nothing received yet.
        case fresh
        case serving
        /// No longer reading; the channel closes once its output is flushed.
        case closing
        case ended
    }

    /// Maximum bytes per read while frames are small. All calls of one read start together, while the loop's other
    /// connections wait.
    private static let smallRead = 4 << 10
    /// How long a closing connection waits for a peer that does not read its last output.
    static let closingTimeout = TimeAmount.seconds(1)

    let context: ServerLoop
    let channel: Channel
    var admission: Admission
    var account: RequestAccount
    /// The address under which the peer's invalid tokens are counted; `nil` for a Unix socket.
    let origin: TokenGuesses.Origin?
    private(set) lazy var wire = TTRPCWire(self)
    private var state = State.fresh
    private let acceptedAt: Instant
    /// Closes a stranger's connection, or starts reading one that was held back.
    private var strangerTimer: LoopTimer?
    /// Closes a connection whose current frame takes too long.
    private var frameTimer: LoopTimer?
    /// This connection's share of `ServerCore.output`, in bytes.
    private var countedOutput = 0

    /// Takes ownership of a connected socket.
    init(descriptor: Int32, peer: PeerIdentity, context: ServerLoop) {
        self.context = context
        channel = Channel(descriptor, on: context.loop)
        acceptedAt = context.loop.now
        admission = Admission(peer: peer, policy: context.server.policy) { PeerIdentity.groups(descriptor: descriptor) }
        account = RequestAccount(context.server)
        origin = peer == .network ? TokenGuesses.Origin(descriptor: descriptor) : nil
    }

    /// Starts reading. Returns `false`, with the socket closed, if the loop cannot register it.
    func start() -> Bool {
        let server = context.server
        let delay = isKnown ? .zero : origin.map { server.guessDelay($0, now: context.loop.now) } ?? .zero
        if delay > .zero {
            state = .heldBack
            channel.isReading = false
        }
        do {
            try channel.start(self)
        } catch {
            state = .ended
            return false
        }
        guard !isKnown else { return true }
        let timer = LoopTimer { [unowned self] in strangerIsDue() }
        strangerTimer = timer
        let limit = TimeAmount.nanoseconds(server.limits.strangerTimeoutNanoseconds)
        context.loop.schedule(timer, after: state == .heldBack ? delay : limit)
        return true
    }

    private func strangerIsDue() {
        guard state == .heldBack, let strangerTimer else { return channel.close() }
        beginReading()
        context.loop.schedule(strangerTimer, after: .nanoseconds(context.server.limits.strangerTimeoutNanoseconds))
    }

    /// Starts reading a connection that was held back.
    private func beginReading() {
        guard state == .heldBack else { return }
        state = .fresh
        channel.isReading = true
    }

    /// Ends the time limit for strangers, because the peer has authenticated.
    func endStrangerTimeout() {
        if let strangerTimer { context.loop.cancel(strangerTimer) }
        strangerTimer = nil
        beginReading()
    }

    /// Whether the peer may call, or has authenticated with a token.
    var isKnown: Bool { admission.isKnown }
    /// Whether the connection accepts frames.
    var isServing: Bool { state == .serving }
    /// The number of calls in progress.
    var activeCallCount: Int { wire.callCount }

    /// Whether a stranger is past its grace period, so that it may be closed in favor of another one.
    func makesRoom(now: Instant) -> Bool {
        state != .heldBack && now >= acceptedAt + ServerLimits.strangerGrace
    }

    // MARK: - Limits

    /// - Throws: `Failure` if the server or this connection cannot accept another call of `size` bytes now.
    func checkRoom(callCount: Int, for size: Int) throws(Failure) {
        let limits = context.server.limits
        if context.isDraining { throw .shuttingDown }
        guard callCount < limits.maxStreamsPerConnection else {
            throw Failure(.busy, "\(callCount) calls are in progress on this connection, which is the limit")
        }
        guard channel.waitingBytes <= limits.maxBufferedBytesPerConnection else {
            throw Failure(.busy, "\(channel.waitingBytes) bytes of responses are unread; read them before a new call")
        }
        if size > 0, let failure = account.overload(adding: size) { throw failure }
    }

    /// Limits the time of an incomplete frame, so that a peer cannot hold memory by sending slowly.
    /// - Parameter hasFrameEnded: whether a frame ended in the current read, so that the next one gets its full time.
    private func watchFrame(_ hasFrameEnded: Bool) {
        if wire.isMidFrame {
            guard frameTimer == nil || hasFrameEnded else { return }
            let timer = frameTimer ?? LoopTimer { [unowned self] in channel.close() }
            frameTimer = timer
            context.loop.schedule(timer, after: .nanoseconds(context.server.limits.frameTimeoutNanoseconds))
        } else {
            stopFrameTimer()
        }
    }

    private func stopFrameTimer() {
        guard let frameTimer else { return }
        context.loop.cancel(frameTimer)
        self.frameTimer = nil
    }

    /// Counts the output waiting for the peer. Returns whether the total of all connections is over its limit and this
    /// peer is not reading.
    private func isOverSharedOutput() -> Bool {
        let waiting = channel.waitingBytes
        guard waiting != countedOutput || waiting > 0 else { return false }
        let limits = context.server.limits
        let total = context.server.output.add(waiting - countedOutput)
        countedOutput = waiting
        return total > limits.maxBufferedBytes && waiting > limits.pauseBytes
    }

    // MARK: - End

    /// Cancels every call; responses of their handlers are still sent.
    func cancelAllCalls(_ reason: Call.CancelReason) {
        for call in wire.calls { call.cancel(reason) }
    }

    /// Closes immediately; drops waiting output.
    func close() { channel.close() }
}

extension ServerConnection: ChannelOwner {
    /// Reads once per event: readiness is level-triggered, so the rest is reported again after other connections.
    func channelIsReadable(_ channel: Channel) {
        // A connection that is held back only reports that its peer has disconnected.
        guard state != .heldBack else { return channel.close() }
        let wanted = min(context.scratch.count, max(Self.smallRead, wire.missingCount))
        let scratch = UnsafeMutableRawBufferPointer(rebasing: context.scratch[..<wanted])
        let count = channel.read(into: scratch)
        guard count > 0 else { return }
        if state == .fresh {
            guard TTRPCWire.mayBegin(with: scratch[0]) else { return channel.close() }
            state = .serving
        }
        let hasFrameEnded = wire.consume(UnsafeRawBufferPointer(rebasing: scratch[..<count]))
        if state == .serving { watchFrame(hasFrameEnded) }
    }

    func channelDidFlush(_ channel: Channel) {
        // A client that sends but never reads: beyond twice the limit, close without a status.
        guard channel.waitingBytes <= 2 * context.server.limits.maxBufferedBytesPerConnection, !isOverSharedOutput()
        else { return channel.close() }
        wire.didFlush()
    }

    func channelDidEnd(_ channel: Channel, _ end: Channel.End) {
        state = .ended
        stopFrameTimer()
        if let strangerTimer { context.loop.cancel(strangerTimer) }
        strangerTimer = nil
        context.server.output.add(-countedOutput)
        countedOutput = 0
        account.releasePartial()
        cancelAllCalls(.disconnected)
        context.closed(self)
    }
}

extension ServerConnection: CallSession {
    var peer: PeerIdentity { admission.peer }
    /// Whether the connection itself is authenticated.
    var mayCall: Bool { admission.mayCall }

    func hold(more bytes: Int) -> Failure? { account.add(bytes) }

    func closeAfterFlush() {
        guard state != .closing, state != .ended else { return }
        state = .closing
        stopFrameTimer()
        channel.closeAfterFlush(within: Self.closingTimeout)
    }
}
