internal import EventLoop
internal import Limits

/// ttrpc on one connection of a server: decodes frames into calls and encodes their responses as frames.
///
/// `StreamTable` implements the rules of streams; the connection handles authentication and limits.
final class TTRPCWire {
    private unowned let connection: ServerConnection
    private let channel: Channel
    private let context: ServerLoop
    private let limits: ServerLimits
    private var decoder: FrameDecoder
    private var streams = StreamTable<Call>()
    private var paused = PausedCalls()

    init(_ connection: ServerConnection) {
        self.connection = connection
        channel = connection.channel
        context = connection.context
        limits = connection.context.server.limits
        decoder = FrameDecoder(maximumLength: limits.maxMessageBytes)
    }

    /// The calls in progress.
    var calls: [Call] { streams.streams }
    /// The number of calls in progress.
    var callCount: Int { streams.count }
    /// Whether part of a frame has been received.
    var isMidFrame: Bool { decoder.isMidFrame }
    /// The bytes missing from the incomplete frame, if its header is complete.
    var missingCount: Int { decoder.missingCount }

    /// Whether a connection may begin with this byte. Every ttrpc frame begins with 0, because its length is at most 4
    /// MiB.
    static func mayBegin(with byte: UInt8) -> Bool { byte == 0 }

    // MARK: - Input

    /// Processes received bytes. Returns whether a frame ended in them.
    func consume(_ bytes: UnsafeRawBufferPointer) -> Bool {
        var hasFrameEnded = false
        decoder.consume(bytes, limit: { connection.isKnown ? .max : ServerLimits.maxStrangerMessageBytes }) { event in
            // From now on the frame's bytes count for its call, if it becomes one.
            connection.account.releasePartial()
            hasFrameEnded = true
            switch event {
            case .frame(let header, let data): handle(header, data)
            case .oversize(let header): refuse(header.streamID, tooLarge(header))
            }
            return connection.isServing
        }
        if connection.isServing { checkPartial() }
        return hasFrameEnded
    }

    /// Counts the buffered bytes of the incomplete frame, and drops the frame if they exceed a limit.
    private func checkPartial() {
        let isKnown = connection.isKnown
        if let header = decoder.hopelessFrame(beyond: isKnown ? 4 * limits.maxMessageBytes : 0) {
            return refuseAndClose(header.streamID, tooLarge(header))
        }
        // Small frames are kept: calls that inspect and cancel others must get through.
        guard let failure = connection.account.setPartial(decoder.partialCount),
            decoder.partialLength ?? 0 > ServerLimits.smallFrameBytes, let header = decoder.abandonPartial()
        else { return }
        connection.account.releasePartial()
        refuse(header.streamID, failure)
    }

    private func tooLarge(_ header: FrameHeader) -> Failure {
        guard connection.isKnown else {
            return Failure(
                .unauthenticated,
                "a message of \(header.length) bytes exceeds the limit before authentication; call Control.Hello "
                    + "with the token first, or send a smaller call first")
        }
        // The text begins like that of containerd's server.
        return Failure(
            .requestTooLarge,
            "message length \(header.length) exceed maximum message size of \(limits.maxMessageBytes)")
    }

    private func handle(_ header: FrameHeader, _ data: UnsafeRawBufferPointer) {
        switch streams.receive(header) {
        case .request: open(header, data)
        case .unexpectedData(let call): call.cancel(.protocolViolation)
        case .close, .ignored: break
        case .violation(let violation):
            refuse(header.streamID, Failure(.malformed, violation.message))
            if streams.violationCount >= ServerLimits.maxProtocolErrors { connection.closeAfterFlush() }
        }
    }

    private func open(_ header: FrameHeader, _ data: UnsafeRawBufferPointer) {
        do throws(Failure) {
            let envelope = try RequestEnvelope(reading: data)
            guard let method = context.server.methods.find(service: envelope.service, method: envelope.method) else {
                let name = "\(Self.printable(envelope.service))/\(Self.printable(envelope.method))"
                throw Failure(.unknownMethod, "unknown method \(name)")
            }
            guard let caller = admit(envelope, method, header) else { return }
            try connection.checkRoom(callCount: streams.count, for: method.isLight ? 0 : data.count)
            let call = Call(
                method: method, streamID: header.streamID, wire: self, session: connection, caller: caller,
                requestBytes: data.count, metadata: envelope.metadata,
                timeoutNanoseconds: envelope.timeoutNanoseconds)
            streams.insert(call, id: header.streamID, isServerStreaming: method.isServerStreaming)
            method.handler(call, envelope.payload)
        } catch {
            refuse(header.streamID, error)
        }
    }

