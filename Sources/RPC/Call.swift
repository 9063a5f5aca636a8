package import EventLoop
internal import Limits

/// An RPC in progress, from the frame that opens it to the frame that ends it. Confined to its connection's loop.
///
/// A handler ends the call exactly once: with `respond` for a unary call, `finish` for a stream, or `fail` for either.
/// Operations after the end are ignored, so a handler need not check whether the caller has disconnected.
package final class Call {
    /// Why a call ended before its handler ended it.
    package enum CancelReason: Sendable, Equatable {
        /// The caller cancelled the call (`Control.Cancel`).
        case requested
        /// The caller's connection is closed; no response can be sent.
        case disconnected
        /// The deadline passed.
        case deadline
        /// The server is shutting down and its grace period has ended.
        case shuttingDown
        /// The caller violated the protocol on this stream.
        case protocolViolation
        /// The caller does not read, and the output waiting for it exceeded the limit.
        case slowReader
        /// A new access policy no longer admits the caller.
        case revoked(Failure)
        /// The next message of the stream exceeds the size limit.
        case pieceTooLarge(Failure)

        fileprivate var failure: Failure {
            switch self {
            case .requested: Failure(.cancelled, "cancelled by the caller")
            case .disconnected: Failure(.cancelled, "the caller's connection is gone")
            case .deadline: Failure(.deadline, "the call's deadline passed")
            case .shuttingDown: .shuttingDown
            case .protocolViolation: Failure(.malformed, "data on a stream that accepts none")
            case .slowReader: Failure(.slowReader, "the caller does not read its responses")
            case .revoked(let failure), .pieceTooLarge(let failure): failure
            }
        }
    }

    /// The called method.
    package let method: Method
    /// The process or host at the other end of the connection.
    package let peer: PeerIdentity
    /// The caller's name, for accounting and limits: `token:NAME` for a caller authenticated by a token, otherwise
    /// `uid:N` on a Unix socket or `tcp`. One caller may use several connections.
    package var caller: String { identity.name }
    /// The configured name of the caller's token; `nil` if the caller is identified by its `peer`.
    package var tokenName: String? { identity.tokenName }
    private(set) var identity: Admission.Caller
    /// The index of `loop` among the server's loops, from 0.
    package let loopIndex: Int
    /// The loop that the call is confined to.
    package let loop: EventLoop
    /// The request's metadata, in the order sent; keys may repeat.
    package let metadata: [(key: String, value: String)]
    /// When the request was received.
    package let startedAt: Instant
    /// When the call ends at the latest; `nil` if it has no deadline.
    package private(set) var deadline: Instant?
    /// Whether the call has ended.
    package private(set) var isOver = false

    /// Called once if the call is cancelled, so that the handler stops its work immediately. It may end the call itself
    /// with a more specific status; otherwise the call ends with the status of the reason.
    package var onCancel: ((CancelReason) -> Void)?
    /// Called when the handler may send again after `send` returned `.pause`.
    package var onResume: (() -> Void)?

    /// The wire's id for the call.
    let streamID: UInt32
    /// The request's memory in bytes, as counted in the server's budget.
    private(set) var requestBytes: Int
    private let server: ServerCore
    // Both are released at the end; until then they and the call retain each other.
    private var wire: (any CallWire)?
    private var session: (any CallSession)?
    private var deadlineTimer: LoopTimer?
    private(set) var callID = ""
    private var isCancelling = false
    /// The call's index in `PausedCalls` while it is paused; used only by the wire.
    var pausedPlace: Int?

    /// Starts a call, which adds `requestBytes` to its session's memory until it ends.
    /// - Parameter timeoutNanoseconds: the caller's timeout as sent; 0 for none.
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
        // The timeout is negative if the caller's deadline has already passed.
        if timeoutNanoseconds != 0 { limit(.nanoseconds(UInt64(max(timeoutNanoseconds, 0)))) }
    }

    // MARK: - Who calls

    /// Authenticates the whole connection with a token, so that later calls need not carry it; streaming calls of
    /// standard ttrpc clients cannot. If `token` is empty, uses the token of the call's metadata. If no token is
    /// required, any token is accepted.
    /// - Returns: whether the caller is authenticated now; if not, the call has ended and its connection closes.
    package func authenticateConnection(token: String) -> Bool {
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

    /// Replaces the call's counted memory, at first the received bytes, with what it actually keeps of its request:
    /// `bytes` for the parsed values and the request to the vendor.
    /// - Returns: whether the memory is within the limits; if not, the call has ended.
    package func hold(bytes: Int) -> Bool {
        guard !isOver, let session else { return false }
        let more = bytes - requestBytes
        requestBytes = bytes
        guard let failure = session.hold(more: more) else { return true }
        fail(failure)
        return false
    }

    // MARK: - Deadline and cancellation

    /// Limits the call's duration, measured from its start. The shortest of all limits applies.
    package func limit(_ amount: TimeAmount) {
        let limit = startedAt + amount
        guard !isOver, limit < deadline ?? .never else { return }
        deadline = limit
        let timer = deadlineTimer ?? LoopTimer { [weak self] in self?.cancel(.deadline) }
        deadlineTimer = timer
        loop.schedule(timer, at: limit)
    }

    /// Registers the call under the caller's id for it, for `Control.Cancel`. Does nothing for an empty id.
    /// - Returns: whether the call continues. If the caller already has 64 calls under this id, the call has ended.
    package func identify(as callID: String) -> Bool {
        guard !isOver, !callID.isEmpty else { return !isOver }
        self.callID = callID
        if server.registry.add(self) { return true }
        self.callID = ""
        fail(
            Failure(
                .malformed,
                "\(CallRegistry.maxCallsPerID) calls with this call_id are in progress, which is the limit per caller; "
                    + "use a different call_id for each call"))
        return false
    }

    /// Notifies the handler, then ends the call unless the handler did.
    func cancel(_ reason: CancelReason) {
        guard !isOver, !isCancelling else { return }
        isCancelling = true
        onCancel?(reason)
        if !isOver { fail(reason.failure) }
    }

    /// Called by the wire when it accepts messages again.
    func resume() { onResume?() }

    // MARK: - Responses

    /// Ends a unary call with one message: `fill` writes exactly `size` bytes, directly into the output buffer.
    package func respond(size: Int, _ fill: (UnsafeMutableRawPointer) -> Void) {
        guard !isOver else { return }
        precondition(!method.isServerStreaming, "respond is for unary calls")
        guard let wire, wire.fits(size, isLast: true) else { return fail(tooLarge(size)) }
        end()
        wire.respond(size, on: self, fill)
    }

    /// Ends a unary call with one message.
    package func respond(_ message: [UInt8]) {
        respond(size: message.count) { pointer in
            message.withUnsafeBytes {
                pointer.copyMemory(from: $0.baseAddress ?? UnsafeRawPointer(pointer), byteCount: $0.count)
            }
        }
    }

    /// Sends one message of a stream: `fill` writes exactly `size` bytes, directly into the output buffer.
    /// - Returns: whether to continue sending or to wait for `onResume`.
    package func send(size: Int, _ fill: (UnsafeMutableRawPointer) -> Void) -> Demand {
        guard !isOver, !isCancelling, let wire else { return .pause }
        guard wire.fits(size, isLast: false) else {
            cancel(.pieceTooLarge(tooLarge(size)))
            return .pause
        }
        return wire.send(size, on: self, fill)
    }

    /// Ends a stream successfully.
    package func finish() {
        precondition(isOver || method.isServerStreaming, "finish is for streams")
        guard !isOver, let wire else { return }
        end()
        wire.finish(self)
    }

    /// Ends the call with an error status.
    package func fail(_ status: Status) {
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
                "a message of the stream has \(size) bytes; the limit is \(limit). The upstream sends too much at "
                    + "once: request less, or use another upstream")
        }
        return Failure(
            .answerTooLarge,
            "the response has \(size) bytes; the limit is \(limit). Request less, or use a streaming method")
    }

    private func end() {
        isOver = true
        if let deadlineTimer { loop.cancel(deadlineTimer) }
        session?.hold(more: -requestBytes)
        if !callID.isEmpty { server.registry.remove(self) }
        session = nil
        wire = nil
        // The handler's closures retain the request's objects, which may retain the call.
        onCancel = nil
        onResume = nil
    }
}
