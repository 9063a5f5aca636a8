internal import EventLoop
internal import Glibc

/// One client's connection: bytes in, frames, calls; answers, frames, bytes out. Belongs to one loop.
///
/// Reading never waits for writing, so a cancel gets through to us even when the client reads nothing. What the
/// handlers produce during one batch of the loop's turn leaves in one write at its end.
final class ServerConnection: ReadinessHandler, TurnEndHandler {
    let context: ServerLoop
    let peer: PeerIdentity
    /// Who calls, unless a call's own metadata says otherwise.
    private var caller: String
    /// Why every call of this peer is refused.
    private let refusal: Status?
    private let policy: AccessPolicy
    /// Closes a connection that shows no token in time, where one is asked for.
    private var tokenTimer: LoopTimer?
    private let descriptor: Int32
    private var registration: Registration?
    private var decoder: FrameDecoder
    private var output = OutputBuffer()
    private var calls: [UInt32: Call] = [:]
    private var paused: [Call] = []
    private var lastStreamID: UInt32 = 0
    private var hasFirstByte = false
    private var isFlushScheduled = false
    /// No more is read; the connection closes when its output is out.
    private var isClosing = false
    private var isClosed = false
    private var frameTimer: LoopTimer?

    init(descriptor: Int32, peer: PeerIdentity, context: ServerLoop) {
        self.descriptor = descriptor
        self.peer = peer
        self.context = context
        caller = peer.caller
        policy = context.server.policy
        refusal = policy.refusal(of: peer)
        decoder = FrameDecoder(
            maximumLength: min(context.server.limits.maxMessageBytes, FrameHeader.maximumLength))
    }

    /// Begins to read. Returns `false`, with the descriptor closed, where the loop does not take it.
    func start() -> Bool {
        do {
            registration = try context.loop.register(descriptor, .readable, self)
            if !mayCall(caller) || refusal != nil {
                let timer = LoopTimer { [unowned self] in close(.disconnected) }
                tokenTimer = timer
                context.loop.schedule(timer, afterNanoseconds: context.server.limits.tokenTimeoutNanoseconds)
            }
            return true
        } catch {
            Glibc.close(descriptor)
            isClosed = true
            return false
        }
    }

    var activeCallCount: Int { calls.count }

    // MARK: - Input

    func ready(_ readiness: Readiness) {
        if readiness.contains(.writable) { flush() }
        if !isClosed, readiness.contains(.readable) || readiness.contains(.hangup) { readOnce() }
    }

    /// One read an event: with level-triggered readiness the rest comes next time, and other connections between.
    private func readOnce() {
        let scratch = context.scratch
        let count = read(descriptor, scratch.baseAddress, scratch.count)
        guard count > 0 else {
            if count < 0, errno == EAGAIN || errno == EINTR { return }
            // End of file or an error: both mean that nobody waits for an answer.
            return close(.disconnected)
        }
        if isClosing { return }
        if !hasFirstByte {
            hasFirstByte = true
            // Every ttrpc frame begins with a zero byte, since lengths end at 4 MiB.
            guard scratch[0] == 0 else { return close(.disconnected) }
        }
        decoder.consume(UnsafeRawBufferPointer(rebasing: scratch[..<count])) { event in
            switch event {
            case .frame(let header, let data): handle(header, data)
            case .oversize(let header): send(status: oversize(header), streamID: header.streamID)
            }
            return !isClosing && !isClosed
        }
        guard !isClosed, !isClosing else { return }
        if let header = decoder.hopelessFrame(beyond: 4 * context.server.limits.maxMessageBytes) {
            send(status: oversize(header), streamID: header.streamID)
            return closeAfterFlush()
        }
        watchFrame()
    }

    private func oversize(_ header: FrameHeader) -> Status {
        Status(
            Status.Code.resourceExhausted,
            "message length \(header.length) exceed maximum message size of \(context.server.limits.maxMessageBytes)")
    }

    /// A frame that has begun must end in time, or a peer could hold memory by dripping.
    private func watchFrame() {
        if decoder.isMidFrame {
            if frameTimer == nil {
                let timer = LoopTimer { [unowned self] in close(.disconnected) }
                frameTimer = timer
                context.loop.schedule(timer, afterNanoseconds: context.server.limits.frameTimeoutNanoseconds)
            }
        } else if let timer = frameTimer {
            context.loop.cancel(timer)
            frameTimer = nil
        }
    }