    /// Returns the caller of one call. If it may not call, sends the error, closes the connection and returns `nil`.
    private func admit(_ envelope: RequestEnvelope, _ method: Method, _ header: FrameHeader) -> Admission.Caller? {
        do throws(Failure) {
            return try connection.admit(metadata: envelope.metadata, isOpen: method.isOpen)
        } catch {
            refuseAndClose(header.streamID, error)
            return nil
        }
    }

    private static func printable(_ bytes: UnsafeRawBufferPointer) -> String {
        String(decoding: bytes.prefix(80).map { $0 >= 0x20 && $0 < 0x7F ? $0 : 0x3F }, as: UTF8.self)
    }

    // MARK: - Output

    /// Refuses a call. Closes a stranger's connection with its first refused call, to limit what the server writes to
    /// it.
    private func refuse(_ streamID: UInt32, _ failure: Failure) {
        write(context.server.describe(failure), streamID: streamID)
        if !connection.isKnown { connection.closeAfterFlush() }
    }

    /// Refuses a call and closes the connection, so that each guess costs a connection.
    private func refuseAndClose(_ streamID: UInt32, _ failure: Failure) {
        refuse(streamID, failure)
        connection.closeAfterFlush()
    }

    private func write(_ status: Status, streamID: UInt32) {
        var envelope = ResponseEnvelope.encode(status)
        if envelope.count > limits.maxMessageBytes {
            envelope = ResponseEnvelope.encode(
                context.server.describe(
                    Failure(.answerTooLarge, "the error has \(envelope.count) bytes, more than the message limit")))
        }
        write(kind: FrameHeader.Kind.response, flags: 0, streamID: streamID, size: envelope.count) { out in
            out[FrameHeader.size...].copyBytes(from: envelope)
        }
    }

    /// Appends one frame; `fill` receives the whole frame's memory and writes everything after the header.
    @inline(__always)
    private func write(
        kind: UInt8, flags: UInt8, streamID: UInt32, size: Int, _ fill: (UnsafeMutableRawBufferPointer) -> Void
    ) {
        guard let frame = channel.append(count: FrameHeader.size + size) else { return }
        FrameHeader(length: size, streamID: streamID, kind: kind, flags: flags).write(to: frame)
        fill(frame)
    }

    /// Resumes paused calls once enough output has been sent.
    func didFlush() {
        guard !paused.isEmpty, channel.waitingBytes <= limits.pauseBytes / 4 else { return }
        for call in paused.removeAll() { call.resume() }
    }

    private func forget(_ call: Call) {
        streams.remove(call.streamID)
        paused.remove(call)
    }
}

extension TTRPCWire: CallWire {
    func fits(_ size: Int, isLast: Bool) -> Bool {
        (isLast ? ResponseEnvelope.successSize(size) : size) <= limits.maxMessageBytes
    }

    func send(_ size: Int, on call: Call, _ fill: (UnsafeMutableRawPointer) -> Void) -> Demand {
        write(kind: FrameHeader.Kind.data, flags: 0, streamID: call.streamID, size: size) { out in
            if size > 0, let base = out.baseAddress { fill(base + FrameHeader.size) }
        }
        return demand(for: call)
    }

    private func demand(for call: Call) -> Demand {
        if channel.waitingBytes > limits.maxBufferedBytesPerConnection {
            // Nothing has been written in this batch yet: a burst within one batch does not mean a slow reader.
            channel.flush()
            if channel.waitingBytes > limits.maxBufferedBytesPerConnection {
                call.cancel(.slowReader)
                return .pause
            }
        }
        guard channel.waitingBytes > limits.pauseBytes else { return .more }
        paused.add(call)
        return .pause
    }

    func respond(_ size: Int, on call: Call, _ fill: (UnsafeMutableRawPointer) -> Void) {
        forget(call)
        let envelope = ResponseEnvelope.successSize(size)
        write(kind: FrameHeader.Kind.response, flags: 0, streamID: call.streamID, size: envelope) { out in
            let start = ResponseEnvelope.writeSuccessHead(size, to: out, at: FrameHeader.size)
            if size > 0, let base = out.baseAddress { fill(base + start) }
        }
    }

    /// The close frame contains no data: standard ttrpc clients lose data sent with it.
    func finish(_ call: Call) {
        forget(call)
        write(
            kind: FrameHeader.Kind.data, flags: FrameHeader.Flags.remoteClosed | FrameHeader.Flags.noData,
            streamID: call.streamID, size: 0
        ) { _ in }
    }

    func fail(_ call: Call, _ status: Status) {
        forget(call)
        write(status, streamID: call.streamID)
    }
}
