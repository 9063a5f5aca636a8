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
    /// When the request was read: CLOCK_MONOTONIC, nanoseconds.
    public let startedAt: UInt64
    /// When the call must have ended: CLOCK_MONOTONIC, nanoseconds.
    public private(set) var deadline: UInt64?
    /// Whether the call has ended.
    public private(set) var isOver = false

    /// Called once, when the call is cancelled, so that the handler stops its work at once. It may end the call
    /// itself with a better status; else the call ends with the reason's own.
    public var onCancel: ((CancelReason) -> Void)?
    /// Called when a sender that was told to pause may go on.
    public var onResume: (() -> Void)?

    let streamID: UInt32
    /// What the request holds of memory, as it counts in the server's budget.
    private(set) var requestBytes: Int
    private weak var connection: ServerConnection?
    private var deadlineTimer: LoopTimer?
    var callID = ""
    private var isCancelling = false
    var isPaused = false

    init(
        method: Method, streamID: UInt32, connection: ServerConnection, caller: Admission.Caller, requestBytes: Int,
        metadata: [(key: String, value: String)], timeoutNanoseconds: Int64
    ) {
        self.method = method
        self.streamID = streamID
        self.connection = connection
        self.metadata = metadata
        peer = connection.peer
        identity = caller
        self.requestBytes = requestBytes
        loopIndex = connection.context.index
        loop = connection.context.loop
        startedAt = loop.now
        // A caller whose deadline has passed already sends less than nothing.
        if timeoutNanoseconds != 0 { limit(nanoseconds: UInt64(max(timeoutNanoseconds, 0))) }
    }

    // MARK: - Who calls

    /// Takes a token for the whole connection, so that later calls need not carry it: streams of stock clients cannot.
    /// Where the call's metadata carries one, it is that one. Where no token is asked for, any is right.
    /// - Returns: whether the caller is known now. Where not, the call has ended and its connection closes.
    public func authenticateConnection(token: String) -> Bool {
        guard let connection else { return false }
        do throws(Failure) {
            let shown = token.isEmpty ? identity.token ?? "" : token
            if shown.isEmpty {
                guard connection.mayCall else { throw Admission.missingToken }
            } else {
                identity = Admission.Caller(name: try connection.authenticate(token: shown), token: shown)
            }
            return true
        } catch {
            fail(error)
            connection.closeAfterFlush()
            return false
        }
    }

    // MARK: - Memory

    /// Counts what the call really keeps of its request, in bytes: as values, and in its form for a vendor. Until then it
    /// counts with the bytes that were received.
    /// - Returns: whether there is room. Where not, the call has ended.
    public func hold(bytes: Int) -> Bool {
        guard !isOver, let connection else { return false }
        let more = bytes - requestBytes
        requestBytes = bytes
        guard let failure = connection.hold(more: more) else { return true }
        fail(failure)
        return false
    }

    // MARK: - Deadline and cancellation

    /// Ends the call `nanoseconds` after its start at the latest. The soonest of all limits counts.
    public func limit(nanoseconds: UInt64) {
        let (sum, overflow) = startedAt.addingReportingOverflow(nanoseconds)
        let limit = overflow ? UInt64.max : sum
        guard !isOver, limit < deadline ?? UInt64.max else { return }
        deadline = limit
        let timer = deadlineTimer ?? LoopTimer { [weak self] in self?.cancel(.deadline) }
        deadlineTimer = timer
        loop.schedule(timer, at: limit)
    }

    /// Makes the call known under the caller's own id, for `Control.Cancel`. Does nothing for an empty id.
    /// - Returns: whether the call goes on. Where the caller runs 64 calls under this id already, the call has ended.
    public func identify(as callID: String) -> Bool {
        guard !isOver, !callID.isEmpty, let connection else { return !isOver }
        self.callID = callID
        if connection.context.server.registry.add(self) { return true }
        self.callID = ""
        fail(
            Failure(
                .malformed,
                "\(CallRegistry.maxCallsPerID) calls with this call_id are in progress, the most that one caller may "
                    + "have; give each call an id of its own"))
        return false
    }

    func cancel(_ reason: CancelReason) {
        guard !isOver, !isCancelling else { return }
        isCancelling = true
        onCancel?(reason)
        if !isOver { fail(reason.failure) }
    }

    // MARK: - Answers

    /// Ends a unary call with one message: `fill` writes exactly `size` bytes, straight into the output.
    public func respond(size: Int, _ fill: (UnsafeMutableRawPointer) -> Void) {
        guard !isOver else { return }
        precondition(!method.isServerStreaming, "respond is for unary calls")
        let envelope = ResponseEnvelope.successSize(size)
        guard let connection else { return end() }
        guard envelope <= connection.context.server.limits.maxMessageBytes else {
            return fail(tooLarge(size, connection))
        }
        end()
        connection.send(kind: FrameHeader.Kind.response, flags: 0, streamID: streamID, size: envelope) { out in
            let start = ResponseEnvelope.writeSuccessHead(size, to: out, at: FrameHeader.size)
            if size > 0, let base = out.baseAddress { fill(base + start) }
        }
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
        guard !isOver, !isCancelling, let connection else { return .pause }
        guard size <= connection.context.server.limits.maxMessageBytes else {
            cancel(.pieceTooLarge(tooLarge(size, connection)))
            return .pause
        }
        connection.send(kind: FrameHeader.Kind.data, flags: 0, streamID: streamID, size: size) { out in
            if size > 0, let base = out.baseAddress { fill(base + FrameHeader.size) }
        }
        return connection.demand(for: self)
    }

    /// Ends a stream well. The close frame carries no data: stock clients lose data that comes with it.
    public func finish() {
        guard !isOver else { return }
        precondition(method.isServerStreaming, "finish is for streams")
        end()
        connection?.send(
            kind: FrameHeader.Kind.data, flags: FrameHeader.Flags.remoteClosed | FrameHeader.Flags.noData,
            streamID: streamID, size: 0
        ) { _ in }
    }

    /// Ends the call with an error.
    public func fail(_ status: Status) {
        guard !isOver else { return }
        end()
        connection?.send(status: status, streamID: streamID)
    }

    private func fail(_ failure: Failure) {
        guard let connection else { return end() }
        fail(connection.context.server.describe(failure))
    }

    private func tooLarge(_ size: Int, _ connection: ServerConnection) -> Failure {
        let limit = connection.context.server.limits.maxMessageBytes
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
        connection?.ended(self)
        // The handler's closures hold the request's objects, and those may hold the call.
        onCancel = nil
        onResume = nil
    }
}