    /// The rules and their wording follow containerd's own server, so that stock clients see what they know.
    private func handle(_ header: FrameHeader, _ data: UnsafeRawBufferPointer) {
        guard header.streamID % 2 == 1 else {
            return reject(header, "StreamID must be odd for client initiated streams")
        }
        switch header.kind {
        case FrameHeader.Kind.request: open(header, data)
        case FrameHeader.Kind.data: receive(header, data)
        default: break  // unknown types are ignored, for what the protocol may become
        }
    }

    private func open(_ header: FrameHeader, _ data: UnsafeRawBufferPointer) {
        guard header.streamID > lastStreamID else {
            return reject(header, "StreamID cannot be re-used and must increment")
        }
        lastStreamID = header.streamID
        guard let envelope = RequestEnvelope(reading: data) else {
            return reject(header, "the request envelope is not readable Protobuf")
        }
        guard let method = context.server.methods.find(service: envelope.service, method: envelope.method) else {
            let name = "\(Self.printable(envelope.service))/\(Self.printable(envelope.method))"
            return send(
                status: Status(Status.Code.unimplemented, "unknown method \(name)"), streamID: header.streamID)
        }
        if let refusal {
            send(status: refusal, streamID: header.streamID)
            return closeAfterFlush()
        }
        guard let caller = self.caller(envelope.metadata), method.isOpen || mayCall(caller) else {
            send(status: Self.unauthenticated(envelope.metadata), streamID: header.streamID)
            // Guessing shall cost a connection each.
            return closeAfterFlush()
        }
        if let tokenTimer, mayCall(caller) {
            context.loop.cancel(tokenTimer)
            self.tokenTimer = nil
        }
        guard !context.isDraining else {
            return send(status: context.server.drainingStatus, streamID: header.streamID)
        }
        guard calls.count < context.server.limits.maxStreamsPerConnection else {
            return send(
                status: Status(
                    Status.Code.resourceExhausted,
                    "\(calls.count) calls are in progress on this connection, the most it may have"),
                streamID: header.streamID)
        }
        guard output.count <= context.server.limits.maxBufferedBytesPerConnection else {
            return send(
                status: Status(
                    Status.Code.resourceExhausted, "\(output.count) bytes of answers wait to be read first"),
                streamID: header.streamID)
        }
        let call = Call(
            method: method, streamID: header.streamID, connection: self, caller: caller, metadata: envelope.metadata,
            timeoutNanoseconds: envelope.timeoutNanoseconds)
        calls[header.streamID] = call
        method.handler(call, envelope.payload)
    }

    // MARK: - Who calls

    /// The caller of one call: the token's in its metadata, else the connection's; `nil` for a wrong token.
    private func caller(_ metadata: [(key: String, value: String)]) -> String? {
        guard let tokenName = policy.tokenName,
            let header = metadata.first(where: { $0.key.lowercased() == "authorization" })?.value
        else { return caller }
        guard header.lowercased().hasPrefix("bearer "), let name = tokenName(String(header.dropFirst(7))) else {
            return nil
        }
        return "token:" + name
    }

    /// Whether a caller has shown who it is, as far as this server asks for it.
    func mayCall(_ caller: String) -> Bool {
        peer != .network || policy.tokenName == nil || caller.hasPrefix("token:")
    }

    /// Takes a token for the connection; returns the caller, `nil` for a wrong token.
    func authenticate(token: String) -> String? {
        guard let tokenName = policy.tokenName else { return caller }
        guard let name = tokenName(token) else { return nil }
        caller = "token:" + name
        if let tokenTimer { context.loop.cancel(tokenTimer) }
        tokenTimer = nil
        return caller
    }

    private static func unauthenticated(_ metadata: [(key: String, value: String)]) -> Status {
        let hasToken = metadata.contains { $0.key.lowercased() == "authorization" }
        return Status(
            Status.Code.unauthenticated,
            hasToken
                ? "this token is not known here"
                : "this address wants a token: send the metadata 'authorization: Bearer TOKEN' with each call, or call "
                    + "Control.Hello with the token first")
    }

    private func receive(_ header: FrameHeader, _ data: UnsafeRawBufferPointer) {
        guard let call = calls[header.streamID] else {
            return reject(header, "StreamID is no longer active")
        }
        // No method takes more than its request; all that may follow is the word that nothing follows.
        let closes = header.flags & FrameHeader.Flags.remoteClosed != 0
        if call.method.isServerStreaming, closes, data.isEmpty { return }
        call.cancel(.protocolViolation)
    }

