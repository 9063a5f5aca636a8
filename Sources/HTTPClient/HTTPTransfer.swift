internal import CCurl
internal import CLinux
package import EventLoop

/// Receives the events of one transfer, on the client's loop.
package protocol TransferDelegate: AnyObject {
    /// The final status and headers, without those of 1xx responses. At most once, before the body.
    func transferDidReceiveHead(_ head: HTTPResponseHead)
    /// A piece of the body, valid only during the call. `.pause` accepts it and stops further calls until `resume`.
    func transferDidReceive(_ bytes: UnsafeRawBufferPointer) -> Demand
    /// The end of the transfer; `error` is `nil` if the response is complete. Exactly once, but never after `cancel`.
    func transferDidFinish(_ error: HTTPError?)
}

/// A request in progress. Confined to its client's loop.
package final class HTTPTransfer {
    /// The largest accepted status line and headers together, in bytes.
    private static let maximumHeadBytes = 64 << 10

    private enum Phase {
        /// The response's head is not complete. `needsNewConnection`: libcurl chose an old connection for a request that
        /// may be repeated only on a new one.
        case waiting(needsNewConnection: Bool)
        /// The head is complete; no byte of the body has come.
        case headed
        case receiving(Flow)
        /// Cancelled or finished, but possibly not yet removed from libcurl.
        case over
    }

    private enum Flow {
        case open
        case paused
        /// `resume` was called, and takes effect at the end of the loop's turn.
        case resuming
    }

    private let timeouts: HTTPTimeouts
    private let client: HTTPClient
    private var delegate: (any TransferDelegate)?
    private(set) var easy: EasyHandle?
    /// The index in the client's active transfers.
    var index = 0
    private var phase = Phase.waiting(needsNewConnection: false)
    private var sendRecord: SendRecord
    /// The error for which a libcurl callback aborted the transfer.
    private var ownError: HTTPError?
    private let startedAt: Instant
    private var lastActivity: Instant
    /// Time to make the connection, in microseconds; 0 for a re-used connection. Known once the response headers have
    /// arrived, 0 before.
    package private(set) var connectMicroseconds: Int64 = 0

    /// The first sending of a request that was sent twice; `nil` otherwise. `SendRecord` says when that happens.
    package var resend: HTTPResend? { sendRecord.resend }

    init(_ timeouts: HTTPTimeouts, resendWindow: TimeAmount, client: HTTPClient, delegate: any TransferDelegate) {
        self.timeouts = timeouts
        sendRecord = SendRecord(window: resendWindow)
        self.client = client
        self.delegate = delegate
        startedAt = .now()
        lastActivity = startedAt
    }

    private var isOver: Bool {
        if case .over = phase { true } else { false }
    }

    private var isWaiting: Bool {
        if case .waiting = phase { true } else { false }
    }

    func begin(with easy: EasyHandle) {
        self.easy = easy
        easy.transfer = self
        client.loop.schedule(easy.watchdog, at: nextDeadline)
    }

    // MARK: - For the owner

    /// Ends the transfer and closes its connection (HTTP/2: its stream) at once. The delegate is not called again.
    package func cancel() {
        guard !isOver else { return }
        delegate = nil
        end()
    }

    /// Continues the body after `.pause`. The delegate is called later, never from within this method.
    package func resume() {
        guard case .receiving(.paused) = phase else { return }
        phase = .receiving(.resuming)
        client.resumeLater(self)
    }

    func resumeNow() {
        guard case .receiving(.resuming) = phase, let easy else { return }
        phase = .receiving(.open)
        // The paused time does not count as idle.
        lastActivity = .now()
        client.enter { curl_easy_pause(easy.curl, CURLPAUSE_CONT) }
    }

    // MARK: - From libcurl

    /// Whether the request may be written to the connection that libcurl has chosen. libcurl repeats a request by
    /// itself if a re-used connection ends before the response, however late, and calls this each time.
    func willSend(localPort: UInt16) -> Bool {
        guard !isOver, let easy else { return false }
        let loss = sendRecord.wasSent ? easy.takeFailure() : ""
        let verdict = sendRecord.willSend(
            now: .now(), connectionCount: easy.connectionCount, loss: loss)
        switch verdict {
        case .send:
            client.sends(self, localPort: localPort)
            return true
        case .refuse(let error): ownError = error
        case .needsNewConnection: phase = .waiting(needsNewConnection: true)
        }
        return false
    }

    /// Called before libcurl closes a socket that this transfer has used.
    func socketCloses(_ socket: Int32) {
        guard isWaiting, sendRecord.isUnderWay else { return }
        var roundTrip: UInt32 = 0
        let wasDelivered = gw_tcp_was_delivered(socket, &roundTrip) != 0
        sendRecord.connectionCloses(
            now: .now(), roundTrip: .microseconds(UInt64(roundTrip)), wasDelivered: wasDelivered)
    }

    func receivedHeaderLine(_ line: UnsafeRawBufferPointer) -> Bool {
        guard !isOver, let easy else { return false }
        // Trailers after the body are ignored.
        guard isWaiting else { return true }
        if line.count > 2 {
            // A new status line, for example after a 1xx response.
            if line.starts(with: "HTTP/".utf8) { easy.head.removeAll(keepingCapacity: true) }
            guard easy.head.count + line.count <= Self.maximumHeadBytes else {
                ownError = HTTPError(.tooLarge, "the response headers exceed \(Self.maximumHeadBytes) bytes")
                return false
            }
            easy.head.append(contentsOf: line)
            return true
        }
        let status = easy.status
        guard status >= 200 else { return true }
        phase = .headed
        connectMicroseconds = easy.connectMicroseconds
        delegate?.transferDidReceiveHead(HTTPResponseHead(status: status, lines: easy.head))
        return !isOver
    }

    /// Returns the number of bytes accepted; libcurl aborts the transfer if that is not all of them.
    func receivedBody(_ bytes: UnsafeRawBufferPointer) -> Int {
        guard let easy, let delegate else { return 0 }
        switch phase {
        case .receiving(.open): lastActivity = client.loop.now
        // libcurl may deliver more buffered data after a pause, and reads from the socket once more. It keeps what is
        // refused here and delivers it again.
        case .receiving(.paused), .receiving(.resuming): return Int(CURL_WRITEFUNC_PAUSE)
        case .headed:
            phase = .receiving(.open)
            lastActivity = client.loop.now
            // From now on the idle timeout applies, which may be shorter.
            client.loop.schedule(easy.watchdog, at: nextDeadline)
        case .waiting:
            ownError = HTTPError(.interrupted, "the answer has a body, but no final status")
            return 0
        case .over: return 0
        }
        if delegate.transferDidReceive(bytes) == .pause, !isOver {
            phase = .receiving(.paused)
            // Allowed inside the callback; the buffer counts as taken.
            curl_easy_pause(easy.curl, CURLPAUSE_RECV)
        }
        return isOver ? 0 : bytes.count
    }

    func finished(_ code: CURLcode) {
        guard !isOver, let easy else { return }
        if ownError == nil, case .waiting(let needsNewConnection) = phase,
            needsNewConnection || easy.lostReusedConnection(code)
        {
            ownError = sendRecord.refusal(now: .now())
            if ownError == nil {
                phase = .waiting(needsNewConnection: false)
                sendRecord.restarts()
                client.restart(easy)
                return
            }
        }
        if isWaiting { connectMicroseconds = easy.connectMicroseconds }
        var error = ownError
        if error == nil, code != CURLE_OK {
            // libcurl's word for a header line beyond its own limit of 100 KiB.
            let isHugeLine = code == CURLE_OUT_OF_MEMORY && isWaiting && easy.status != 0
            error = isHugeLine ? HTTPError(.tooLarge, "the answer has a header that is too long") : easy.error(code)
        } else if error == nil, isWaiting {
            // libcurl is content with an answer that breaks off within its headers.
            error = HTTPError(.interrupted, "the answer broke off in its headers")
        }
        finish(error)
    }

    func finish(_ error: HTTPError?) {
        guard !isOver else { return }
        let delegate = delegate
        self.delegate = nil
        end()
        delegate?.transferDidFinish(error)
    }

    /// Returns the handle. libcurl closes the connection of an unfinished HTTP/1.1 transfer, and the stream of an
    /// HTTP/2 transfer.
    private func end() {
        phase = .over
        let easy = easy
        self.easy = nil
        client.release(self, easy)
    }

    // MARK: - Time

    /// libcurl enforces the connect timeout; the others are enforced here. The idle deadline is re-computed when the
    /// timer fires, so that a chunk needs no timer operation.
    private var nextDeadline: Instant {
        let phaseEnd =
            switch phase {
            case .waiting, .headed, .over: startedAt + timeouts.firstByte
            case .receiving(.open): lastActivity + timeouts.idle
            // Looks again later; `resume` sets the clock back.
            case .receiving(.paused), .receiving(.resuming):
                Instant.now() + timeouts.idle
            }
        return min(startedAt + timeouts.total, phaseEnd)
    }

    func checkTimeouts() {
        guard !isOver, let easy else { return }
        let now = Instant.now()
        if now >= startedAt + timeouts.total {
            return timeOut(.total, "not finished within \(timeouts.total.milliseconds) ms")
        }
        switch phase {
        case .waiting where now >= startedAt + timeouts.firstByte,
            .headed where now >= startedAt + timeouts.firstByte:
            timeOut(.firstByte, "no answer within \(timeouts.firstByte.milliseconds) ms")
        case .receiving(.open) where now >= lastActivity + timeouts.idle:
            timeOut(.idle, "silence for \(timeouts.idle.milliseconds) ms in the middle of the answer")
        case .waiting, .headed, .receiving, .over: client.loop.schedule(easy.watchdog, at: nextDeadline)
        }
    }

    private func timeOut(_ phase: HTTPError.Phase, _ words: String) {
        if isWaiting, let easy { connectMicroseconds = easy.connectMicroseconds }
        finish(HTTPError(.timeout(phase), words))
    }
}
