internal import CCurl
internal import CLinux
public import EventLoop

/// Hears of one transfer. Called on the client's loop.
public protocol TransferDelegate: AnyObject {
    /// The status and headers came. Once, before any of the body.
    func transferDidReceiveHead(_ head: HTTPResponseHead)
    /// A piece of the body, valid during the call only. With `.pause` it is taken, but no more comes until `resume`.
    func transferDidReceive(_ bytes: UnsafeRawBufferPointer) -> Demand
    /// The end: `nil` where the body came whole. Exactly once; never after `cancel`.
    func transferDidFinish(_ error: HTTPError?)
}

/// One request on its way. Belongs to its client's loop.
public final class HTTPTransfer {
    /// The largest head of an answer, in bytes.
    private static let maximumHeadBytes = 64 << 10

    private let timeouts: HTTPTimeouts
    private let client: HTTPClient
    private var delegate: (any TransferDelegate)?
    private(set) var easy: EasyHandle?
    /// The place among the client's active transfers.
    var index = 0
    /// Cancelled or finished; libcurl may not know yet.
    private var isOver = false
    private var hasHead = false
    private var hasBody = false
    private var isPaused = false
    private var resumeIsDue = false
    private var sendRecord: SendRecord
    /// libcurl chose a connection on which the request must not be sent again.
    private var needsNewConnection = false
    /// Why the transfer was ended from inside a libcurl callback.
    private var ownError: HTTPError?
    private let startedAt: UInt64
    private var lastActivity: UInt64
    /// Making the connection took this long, in microseconds; 0 where one was re-used, and until it is known, which
    /// it is from the answer's head on.
    public private(set) var connectMicroseconds: Int64 = 0

    /// The request was sent twice: what became of the first sending. See `SendRecord` for when that happens.
    public var resend: HTTPResend? { sendRecord.resend }

    init(_ timeouts: HTTPTimeouts, resendWindow: UInt64, client: HTTPClient, delegate: any TransferDelegate) {
        self.timeouts = timeouts
        sendRecord = SendRecord(window: resendWindow)
        self.client = client
        self.delegate = delegate
        startedAt = EventLoop.monotonicNanoseconds()
        lastActivity = startedAt
    }

    func begin(with easy: EasyHandle) {
        self.easy = easy
        easy.transfer = self
        client.loop.schedule(easy.watchdog, at: nextDeadline)
    }

    // MARK: - For the owner

    /// Ends the transfer; its connection is closed at once. The delegate hears nothing more.
    public func cancel() {
        guard !isOver else { return }
        delegate = nil
        end()
    }

    /// Lets the body come again after `.pause`. The next piece comes later, never from inside this call.
    public func resume() {
        guard !isOver, isPaused, !resumeIsDue else { return }
        resumeIsDue = true
        client.resumeLater(self)
    }

    func resumeNow() {
        guard !isOver, let easy else { return }
        isPaused = false
        resumeIsDue = false
        // Silence was our own wish until now.
        lastActivity = EventLoop.monotonicNanoseconds()
        client.enter { curl_easy_pause(easy.curl, CURLPAUSE_CONT) }
    }

    // MARK: - From libcurl

    /// Whether the request may be written to the connection that libcurl has chosen. libcurl sends it again by itself
    /// where a re-used connection ends before the answer, however late that is, and asks here each time.
    func willSend(localPort: UInt16) -> Bool {
        guard !isOver, let easy else { return false }
        let loss = sendRecord.wasSent ? easy.takeFailure() : ""
        let verdict = sendRecord.willSend(
            now: EventLoop.monotonicNanoseconds(), connectionCount: easy.connectionCount, loss: loss)
        switch verdict {
        case .send:
            client.sends(self, localPort: localPort)
            return true
        case .refuse(let error): ownError = error
        case .needsNewConnection: needsNewConnection = true
        }
        return false
    }

    /// libcurl is about to close a socket that it has used for this transfer.
    func socketCloses(_ socket: Int32) {
        guard !hasHead, sendRecord.isUnderWay else { return }
        var roundTrip: UInt32 = 0
        let wasDelivered = gw_tcp_was_delivered(socket, &roundTrip) != 0
        sendRecord.connectionCloses(
            now: EventLoop.monotonicNanoseconds(), roundTrip: UInt64(roundTrip) * 1000, wasDelivered: wasDelivered)
    }