    private func reject(_ header: FrameHeader, _ message: String) {
        send(status: Status(Status.Code.invalidArgument, message), streamID: header.streamID)
    }

    private static func printable(_ bytes: UnsafeRawBufferPointer) -> String {
        String(decoding: bytes.prefix(80).map { $0 >= 0x20 && $0 < 0x7F ? $0 : 0x3F }, as: UTF8.self)
    }

    // MARK: - Output

    func send(status: Status, streamID: UInt32) {
        let envelope = ResponseEnvelope.encode(status)
        send(kind: FrameHeader.Kind.response, flags: 0, streamID: streamID, size: envelope.count) { out in
            out[FrameHeader.size...].copyBytes(from: envelope)
        }
    }

    /// Appends one frame; `fill` gets the whole frame's memory and writes everything behind the header.
    @inline(__always)
    func send(
        kind: UInt8, flags: UInt8, streamID: UInt32, size: Int, _ fill: (UnsafeMutableRawBufferPointer) -> Void
    ) {
        guard !isClosed else { return }
        let frame = output.append(count: FrameHeader.size + size)
        FrameHeader(length: size, streamID: streamID, kind: kind, flags: flags).write(to: frame)
        fill(frame)
        if !isFlushScheduled {
            isFlushScheduled = true
            context.loop.atTurnEnd(self)
        }
    }

    /// What a stream's sender is told after each message.
    func demand(for call: Call) -> Demand {
        if output.count > context.server.limits.maxBufferedBytesPerConnection {
            // The first write is still owed: a burst within one batch says nothing about the reader.
            flush()
            if output.count > context.server.limits.maxBufferedBytesPerConnection {
                call.cancel(.slowReader)
                return .pause
            }
        }
        guard output.count > context.server.limits.pauseBytes else { return .more }
        if !call.isPaused {
            call.isPaused = true
            paused.append(call)
        }
        return .pause
    }

    func ended(_ call: Call) {
        calls[call.streamID] = nil
        if !call.callID.isEmpty { context.server.registry.remove(call) }
        if call.isPaused { paused.removeAll { $0 === call } }
    }

    func turnEnded() {
        isFlushScheduled = false
        flush()
    }

    private func flush() {
        guard !isClosed else { return }
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
                return close(.disconnected)
            }
        }
        // A client that sends and never reads: beyond twice the limit there is no more room for manners.
        guard output.count <= 2 * context.server.limits.maxBufferedBytesPerConnection else {
            return close(.disconnected)
        }
        if output.isEmpty, isClosing { return close(.disconnected) }
        updateInterest()
        if !paused.isEmpty, output.count <= context.server.limits.pauseBytes / 4 { resumePaused() }
    }

    private func resumePaused() {
        let waiting = paused
        paused.removeAll()
        for call in waiting {
            call.isPaused = false
            call.onResume?()
        }
    }

    private func updateInterest() {
        guard let registration else { return }
        var interest: Interest = []
        if !isClosing { interest.insert(.readable) }
        if !output.isEmpty { interest.insert(.writable) }
        try? context.loop.update(registration, interest)
    }

    // MARK: - End

    /// Ends every call; what the handlers answer is still sent, then the connection closes.
    func cancelAllCalls(_ reason: Call.CancelReason) {
        for call in Array(calls.values) { call.cancel(reason) }
    }

    /// Closes when the output is out. A peer that does not read gets a second for it.
    func closeAfterFlush() {
        guard !isClosed, !isClosing else { return }
        isClosing = true
        let timer = LoopTimer { [weak self] in self?.close(.disconnected) }
        if let frameTimer { context.loop.cancel(frameTimer) }
        frameTimer = timer
        context.loop.schedule(timer, afterNanoseconds: 1_000_000_000)
        flush()
    }

    func close(_ reason: Call.CancelReason) {
        guard !isClosed else { return }
        isClosed = true
        if let registration { context.loop.deregister(registration) }
        registration = nil
        Glibc.close(descriptor)
        for timer in [frameTimer, tokenTimer].compactMap({ $0 }) { context.loop.cancel(timer) }
        frameTimer = nil
        tokenTimer = nil
        output.removeAll()
        cancelAllCalls(reason)
        context.closed(self)
    }
}
