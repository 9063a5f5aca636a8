internal import EventLoop
internal import Glibc
internal import Limits

/// One client's connection: bytes in, frames, calls; answers, frames, bytes out. Belongs to one loop.
///
/// Reading never waits for writing, so a cancel gets through to us even when the client reads nothing. What the
/// handlers produce during one batch of the loop's turn leaves in one write at its end.
final class ServerConnection: ReadinessHandler, TurnEndHandler {
    /// What one read takes at most while small frames come: the calls of one read are started in one go, and other
    /// connections of the loop wait for that.
    private static let smallRead = 4 << 10

    let context: ServerLoop
    var admission: Admission
    /// Where the peer's wrong tokens are counted; `nil` for a Unix socket.
    let origin: TokenGuesses.Origin?
    private let descriptor: Int32
    private var registration: Registration?
    private var decoder: FrameDecoder
    private var output = OutputBuffer()
    private(set) var calls: [UInt32: Call] = [:]
    private var paused: [Call] = []
    private var lastStreamID: UInt32 = 0
    private var hasFirstByte = false
    private var isFlushScheduled = false
    /// Nothing is read yet: the peer's address showed wrong tokens.
    private var isHeldBack = false
    /// No more is read; the connection closes when its output is out.
    private var isClosing = false
    private var isClosed = false
    /// Ends a stranger's connection, or begins to read one that was held back.
    var strangerTimer: LoopTimer?
    private var frameTimer: LoopTimer?
    /// Whether a frame ended in the present read, so that the one that begins there has all of its time.
    private var hasFrameEnded = false
    private let acceptedAt: UInt64
    private var protocolErrors = 0
    /// Memory of the calls in progress, in bytes.
    private var requestBytes = 0
    /// Bytes of a frame that has begun, as counted in the server's budget.
    private var partialBytes = 0
    /// Bytes of output, as counted over all connections.
    private var countedOutput = 0

    init(descriptor: Int32, peer: PeerIdentity, context: ServerLoop) {
        self.descriptor = descriptor
        self.context = context
        acceptedAt = context.loop.now
        admission = Admission(peer: peer, policy: context.server.policy) { PeerIdentity.groups(descriptor: descriptor) }
        origin = peer == .network ? TokenGuesses.Origin(descriptor: descriptor) : nil
        decoder = FrameDecoder(maximumLength: context.server.limits.maxMessageBytes)
    }

    /// Begins to read. Returns `false`, with the descriptor closed, where the loop does not take it.
    func start() -> Bool {
        let delay = isKnown ? 0 : origin.map { context.server.guessDelay($0, now: context.loop.now) } ?? 0
        isHeldBack = delay > 0
        do {
            registration = try context.loop.register(descriptor, isHeldBack ? [] : .readable, self)
        } catch {
            Glibc.close(descriptor)
            isClosed = true
            return false
        }
        guard !isKnown else { return true }
        let timer = LoopTimer { [unowned self] in strangerIsDue() }
        strangerTimer = timer
        let limit = context.server.limits.strangerTimeoutNanoseconds
        context.loop.schedule(timer, afterNanoseconds: isHeldBack ? delay : limit)
        return true
    }

    private func strangerIsDue() {
        guard isHeldBack, let strangerTimer else { return close(.disconnected) }
        beginReading()
        context.loop.schedule(
            strangerTimer, afterNanoseconds: context.server.limits.strangerTimeoutNanoseconds)
    }

    /// Reads a connection that was held back.
    func beginReading() {
        guard isHeldBack else { return }
        isHeldBack = false
        updateInterest()
    }

    var peer: PeerIdentity { admission.peer }
    /// Whether the peer may call, or has shown a token.
    var isKnown: Bool { admission.isKnown }
    var activeCallCount: Int { calls.count }

    /// Whether a stranger has had the time to show who it is, so that it may make room for another one.
    func makesRoom(now: UInt64) -> Bool {
        !isHeldBack && now >= acceptedAt + ServerLimits.strangerGraceNanoseconds
    }

    // MARK: - Input

