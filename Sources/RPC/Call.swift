public import EventLoop
internal import Limits

/// One RPC in progress, from the frame that opened it to the frame that ends it. Belongs to its connection's loop.
///
/// A handler ends the call exactly once: `respond` for a unary call, `finish` for a stream, `fail` for either. What
/// comes after the end is ignored, so a handler need not know whether the caller has gone meanwhile.
public final class Call {
    /// Why a call is over although its handler did not end it.
    public enum CancelReason: Sendable, Equatable {
        /// The caller said so (`Control.Cancel`).
        case requested
        /// The caller's connection is gone; nobody hears an answer.
        case disconnected
        /// The deadline passed.
        case deadline
        /// The server ends and has waited long enough.
        case shuttingDown
        /// The caller broke the protocol on this stream.
        case protocolViolation
        /// The caller does not read, and the bytes that wait for it reached the limit.
        case slowReader
        /// The caller may not call any more.
        case revoked(Failure)
        /// The next message of the stream is over the limit.
        case pieceTooLarge(Failure)

        fileprivate var failure: Failure {
            switch self {
            case .requested: Failure(.cancelled, "cancelled by the caller")
            case .disconnected: Failure(.cancelled, "the caller's connection is gone")
            case .deadline: Failure(.deadline, "the call's deadline passed")
            case .shuttingDown: .shuttingDown
            case .protocolViolation: Failure(.malformed, "data on a stream that takes none")
            case .slowReader: Failure(.slowReader, "the caller does not read its answers")
            case .revoked(let failure), .pieceTooLarge(let failure): failure
            }
        }
    }

    /// What was called.
    public let method: Method
    /// Who is at the other end of the connection.
    public let peer: PeerIdentity
    /// Who calls, for accounts and limits: `token:NAME` for a caller that showed a token, else `uid:N`, or `tcp` for
    /// anybody on a loopback port. Calls of one caller may come over many connections.
    public var caller: String { identity.name }
    /// The configured name of the token that the caller showed; `nil` for a caller that is known by its `peer`.
    public var tokenName: String? { identity.tokenName }
    private(set) var identity: Admission.Caller
    /// Which of the server's loops this is, from 0.
    public let loopIndex: Int
    /// The loop.
    public let loop: EventLoop
    /// The request's metadata.
    public let metadata: [(key: String, value: String)]
    /// When the request was read.
    public let startedAt: Instant
    /// When the call must have ended.
    public private(set) var deadline: Instant?
    /// Whether the call has ended.
    public private(set) var isOver = false

    /// Called once, when the call is cancelled, so that the handler stops its work at once. It may end the call
    /// itself with a better status; else the call ends with the reason's own.
    public var onCancel: ((CancelReason) -> Void)?
    /// Called when a sender that was told to pause may go on.
    public var onResume: (() -> Void)?

    /// The wire's name for the call.
    let streamID: UInt32
    /// What the request holds of memory, as it counts in the server's budget.
    private(set) var requestBytes: Int
    private let server: ServerCore
    // Both are let go of at the end; until then they hold the call and the call holds them.
    private var wire: (any CallWire)?
    private var session: (any CallSession)?
    private var deadlineTimer: LoopTimer?
    private(set) var callID = ""
    private var isCancelling = false
    /// Where the wire keeps the call while it is paused; the wire's own.
    var pausedPlace: Int?

    /// A call in progress, which counts `requestBytes` of its session's memory until it ends.
    /// - Parameter timeoutNanoseconds: as the caller sent it, 0 for none.
    init(
        method: Method, streamID: UInt32, wire: any CallWire, session: any CallSession, caller: Admission.Caller,
        requestBytes: Int, metadata: [(key: String, value: String)], timeoutNanoseconds: Int64
    ) {
        self.method = method
        self.streamID = streamID
        self.wire = wire
        self.session = session
        self.metadata = metadata
        peer = session.peer
        identity = caller
        self.requestBytes = requestBytes
        let context = session.context
        loopIndex = context.index
        loop = context.loop
        server = context.server
        startedAt = loop.now
        session.hold(more: requestBytes)
        // A caller whose deadline has passed already sends less than nothing.
        if timeoutNanoseconds != 0 { limit(.nanoseconds(UInt64(max(timeoutNanoseconds, 0)))) }
    }

    // MARK: - Who calls

    /// Takes a token for the whole connection, so that later calls need not carry it: streams of stock clients cannot.
    /// Where the call's metadata carries one, it is that one. Where no token is asked for, any is right.
    /// - Returns: whether the caller is known now. Where not, the call has ended and its connection closes.
    public func authenticateConnection(token: String) -> Bool {
        guard let session else { return false }
        do throws(Failure) {
            let shown = token.isEmpty ? identity.token ?? "" : token
            if shown.isEmpty {
                guard session.mayCall else { throw Admission.missingToken }
            } else {
                identity = Admission.Caller(name: try session.authenticate(token: shown), token: shown)
            }
            return true
        } catch {
            fail(error)
            session.closeAfterFlush()
            return false
        }
    }

