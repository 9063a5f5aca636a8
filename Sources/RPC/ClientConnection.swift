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
public final class ClientConnection {
    private let channel: Channel
    private var decoder = FrameDecoder(maximumLength: FrameHeader.maximumLength)
    private struct OpenCall {
        let handler: any ClientCallHandler
        /// Ends the call where the server does not.
        let timer: LoopTimer?
    }

    private var calls: [UInt32: OpenCall] = [:]
    private var nextStreamID: UInt32 = 1
    private enum State {
        /// Nothing has come yet.
        case fresh
        /// The peer speaks ttrpc.
        case open
        case closed
        /// Closed, because the peer's first bytes were no frame.
        case foreign
    }

    private var state = State.fresh
    private let metadata: [(key: String, value: String)]
    private var scratch = [UInt8](repeating: 0, count: 64 << 10)
    /// Whether the connection is still good for calls.
    public var isOpen: Bool { state == .fresh || state == .open }

    /// What every call gets where the peer's first bytes are no frame of ttrpc's.
    public static let foreignPeer = Status(
        Status.Code.unavailable, "what answers there is not a Genwire server: it does not speak ttrpc")

    /// How much longer than the server a client waits for the end of a call with a deadline: the server knows why nothing
    /// came, so its word shall arrive first.
    public static let deadlineGrace = TimeAmount.milliseconds(500)

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

    /// Takes over a connected descriptor on `loop`, which must be the current one. It is closed where this throws.
    /// - Parameter metadata: goes with every call, such as `authorization`.
    public init(
        descriptor: Int32, loop: EventLoop, metadata: [(key: String, value: String)] = []
    ) throws(SystemError) {
        self.metadata = metadata
        channel = Channel(descriptor, on: loop)
        try channel.start(self)
    }

    /// Sends a request. A handler that is not called back any more after `forget`.
    /// - Parameter timeoutNanoseconds: the call's deadline, 0 for none. The server ends the call then; where it does
    ///   not, the call ends here a moment later (`deadlineGrace`), with code 4.
    /// - Returns: the stream's id, for `forget`.
    public func start(
        service: String, method: String, payload: [UInt8], isServerStreaming: Bool, timeoutNanoseconds: Int64 = 0,
        handler: any ClientCallHandler
    ) -> UInt32 {
        channel.loop.preconditionOnLoop()
        let streamID = nextStreamID
        guard isOpen else {
            handler.finished(
                state == .foreign
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
        guard let frame = channel.append(count: FrameHeader.size + envelope.count) else { return streamID }
        FrameHeader(
            length: envelope.count, streamID: streamID, kind: FrameHeader.Kind.request,
            flags: isServerStreaming ? FrameHeader.Flags.remoteClosed : 0
        ).write(to: frame)
        frame[FrameHeader.size...].copyBytes(from: envelope)
        return streamID
    }

    /// Hears no more of a call. The server learns of it by `Control.Cancel` or by `close` only.
    public func forget(_ streamID: UInt32) { _ = remove(streamID) }

    private func deadlineTimer(_ streamID: UInt32, _ nanoseconds: Int64) -> LoopTimer? {
        guard nanoseconds > 0 else { return nil }
        let limit = TimeAmount.nanoseconds(UInt64(nanoseconds))
        let timer = LoopTimer { [weak self] in
            self?.finish(
                streamID,
                Status(
                    Status.Code.deadlineExceeded,
                    "the server did not end the call within \(Double(limit.milliseconds) / 1000) s"))
        }
        channel.loop.schedule(timer, after: limit + Self.deadlineGrace)
        return timer
    }

    private func remove(_ streamID: UInt32) -> (any ClientCallHandler)? {
        guard let call = calls.removeValue(forKey: streamID) else { return nil }
        if let timer = call.timer { channel.loop.cancel(timer) }
        return call.handler
    }

    /// Reads again after a handler answered `.pause`.
    public func resume() {
        guard isOpen else { return }
        channel.isReading = true
    }

    /// Closes the connection; the server cancels every call on it. Handlers hear code 1.
    public func close() {
        close(Status(Status.Code.cancelled, "the connection was closed by this client"))
    }

    /// Whether a peer's first bytes may be a frame: HTTP/1.1 fails by the first byte, HTTP/2 by its stream 0. Fewer
    /// bytes than a header are judged by the first alone.
    private static func looksLikeFrame(_ bytes: UnsafeRawBufferPointer) -> Bool {
        guard bytes.count >= FrameHeader.size else { return bytes.first == 0 }
        let header = FrameHeader(reading: bytes)
        return header.length >> 24 == 0 && header.streamID % 2 == 1
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
        if handler.received(message) == .pause { channel.isReading = false }
    }

    private func finish(_ streamID: UInt32, _ status: Status) {
        remove(streamID)?.finished(status)
    }

    private func close(_ status: Status, leaving end: State = .closed) {
        guard isOpen else { return }
        state = end
        channel.close()
        for streamID in Array(calls.keys) { finish(streamID, status) }
    }
}

extension ClientConnection: ChannelOwner {
    /// Bytes of the server's can be read.
    public func channelIsReadable(_ channel: Channel) {
        let count = scratch.withUnsafeMutableBytes { channel.read(into: $0) }
        guard count > 0 else { return }
        scratch.withUnsafeBytes { received(UnsafeRawBufferPointer(rebasing: $0[..<count])) }
    }

    private func received(_ bytes: UnsafeRawBufferPointer) {
        if state == .fresh {
            guard Self.looksLikeFrame(bytes) else { return close(Self.foreignPeer, leaving: .foreign) }
            state = .open
        }
        decoder.consume(bytes) { event in
            switch event {
            case .frame(let header, let data): handle(header, data)
            case .oversize(let header):
                finish(header.streamID, Status(Status.Code.resourceExhausted, "an answer of \(header.length) bytes"))
            }
            return isOpen
        }
    }

    /// Nothing waits for that.
    public func channelDidFlush(_ channel: Channel) {}

    /// The connection is lost: every call ends.
    public func channelDidEnd(_ channel: Channel, _ end: Channel.End) {
        let message =
            switch end {
            case .broken: "the connection to the server broke"
            case .closed, .peerClosed: "the server closed the connection before it answered"
            case .loopStopped: "the connection was closed by this client"
            }
        close(Status(Status.Code.unavailable, message))
    }
}