    func ready(_ readiness: Readiness) {
        if readiness.contains(.writable) { flush() }
        guard !isClosed else { return }
        if isHeldBack {
            if readiness.contains(.hangup) { close(.disconnected) }
        } else if readiness.contains(.readable) || readiness.contains(.hangup) {
            readOnce()
        }
    }

    /// One read per event: with level-triggered readiness the rest comes next time, and other connections between.
    private func readOnce() {
        let scratch = context.scratch
        let wanted = min(scratch.count, max(Self.smallRead, decoder.missingCount))
        let count = read(descriptor, scratch.baseAddress, wanted)
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
        let bytes = UnsafeRawBufferPointer(rebasing: scratch[..<count])
        decoder.consume(bytes, limit: { isKnown ? .max : ServerLimits.maxStrangerMessageBytes }) { event in
            // What was kept of a frame that is whole now counts as its call's, if it becomes one.
            releasePartial()
            hasFrameEnded = true
            switch event {
            case .frame(let header, let data): handle(header, data)
            case .oversize(let header): refuse(header.streamID, tooLarge(header))
            }
            return !isClosing && !isClosed
        }
        guard !isClosed, !isClosing else { return }
        if let header = decoder.hopelessFrame(beyond: isKnown ? 4 * context.server.limits.maxMessageBytes : 0) {
            return refuseAndClose(header.streamID, tooLarge(header))
        }
        countPartial()
        watchFrame()
    }

    private func tooLarge(_ header: FrameHeader) -> Failure {
        guard isKnown else {
            return Failure(
                .unauthenticated,
                "a message of \(header.length) bytes from a caller that has not shown a token yet; call Control.Hello with "
                    + "the token first, or send a smaller call first")
        }
        // The first words are those of containerd's own server.
        return Failure(
            .requestTooLarge,
            "message length \(header.length) exceed maximum message size of \(context.server.limits.maxMessageBytes)")
    }

    /// Counts what is kept of a frame that has begun, and gives the frame up where there is no room for it.
    private func countPartial() {
        let count = decoder.partialCount
        guard count != partialBytes else { return }
        let total = context.server.budget.add(count - partialBytes)
        partialBytes = count
        // Small calls look at what is in progress, and end it: they come through.
        guard count >= FrameHeader.size, decoder.partialLength ?? 0 > ServerLimits.smallFrameBytes else { return }
        guard let failure = overload(requestBytes + count, total) else { return }
        guard let header = decoder.abandonPartial() else { return }
        releasePartial()
        refuse(header.streamID, failure)
    }

    private func releasePartial() {
        guard partialBytes > 0 else { return }
        context.server.budget.add(-partialBytes)
        partialBytes = 0
    }

    /// Why requests in progress of so many bytes are too many; `nil` where they are not.
    private func overload(_ here: Int, _ total: Int) -> Failure? {
        let limits = context.server.limits
        if here > limits.maxRequestBytesPerConnection {
            return Failure(
                .busy,
                "the requests in progress on this connection hold more than \(limits.maxRequestBytesPerConnection) bytes "
                    + "of memory; wait for some to end")
        }
        if total > limits.maxRequestBytes {
            return Failure(
                .busy,
                "the requests in progress on this server hold more than \(limits.maxRequestBytes) bytes of memory; try again "
                    + "later")
        }
        return nil
    }

