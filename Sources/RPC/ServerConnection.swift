internal import EventLoop
internal import Limits

/// One client's connection to a server: joins its socket (`Channel`), who is at its other end (`Admission`), what it holds
/// (`RequestAccount`) and what it speaks (`TTRPCWire`). Belongs to one loop.
///
/// Reading never waits for writing, so a cancel gets through to us even when the client reads nothing.
final class ServerConnection {
    private enum State {
        /// Nothing is read yet: the peer's address showed wrong tokens.
        case heldBack
        /// Nothing has come yet.
        case fresh
        case serving
        /// No more is read; the channel closes when its output is out.
        case closing
        case ended
    }

    /// What one read takes at most while small frames come: the calls of one read are started in one go, and other
    /// connections of the loop wait for that.
    private static let smallRead = 4 << 10
    /// What a peer that does not read gets for the last bytes of a connection that closes.
    static let closingPatience = TimeAmount.seconds(1)

    let context: ServerLoop
    let channel: Channel
    var admission: Admission
    var account: RequestAccount
    /// Where the peer's wrong tokens are counted; `nil` for a Unix socket.
    let origin: TokenGuesses.Origin?
    private(set) lazy var wire = TTRPCWire(self)
    private var state = State.fresh
    private let acceptedAt: Instant
    /// Ends a stranger's connection, or begins to read one that was held back.
    private var strangerTimer: LoopTimer?
    /// Ends a connection whose frame takes too long.
    private var frameTimer: LoopTimer?
    /// Bytes of output, as counted over all connections.
    private var countedOutput = 0

    /// Takes over a connected socket.
    init(descriptor: Int32, peer: PeerIdentity, context: ServerLoop) {
        self.context = context
        channel = Channel(descriptor, on: context.loop)
        acceptedAt = context.loop.now
        admission = Admission(peer: peer, policy: context.server.policy) { PeerIdentity.groups(descriptor: descriptor) }
        account = RequestAccount(context.server)
        origin = peer == .network ? TokenGuesses.Origin(descriptor: descriptor) : nil
    }

    /// Begins to read. Returns `false`, with the socket closed, where the loop does not take it.
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

    /// Reads a connection that was held back.
    private func beginReading() {
        guard state == .heldBack else { return }
        state = .fresh
        channel.isReading = true
    }

    /// The peer has shown who it is: it is in no hurry any more.
    func endStrangerhood() {
        if let strangerTimer { context.loop.cancel(strangerTimer) }
        strangerTimer = nil
        beginReading()
    }

    /// Whether the peer may call, or has shown a token.
    var isKnown: Bool { admission.isKnown }
    /// Whether frames are taken.
    var isServing: Bool { state == .serving }
    /// How many calls are in progress.
    var activeCallCount: Int { wire.callCount }

    /// Whether a stranger has had the time to show who it is, so that it may make room for another one.
    func makesRoom(now: Instant) -> Bool {
        state != .heldBack && now >= acceptedAt + ServerLimits.strangerGrace
    }

    // MARK: - Limits

    /// - Throws: `Failure` where the server or this connection takes no further call of `size` bytes now.
    func checkRoom(callCount: Int, for size: Int) throws(Failure) {
        let limits = context.server.limits
        if context.isDraining { throw .shuttingDown }
        guard callCount < limits.maxStreamsPerConnection else {
            throw Failure(.busy, "\(callCount) calls are in progress on this connection, the most it may have")
        }
        guard channel.waitingBytes <= limits.maxBufferedBytesPerConnection else {
            throw Failure(.busy, "\(channel.waitingBytes) bytes of answers wait to be read first")
        }
        if size > 0, let failure = account.overload(adding: size) { throw failure }
    }

    /// A frame that has begun must end in time, or a peer could hold memory by dripping.
    /// - Parameter hasFrameEnded: whether one ended in the present read, so that the one that begins there has all of its
    ///   time.
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

    /// Counts what waits for the peer. Where all connections together have too much of it, one whose peer does not read is
    /// over the limit.
    private func isOverSharedOutput() -> Bool {
        let waiting = channel.waitingBytes
        guard waiting != countedOutput || waiting > 0 else { return false }
        let limits = context.server.limits
        let total = context.server.output.add(waiting - countedOutput)
        countedOutput = waiting
        return total > limits.maxBufferedBytes && waiting > limits.pauseBytes
    }

    // MARK: - End

    /// Ends every call; what the handlers answer is still sent.
    func cancelAllCalls(_ reason: Call.CancelReason) {
        for call in wire.calls { call.cancel(reason) }
    }

    /// Closes at once.
    func close() { channel.close() }
}

extension ServerConnection: ChannelOwner {
    /// One read per event: with level-triggered readiness the rest comes next time, and other connections between.
    func channelIsReadable(_ channel: Channel) {
        // All that one that is held back can report is that its peer has gone.
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
        // A client that sends and never reads: beyond twice the limit there is no more room for manners.
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
    /// Whether the connection itself has shown who it is.
    var mayCall: Bool { admission.mayCall }

    func hold(more bytes: Int) -> Failure? { account.add(bytes) }

    func closeAfterFlush() {
        guard state != .closing, state != .ended else { return }
        state = .closing
        stopFrameTimer()
        channel.closeAfterFlush(within: Self.closingPatience)
    }
}
