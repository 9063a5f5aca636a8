package import EventLoop
internal import Glibc

/// Receives the messages and the end of a call. Called on the connection's loop.
package protocol ClientCallHandler: AnyObject {
    /// One message: the response of a unary call, or the next message of a stream; valid only during this call. If this
    /// returns `.pause`, the whole connection stops reading until `ClientConnection.resume`, because ttrpc has no
    /// per-stream flow control.
    func received(_ message: UnsafeRawBufferPointer) -> Demand
    /// The call ended. Called exactly once, also if the connection is lost.
    func finished(_ status: Status)
}

/// Why a client could not connect.
package enum ConnectError: Error, Sendable, Equatable {
    /// The host could not be resolved; contains the resolver's message.
    case unresolved(String)
    /// The system call that failed, for example because nothing listens there.
    case refused(SystemError)
    /// The server did not accept the connection in time.
    case timedOut
    /// The server on a Unix socket runs as a user that the client does not trust. The message names the user and what
    /// to do. Nothing was sent.
    case untrusted(String)
}

/// Why a client could not connect, and to which address.
package struct ConnectFailure: Error, Sendable, Equatable {
    /// The address that the client tried.
    package let address: Address
    /// The reason.
    package let error: ConnectError

    /// Creates a failure for one address.
    package init(_ address: Address, _ error: ConnectError) {
        self.address = address
        self.error = error
    }
}

/// A client's ttrpc connection, for any number of concurrent calls. Confined to its loop.
package final class ClientConnection {
    private let channel: Channel
    private var decoder = FrameDecoder(maximumLength: FrameHeader.maximumLength)
    private struct OpenCall {
        let handler: any ClientCallHandler
        /// Ends the call if the server does not; `nil` without a deadline.
        let timer: LoopTimer?
    }

    private var calls: [UInt32: OpenCall] = [:]
    private var nextStreamID: UInt32 = 1
    private enum State {
        /// Nothing received yet.
        case fresh
        /// The peer speaks ttrpc.
        case open
        case closed
        /// Closed, because the peer's first bytes were not a ttrpc frame.
        case foreign
    }

    private var state = State.fresh
    private let metadata: [(key: String, value: String)]
    private var scratch = [UInt8](repeating: 0, count: 64 << 10)
    /// Whether the connection accepts new calls.
    package var isOpen: Bool { state == .fresh || state == .open }

    /// The status of every call if the peer's first bytes are not a ttrpc frame.
    package static let foreignPeer = Status(
        Status.Code.unavailable, "the peer is not a Genwire server: it does not speak ttrpc")

    /// How much longer than the server a client waits for the end of a call with a deadline. The server's error is more
    /// specific, so it should arrive first.
    package static let deadlineGrace = TimeAmount.milliseconds(500)

    /// Connects and returns the descriptor, to be passed to `init(descriptor:loop:metadata:)`. Blocks, so do not call
    /// it on a loop.
    /// - Parameter timeoutNanoseconds: the timeout for each of the host's addresses; 0 for the kernel's, which may be
    ///   unlimited. Does not include the time to resolve the host.
    package static func connect(to address: Address, timeoutNanoseconds: UInt64 = 0) throws(ConnectError) -> Int32 {
        do {
            return try address.withSocketAddresses { family, socketAddress, length in
                let descriptor = socket(family, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
                guard descriptor >= 0 else { throw SystemError("socket") }
                // The option limits connect as well (socket(7)), also to a Unix socket whose backlog is full.
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

    /// Takes ownership of a connected descriptor. Must be called on `loop`. Closes the descriptor if it throws.
    /// - Parameter metadata: sent with every call, for example `authorization`.
    package init(
        descriptor: Int32, loop: EventLoop, metadata: [(key: String, value: String)] = []
    ) throws(SystemError) {
        self.metadata = metadata
        channel = Channel(descriptor, on: loop)
        try channel.start(self)
    }

    /// Starts a call. Its handler is called until the call ends, or until `forget`.
    /// - Parameter timeoutNanoseconds: the call's timeout; 0 for none. The server ends the call then; if it does not,
    ///   the client ends it `deadlineGrace` later with code 4.
    /// - Returns: the stream's id, for `forget`.
    package func start(
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
                    "the request has \(envelope.count) bytes; ttrpc allows at most \(FrameHeader.maximumLength)"))
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

    /// Stops calling a call's handler. Does not notify the server: only `Control.Cancel` and `close` do.
    package func forget(_ streamID: UInt32) { _ = remove(streamID) }

    private func deadlineTimer(_ streamID: UInt32, _ nanoseconds: Int64) -> LoopTimer? {
        guard nanoseconds > 0 else { return nil }
        let limit = TimeAmount.nanoseconds(UInt64(nanoseconds))
        let timer = LoopTimer { [weak self] in
            self?.finish(
                streamID,
                Status(
                    Status.Code.deadlineExceeded,
                    "timed out: the server did not end the call within \(Double(limit.milliseconds) / 1000) s"))
        }
        channel.loop.schedule(timer, after: limit + Self.deadlineGrace)
        return timer
    }

    private func remove(_ streamID: UInt32) -> (any ClientCallHandler)? {
        guard let call = calls.removeValue(forKey: streamID) else { return nil }
        if let timer = call.timer { channel.loop.cancel(timer) }
        return call.handler
    }

    /// Resumes reading after a handler returned `.pause`.
    package func resume() {
        guard isOpen else { return }
        channel.isReading = true
    }

    /// Closes the connection; the server cancels every call on it. Handlers receive code 1.
    package func close() {
        close(Status(Status.Code.cancelled, "the connection was closed by this client"))
    }

    /// Whether a peer's first bytes may be a ttrpc frame. HTTP/1.1 fails because of its first byte, HTTP/2 because of
    /// its stream 0. If there are fewer bytes than a header, only the first one is checked.
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
                return finish(header.streamID, Status(Status.Code.internal, "the server sent a malformed response"))
            }
            if status.isOK { deliver(payload, to: handler) }
            finish(header.streamID, status)
        case FrameHeader.Kind.data:
            if header.flags & FrameHeader.Flags.noData == 0 { deliver(data, to: handler) }
            if header.flags & FrameHeader.Flags.remoteClosed != 0 { finish(header.streamID, .ok) }
        default:
            finish(header.streamID, Status(Status.Code.internal, "the server sent unknown frame type \(header.kind)"))
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
    /// Reads frames from the server and passes them to the handlers.
    package func channelIsReadable(_ channel: Channel) {
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
                let message = "the response is too large: \(header.length) bytes"
                finish(header.streamID, Status(Status.Code.resourceExhausted, message))
            }
            return isOpen
        }
    }

    /// Does nothing: requests are not paused.
    package func channelDidFlush(_ channel: Channel) {}

    /// Ends every call, because the connection is closed.
    package func channelDidEnd(_ channel: Channel, _ end: Channel.End) {
        let message =
            switch end {
            case .broken: "the connection to the server broke"
            case .closed, .peerClosed: "the server closed the connection before it responded"
            case .loopStopped: "the connection was closed by this client"
            }
        close(Status(Status.Code.unavailable, message))
    }
}