    /// A frame that has begun must end in time, or a peer could hold memory by dripping.
    private func watchFrame() {
        defer { hasFrameEnded = false }
        if decoder.isMidFrame {
            guard frameTimer == nil || hasFrameEnded else { return }
            let timer = frameTimer ?? LoopTimer { [unowned self] in close(.disconnected) }
            frameTimer = timer
            context.loop.schedule(timer, afterNanoseconds: context.server.limits.frameTimeoutNanoseconds)
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
        do throws(Failure) {
            let envelope = try RequestEnvelope(reading: data)
            guard let method = context.server.methods.find(service: envelope.service, method: envelope.method) else {
                let name = "\(Self.printable(envelope.service))/\(Self.printable(envelope.method))"
                throw Failure(.unknownMethod, "unknown method \(name)")
            }
            guard let caller = admit(envelope, method, streamID: header.streamID) else { return }
            try checkRoom(for: method.isLight ? 0 : data.count)
            let call = Call(
                method: method, streamID: header.streamID, connection: self, caller: caller, requestBytes: data.count,
                metadata: envelope.metadata, timeoutNanoseconds: envelope.timeoutNanoseconds)
            calls[header.streamID] = call
            requestBytes += data.count
            context.server.budget.add(data.count)
            method.handler(call, envelope.payload)
        } catch {
            refuse(header.streamID, error)
        }
    }

    /// - Throws: `Failure` where the server or this connection takes no further call now.
    private func checkRoom(for size: Int) throws(Failure) {
        let limits = context.server.limits
        if context.isDraining { throw .shuttingDown }
        guard calls.count < limits.maxStreamsPerConnection else {
            throw Failure(.busy, "\(calls.count) calls are in progress on this connection, the most it may have")
        }
        guard output.count <= limits.maxBufferedBytesPerConnection else {
            throw Failure(.busy, "\(output.count) bytes of answers wait to be read first")
        }
        guard size > 0 else { return }
        if let failure = overload(requestBytes + size, context.server.budget.bytes + size) { throw failure }
    }

    /// Counts more memory for a call in progress; returns why there is no room for it.
    func hold(more bytes: Int) -> Failure? {
        requestBytes += bytes
        let total = context.server.budget.add(bytes)
        return bytes > 0 ? overload(requestBytes, total) : nil
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
        refuse(header.streamID, Failure(.malformed, message))
        protocolErrors += 1
        if protocolErrors >= ServerLimits.maxProtocolErrors { closeAfterFlush() }
    }

    private static func printable(_ bytes: UnsafeRawBufferPointer) -> String {
        String(decoding: bytes.prefix(80).map { $0 >= 0x20 && $0 < 0x7F ? $0 : 0x3F }, as: UTF8.self)
    }

    // MARK: - Output

    func send(status: Status, streamID: UInt32) {
        var envelope = ResponseEnvelope.encode(status)
        if envelope.count > context.server.limits.maxMessageBytes {
            envelope = ResponseEnvelope.encode(
                context.server.describe(
                    Failure(.answerTooLarge, "the error has \(envelope.count) bytes, more than a message may have")))
        }
        send(kind: FrameHeader.Kind.response, flags: 0, streamID: streamID, size: envelope.count) { out in
            out[FrameHeader.size...].copyBytes(from: envelope)
        }
    }

    /// Refuses a call. A stranger's connection closes with its first one: it may not make us write for nothing.
    private func refuse(_ streamID: UInt32, _ failure: Failure) {
        send(status: context.server.describe(failure), streamID: streamID)
        if !isKnown { closeAfterFlush() }
    }

    /// Refuses a call and closes the connection, so that each guess costs one.
    func refuseAndClose(_ streamID: UInt32, _ failure: Failure) {
        refuse(streamID, failure)
        closeAfterFlush()
    }

    /// Appends one frame; `fill` gets the whole frame's memory and writes everything after the header.
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
        guard calls.removeValue(forKey: call.streamID) != nil else { return }
        requestBytes -= call.requestBytes
        context.server.budget.add(-call.requestBytes)
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
        guard output.count <= 2 * context.server.limits.maxBufferedBytesPerConnection, !isOverSharedOutput() else {
            return close(.disconnected)
        }
        if output.isEmpty, isClosing { return close(.disconnected) }
        updateInterest()
        if !paused.isEmpty, output.count <= context.server.limits.pauseBytes / 4 { resumePaused() }
    }

    /// Counts what waits for the peer. Where all connections together have too much of it, one whose peer does not read is
    /// over the limit.
    private func isOverSharedOutput() -> Bool {
        let total = context.server.output.add(output.count - countedOutput)
        countedOutput = output.count
        return total > context.server.limits.maxBufferedBytes && output.count > context.server.limits.pauseBytes
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
        if !isClosing, !isHeldBack { interest.insert(.readable) }
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
        for timer in [frameTimer, strangerTimer].compactMap({ $0 }) { context.loop.cancel(timer) }
        frameTimer = nil
        strangerTimer = nil
        output.removeAll()
        context.server.output.add(-countedOutput)
        countedOutput = 0
        releasePartial()
        cancelAllCalls(reason)
        context.closed(self)
    }
}
