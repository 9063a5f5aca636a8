public import EventLoop
internal import Glibc

/// What a call's owner hears from the server. Called on the connection's loop.
public protocol ClientCallHandler: AnyObject {
    /// One message: the answer of a unary call or the next of a stream. Valid during the call only. With `.pause`
    /// the whole connection stops reading until `ClientConnection.resume`, since ttrpc has no flow control a stream.
    func received(_ message: UnsafeRawBufferPointer) -> Demand
    /// The end. Called exactly once, also when the connection is lost.
    func finished(_ status: Status)
}

/// Why no connection was made.
public enum ConnectError: Error, Sendable, Equatable {
    /// The host has no address; the resolver's words.
    case unresolved(String)
    /// The kernel's no.
    case refused(SystemError)
    /// Nobody took the connection in time.
    case timedOut
    /// The server on a Unix socket runs as a user whom the client does not trust; who, and what to do. Nothing was sent.
    case untrusted(String)
}

/// Why no connection was made, and to which address.
public struct ConnectFailure: Error, Sendable, Equatable {
    /// The address.
    public let address: Address
    /// Why.
    public let error: ConnectError

    /// A failure.
    public init(_ address: Address, _ error: ConnectError) {
        self.address = address
        self.error = error
    }
}

/// A client's connection. Belongs to one loop.
public final class ClientConnection: ReadinessHandler, TurnEndHandler {
    private let loop: EventLoop
    private let descriptor: Int32
    private var registration: Registration?
    private var decoder = FrameDecoder(maximumLength: FrameHeader.maximumLength)
    private var output = OutputBuffer()
    private struct OpenCall {
        let handler: any ClientCallHandler
        /// Ends the call where the server does not.
        let timer: LoopTimer?
    }

    private var calls: [UInt32: OpenCall] = [:]
    private var nextStreamID: UInt32 = 1
    private var hasFirstBytes = false
    private var isForeign = false
    private var isFlushScheduled = false
    private var isPaused = false
    private let metadata: [(key: String, value: String)]
    private var scratch = [UInt8](repeating: 0, count: 64 << 10)
    /// Whether the connection is still good for calls.
    public private(set) var isOpen = true

    /// What every call gets where the peer's first bytes are no frame of ttrpc's.
    public static let foreignPeer = Status(
        Status.Code.unavailable, "what answers there is not a Genwire server: it does not speak ttrpc")

    /// How much longer than the server a client waits for the end of a call with a deadline, in nanoseconds: the
    /// server knows why nothing came, so its word shall arrive first.
    public static let deadlineGraceNanoseconds: UInt64 = 500_000_000