    func receivedHeaderLine(_ line: UnsafeRawBufferPointer) -> Bool {
        guard !isOver, let easy else { return false }
        // Trailers behind the body are not the head's.
        if hasHead { return true }
        if line.count > 2 {
            // An answer's status line after that of a 1xx.
            if line.starts(with: "HTTP/".utf8) { easy.head.removeAll(keepingCapacity: true) }
            guard easy.head.count + line.count <= Self.maximumHeadBytes else {
                ownError = HTTPError(.tooLarge, "the answer's headers exceed \(Self.maximumHeadBytes) bytes")
                return false
            }
            easy.head.append(contentsOf: line)
            return true
        }
        let status = easy.status
        guard status >= 200 else { return true }
        hasHead = true
        connectMicroseconds = easy.connectMicroseconds
        delegate?.transferDidReceiveHead(HTTPResponseHead(status: status, lines: easy.head))
        return !isOver
    }

    /// How many bytes were taken; libcurl ends the transfer where that is not all of them.
    func receivedBody(_ bytes: UnsafeRawBufferPointer) -> Int {
        guard !isOver, let easy, let delegate else { return 0 }
        // libcurl does not look whether it was paused between two pieces of what it has in its buffers, and once it
        // was paused it reads from the socket once more. What it shows now it keeps and shows again.
        if isPaused { return Int(CURL_WRITEFUNC_PAUSE) }
        lastActivity = client.loop.now
        if !hasBody {
            hasBody = true
            // From here on the idle limit counts, which may be the shorter one.
            client.loop.schedule(easy.watchdog, at: nextDeadline)
        }
        if delegate.transferDidReceive(bytes) == .pause, !isOver {
            isPaused = true
            // Allowed inside the callback; the buffer counts as taken.
            curl_easy_pause(easy.curl, CURLPAUSE_RECV)
        }
        return isOver ? 0 : bytes.count
    }

    func finished(_ code: CURLcode) {
        guard !isOver, let easy else { return }
        if ownError == nil, !hasHead, needsNewConnection || easy.lostReusedConnection(code) {
            ownError = sendRecord.refusal(now: EventLoop.monotonicNanoseconds())
            if ownError == nil {
                needsNewConnection = false
                sendRecord.restarts()
                client.restart(easy)
                return
            }
        }
        if !hasHead { connectMicroseconds = easy.connectMicroseconds }
        var error = ownError
        if error == nil, code != CURLE_OK {
            // libcurl's word for a header line beyond its own limit of 100 KiB.
            let isHugeLine = code == CURLE_OUT_OF_MEMORY && !hasHead && easy.status != 0
            error = isHugeLine ? HTTPError(.tooLarge, "the answer has a header that is too long") : easy.error(code)
        } else if error == nil, !hasHead {
            // libcurl is content with an answer that breaks off within its headers.
            error = HTTPError(.interrupted, "the answer broke off in its headers")
        }
        finish(error)
    }

    /// Reports the end.
    func finish(_ error: HTTPError?) {
        guard !isOver else { return }
        let delegate = delegate
        self.delegate = nil
        end()
        delegate?.transferDidFinish(error)
    }

    /// Gives the handle back. An unfinished HTTP/1.1 transfer takes its connection with it; an HTTP/2 one its stream.
    private func end() {
        isOver = true
        let easy = easy
        self.easy = nil
        client.release(self, easy)
    }

    // MARK: - Time

    /// libcurl watches the connection phase; the others are watched here. A moving deadline is checked when the timer
    /// fires, so a chunk costs no timer work.
    private var nextDeadline: UInt64 {
        let total = Self.instant(startedAt, timeouts.total)
        if !hasBody { return min(total, Self.instant(startedAt, timeouts.firstByte)) }
        // While paused, looks again later; `resume` sets the clock back.
        return min(total, Self.instant(isPaused ? EventLoop.monotonicNanoseconds() : lastActivity, timeouts.idle))
    }

    func checkTimeouts() {
        guard !isOver, let easy else { return }
        let now = EventLoop.monotonicNanoseconds()
        if now >= Self.instant(startedAt, timeouts.total) {
            timeOut(.total, "not finished within \(timeouts.total / 1_000_000) ms")
        } else if !hasBody, now >= Self.instant(startedAt, timeouts.firstByte) {
            timeOut(.firstByte, "no answer within \(timeouts.firstByte / 1_000_000) ms")
        } else if hasBody, !isPaused, now >= Self.instant(lastActivity, timeouts.idle) {
            timeOut(.idle, "silence for \(timeouts.idle / 1_000_000) ms in the middle of the answer")
        } else {
            client.loop.schedule(easy.watchdog, at: nextDeadline)
        }
    }

    private func timeOut(_ phase: HTTPError.Phase, _ words: String) {
        if !hasHead, let easy { connectMicroseconds = easy.connectMicroseconds }
        finish(HTTPError(.timeout(phase), words))
    }

    private static func instant(_ start: UInt64, _ delay: UInt64) -> UInt64 {
        let (sum, overflow) = start.addingReportingOverflow(delay)
        return overflow ? .max : sum
    }
}