    // MARK: - Memory

    /// Counts what the call really keeps of its request, in bytes: as values, and in its form for a vendor. Until then it
    /// counts with the bytes that were received.
    /// - Returns: whether there is room. Where not, the call has ended.
    public func hold(bytes: Int) -> Bool {
        guard !isOver, let session else { return false }
        let more = bytes - requestBytes
        requestBytes = bytes
        guard let failure = session.hold(more: more) else { return true }
        fail(failure)
        return false
    }

    // MARK: - Deadline and cancellation

    /// Ends the call so long after its start at the latest. The soonest of all limits counts.
    public func limit(_ amount: TimeAmount) {
        let limit = startedAt + amount
        guard !isOver, limit < deadline ?? .never else { return }
        deadline = limit
        let timer = deadlineTimer ?? LoopTimer { [weak self] in self?.cancel(.deadline) }
        deadlineTimer = timer
        loop.schedule(timer, at: limit)
    }

    /// Makes the call known under the caller's own id, for `Control.Cancel`. Does nothing for an empty id.
    /// - Returns: whether the call goes on. Where the caller runs 64 calls under this id already, the call has ended.
    public func identify(as callID: String) -> Bool {
        guard !isOver, !callID.isEmpty else { return !isOver }
        self.callID = callID
        if server.registry.add(self) { return true }
        self.callID = ""
        fail(
            Failure(
                .malformed,
                "\(CallRegistry.maxCallsPerID) calls with this call_id are in progress, the most that one caller may "
                    + "have; give each call an id of its own"))
        return false
    }

    /// Ends the call for a reason of the server's, once its handler has heard of it.
    func cancel(_ reason: CancelReason) {
        guard !isOver, !isCancelling else { return }
        isCancelling = true
        onCancel?(reason)
        if !isOver { fail(reason.failure) }
    }

    /// The wire takes messages again.
    func resume() { onResume?() }

    // MARK: - Answers

    /// Ends a unary call with one message: `fill` writes exactly `size` bytes, straight into the output.
    public func respond(size: Int, _ fill: (UnsafeMutableRawPointer) -> Void) {
        guard !isOver else { return }
        precondition(!method.isServerStreaming, "respond is for unary calls")
        guard let wire, wire.fits(size, isLast: true) else { return fail(tooLarge(size)) }
        end()
        wire.respond(size, on: self, fill)
    }

    /// Ends a unary call with one message.
    public func respond(_ message: [UInt8]) {
        respond(size: message.count) { pointer in
            message.withUnsafeBytes {
                pointer.copyMemory(from: $0.baseAddress ?? UnsafeRawPointer(pointer), byteCount: $0.count)
            }
        }
    }

    /// Sends one message of a stream: `fill` writes exactly `size` bytes, straight into the output. The answer says
    /// whether to send on or to wait for `onResume`.
    public func send(size: Int, _ fill: (UnsafeMutableRawPointer) -> Void) -> Demand {
        guard !isOver, !isCancelling, let wire else { return .pause }
        guard wire.fits(size, isLast: false) else {
            cancel(.pieceTooLarge(tooLarge(size)))
            return .pause
        }
        return wire.send(size, on: self, fill)
    }

    /// Ends a stream well.
    public func finish() {
        precondition(isOver || method.isServerStreaming, "finish is for streams")
        guard !isOver, let wire else { return }
        end()
        wire.finish(self)
    }

    /// Ends the call with an error.
    public func fail(_ status: Status) {
        guard !isOver, let wire else { return }
        end()
        wire.fail(self, status)
    }

    private func fail(_ failure: Failure) { fail(server.describe(failure)) }

    private func tooLarge(_ size: Int) -> Failure {
        let limit = server.limits.maxMessageBytes
        guard !method.isServerStreaming else {
            return Failure(
                .pieceTooLarge,
                "a piece of the stream has \(size) bytes and a message may have \(limit): the upstream sends too much at "
                    + "once; ask for less, or ask another one")
        }
        return Failure(
            .answerTooLarge,
            "the answer has \(size) bytes and a message may have \(limit); ask for less, or for a stream")
    }

    private func end() {
        isOver = true
        if let deadlineTimer { loop.cancel(deadlineTimer) }
        session?.hold(more: -requestBytes)
        if !callID.isEmpty { server.registry.remove(self) }
        session = nil
        wire = nil
        // The handler's closures hold the request's objects, and those may hold the call.
        onCancel = nil
        onResume = nil
    }
}