    /// Connects. Blocks, so may be called anywhere but on a loop, which `init` puts the descriptor on.
    /// - Parameter timeoutNanoseconds: the longest time for each of the host's addresses, 0 for the kernel's own, which
    ///   may be for ever. The resolver takes its time besides.
    public static func connect(to address: Address, timeoutNanoseconds: UInt64 = 0) throws(ConnectError) -> Int32 {
        do {
            return try address.withSocketAddresses { family, socketAddress, length in
                let descriptor = socket(family, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
                guard descriptor >= 0 else { throw SystemError("socket") }
                // It bounds a connect too (socket(7)), also that to a Unix socket whose backlog is full.
                Transport.limitSending(descriptor, nanoseconds: timeoutNanoseconds)
                guard Glibc.connect(descriptor, socketAddress, length) == 0 else {
                    let error = SystemError("connect")
                    Glibc.close(descriptor)
                    throw error
                }
                let flags = fcntl(descriptor, F_GETFL)
                _ = fcntl(descriptor, F_SETFL, flags | O_NONBLOCK)
                Transport.disableDelay(descriptor)
                return descriptor
            }
        } catch let error as SystemError {
            throw error.code == EAGAIN || error.code == EINPROGRESS ? .timedOut : .refused(error)
        } catch {
            throw .unresolved("\(error)")
        }
    }

    /// Takes over a connected descriptor on `loop`, which must be the current one.
    /// - Parameter metadata: goes with every call, such as `authorization`.
    public init(
        descriptor: Int32, loop: EventLoop, metadata: [(key: String, value: String)] = []
    ) throws(SystemError) {
        self.descriptor = descriptor
        self.metadata = metadata
        self.loop = loop
        registration = try loop.register(descriptor, .readable, self)
    }

    /// Sends a request. A handler that is not called back any more after `forget`.
    /// - Parameter timeoutNanoseconds: the call's deadline, 0 for none. The server ends the call then; where it does
    ///   not, the call ends here a moment later (`deadlineGraceNanoseconds`), with code 4.
    /// - Returns: the stream's id, for `forget`.
    public func start(
        service: String, method: String, payload: [UInt8], isServerStreaming: Bool, timeoutNanoseconds: Int64 = 0,
        handler: any ClientCallHandler
    ) -> UInt32 {
        loop.preconditionOnLoop()
        let streamID = nextStreamID
        guard isOpen else {
            handler.finished(
                isForeign
                    ? Self.foreignPeer : Status(Status.Code.unavailable, "the connection to the server is closed"))
            return streamID
        }
        let envelope = RequestEnvelope.encode(
            service: service, method: method, payload: payload, timeoutNanoseconds: timeoutNanoseconds,
            metadata: metadata)
        guard envelope.count <= FrameHeader.maximumLength else {
            handler.finished(
                Status(
                    Status.Code.resourceExhausted,
                    "the request has \(envelope.count) bytes; ttrpc allows \(FrameHeader.maximumLength)"))
            return streamID
        }
        nextStreamID += 2
        calls[streamID] = OpenCall(handler: handler, timer: deadlineTimer(streamID, timeoutNanoseconds))
        let frame = output.append(count: FrameHeader.size + envelope.count)
        FrameHeader(
            length: envelope.count, streamID: streamID, kind: FrameHeader.Kind.request,
            flags: isServerStreaming ? FrameHeader.Flags.remoteClosed : 0
        ).write(to: frame)
        frame[FrameHeader.size...].copyBytes(from: envelope)
        if !isFlushScheduled {
            isFlushScheduled = true
            loop.atTurnEnd(self)
        }
        return streamID
    }

    /// Hears no more of a call. The server learns of it by `Control.Cancel` or by `close` only.
    public func forget(_ streamID: UInt32) { _ = remove(streamID) }

    private func deadlineTimer(_ streamID: UInt32, _ nanoseconds: Int64) -> LoopTimer? {
        guard nanoseconds > 0 else { return nil }
        let timer = LoopTimer { [weak self] in
            self?.finish(
                streamID,
                Status(
                    Status.Code.deadlineExceeded,
                    "the server did not end the call within \(Double(nanoseconds / 1_000_000) / 1000) s"))
        }
        loop.schedule(timer, afterNanoseconds: UInt64(nanoseconds) + Self.deadlineGraceNanoseconds)
        return timer
    }

    private func remove(_ streamID: UInt32) -> (any ClientCallHandler)? {
        guard let call = calls.removeValue(forKey: streamID) else { return nil }
        if let timer = call.timer { loop.cancel(timer) }
        return call.handler
    }

    /// Reads again after a handler answered `.pause`.
    public func resume() {
        guard isPaused, isOpen else { return }
        isPaused = false
        updateInterest()
    }

    /// Closes the connection; the server cancels every call on it. Handlers hear code 1.
    public func close() {
        close(Status(Status.Code.cancelled, "the connection was closed by this client"))
    }

    /// The descriptor is ready.
    public func ready(_ readiness: Readiness) {
        if readiness.contains(.writable) { flush() }
        guard isOpen, readiness.contains(.readable) || readiness.contains(.hangup) else { return }
        let count = scratch.withUnsafeMutableBytes { read(descriptor, $0.baseAddress, $0.count) }
        guard count > 0 else {
            if count < 0, errno == EAGAIN || errno == EINTR { return }
            return close(Status(Status.Code.unavailable, "the server closed the connection before it answered"))
        }
        if !hasFirstBytes {
            hasFirstBytes = true
            guard scratch.withUnsafeBytes({ Self.looksLikeFrame($0[..<count]) }) else {
                isForeign = true
                return close(Self.foreignPeer)
            }
        }
        scratch.withUnsafeBytes { bytes in
            decoder.consume(UnsafeRawBufferPointer(rebasing: bytes[..<count])) { event in
                switch event {
                case .frame(let header, let data): handle(header, data)
                case .oversize(let header):
                    finish(
                        header.streamID, Status(Status.Code.resourceExhausted, "an answer of \(header.length) bytes"))
                }
                return isOpen
            }
        }
        updateInterest()
    }

    /// Whether a peer's first bytes may be a frame: HTTP/1.1 fails by the first byte, HTTP/2 by its stream 0. Fewer
    /// bytes than a header are judged by the first alone.
    private static func looksLikeFrame(_ bytes: Slice<UnsafeRawBufferPointer>) -> Bool {
        guard bytes.count >= FrameHeader.size else { return bytes.first == 0 }
        let header = FrameHeader(reading: UnsafeRawBufferPointer(rebasing: bytes))
        return header.length >> 24 == 0 && header.streamID % 2 == 1
    }

    /// Flushes what a batch produced.
    public func turnEnded() {
        isFlushScheduled = false
        flush()
    }

    private func handle(_ header: FrameHeader, _ data: UnsafeRawBufferPointer) {
        guard let handler = calls[header.streamID]?.handler else { return }
        switch header.kind {
        case FrameHeader.Kind.response:
            guard let (status, payload) = ResponseEnvelope.read(data) else {
                return finish(header.streamID, Status(Status.Code.internal, "the server sent an unreadable answer"))
            }
            if status.isOK { deliver(payload, to: handler) }
            finish(header.streamID, status)
        case FrameHeader.Kind.data:
            if header.flags & FrameHeader.Flags.noData == 0 { deliver(data, to: handler) }
            if header.flags & FrameHeader.Flags.remoteClosed != 0 { finish(header.streamID, .ok) }
        default:
            finish(header.streamID, Status(Status.Code.internal, "the server sent a frame of type \(header.kind)"))
        }
    }

    private func deliver(_ message: UnsafeRawBufferPointer, to handler: any ClientCallHandler) {
        if handler.received(message) == .pause { isPaused = true }
    }

    private func finish(_ streamID: UInt32, _ status: Status) {
        remove(streamID)?.finished(status)
    }

    private func flush() {
        guard isOpen else { return }
        while !output.isEmpty {
            let bytes = output.readable
            let count = send(descriptor, bytes.baseAddress, bytes.count, Int32(MSG_NOSIGNAL))
            if count > 0 {
                output.consume(count)
            } else if errno == EINTR {
                continue
            } else if errno == EAGAIN {
                break
            } else {
                return close(Status(Status.Code.unavailable, "the connection to the server broke"))
            }
        }
        updateInterest()
    }

    private func updateInterest() {
        guard isOpen, let registration else { return }
        var interest: Interest = isPaused ? [] : .readable
        if !output.isEmpty { interest.insert(.writable) }
        try? loop.update(registration, interest)
    }

    private func close(_ status: Status) {
        guard isOpen else { return }
        isOpen = false
        if let registration { loop.deregister(registration) }
        registration = nil
        Glibc.close(descriptor)
        for streamID in Array(calls.keys) { finish(streamID, status) }
    }
}
