internal import CCurl
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
    private enum State {
        case active
        /// Cancelled or finished; libcurl may not know yet.
        case over
    }

    /// The largest head of an answer, in bytes.
    private static let maximumHeadBytes = 64 << 10

    let request: HTTPRequest
    private let client: HTTPClient
    private var delegate: (any TransferDelegate)?
    private(set) var easy: EasyHandle?
    private var state = State.active
    private var head: [UInt8] = []
    private var hasHead = false
    private var hasBody = false
    private var isPaused = false
    /// Why the transfer was ended from inside a libcurl callback.
    private var ownError: HTTPError?
    private let startedAt: UInt64
    private var lastActivity: UInt64
    private var watchdog: LoopTimer?
    /// Making the connection took this long, in microseconds; 0 where one was re-used, and until it is known.
    public private(set) var connectMicroseconds: Int64 = 0

    init(_ request: HTTPRequest, client: HTTPClient, easy: EasyHandle, delegate: any TransferDelegate) {
        self.request = request
        self.client = client
        self.easy = easy
        self.delegate = delegate
        startedAt = EventLoop.monotonicNanoseconds()
        lastActivity = startedAt
        let timer = LoopTimer { [unowned self] in checkTimeouts() }
        watchdog = timer
        client.loop.schedule(timer, at: nextDeadline)
    }

    // MARK: - For the owner

    /// Ends the transfer; its connection is closed at once. The delegate hears nothing more.
    public func cancel() {
        guard state == .active else { return }
        delegate = nil
        end()
    }

    /// Lets the body come again after `.pause`. The next piece comes later, never from inside this call.
    public func resume() {
        guard state == .active, isPaused else { return }
        client.resumeLater(self)
    }

    func resumeNow() {
        guard state == .active, isPaused, let easy else { return }
        isPaused = false
        // Silence was our own wish until now.
        lastActivity = EventLoop.monotonicNanoseconds()
        client.enter { curl_easy_pause(easy.curl, CURLPAUSE_CONT) }
    }

    // MARK: - From libcurl

    func receivedHeaderLine(_ line: UnsafeRawBufferPointer) -> Bool {
        guard state == .active else { return false }
        // Trailers behind the body are not the head's.
        if hasHead { return true }
        if line.starts(with: "HTTP/".utf8) { head.removeAll(keepingCapacity: true) }
        guard head.count + line.count <= Self.maximumHeadBytes else {
            ownError = HTTPError(.tooLarge, "the answer's headers exceed \(Self.maximumHeadBytes) bytes")
            return false
        }
        if line.count > 2 {
            head.append(contentsOf: line)
            return true
        }
        guard let easy else { return false }
        let status = gw_curl_info_long(easy.curl, CURLINFO_RESPONSE_CODE)
        guard status >= 200 else { return true }
        hasHead = true
        lastActivity = client.loop.now
        delegate?.transferDidReceiveHead(HTTPResponseHead(status: status, raw: head))
        head = []
        return state == .active
    }

    func receivedBody(_ bytes: UnsafeRawBufferPointer) -> Bool {
        guard state == .active, let easy else { return false }
        lastActivity = client.loop.now
        if !hasBody {
            hasBody = true
            // From here on silence counts, which may well be due before the first byte was.
            if let watchdog { client.loop.schedule(watchdog, at: nextDeadline) }
        }
        guard let delegate else { return false }
        if delegate.transferDidReceive(bytes) == .pause, state == .active {
            isPaused = true
            // Allowed inside the callback; the buffer counts as taken, and no other one comes.
            curl_easy_pause(easy.curl, CURLPAUSE_RECV)
        }
        return state == .active
    }

    func finished(_ code: CURLcode) {
        guard state == .active, let easy else { return }
        let error = ownError ?? (code == CURLE_OK ? nil : HTTPError(code: code, detail: easy.errorText))
        noteConnectTime()
        let delegate = delegate
        self.delegate = nil
        end()
        delegate?.transferDidFinish(error)
    }

    private func noteConnectTime() {
        guard let easy, gw_curl_info_long(easy.curl, CURLINFO_NUM_CONNECTS) > 0 else { return }
        connectMicroseconds = Int64(
            max(
                gw_curl_info_time(easy.curl, CURLINFO_CONNECT_TIME_T),
                gw_curl_info_time(easy.curl, CURLINFO_APPCONNECT_TIME_T)))
    }

    /// Gives the handle back. An unfinished HTTP/1.1 transfer takes its connection with it; an HTTP/2 one its stream.
    private func end() {
        state = .over
        if let watchdog { client.loop.cancel(watchdog) }
        watchdog = nil
        guard let easy else { return }
        self.easy = nil
        client.release(easy, of: self)
    }

    // MARK: - Time

    /// libcurl watches the connection phase; the others are watched here. A moving deadline is checked when the timer
    /// fires, so a chunk costs no timer work.
    private var nextDeadline: UInt64 {
        let timeouts = request.timeouts
        var deadline = startedAt &+ timeouts.total
        if !hasBody {
            deadline = min(deadline, startedAt &+ timeouts.firstByte)
        } else if !isPaused {
            deadline = min(deadline, lastActivity &+ timeouts.idle)
        } else {
            deadline = min(deadline, EventLoop.monotonicNanoseconds() &+ timeouts.idle)
        }
        return deadline
    }

    private func checkTimeouts() {
        guard state == .active, let watchdog else { return }
        let now = EventLoop.monotonicNanoseconds()
        let timeouts = request.timeouts
        let phase: HTTPError.Phase
        if now >= startedAt &+ timeouts.total {
            phase = .total
        } else if !hasBody, now >= startedAt &+ timeouts.firstByte {
            phase = .firstByte
        } else if hasBody, !isPaused, now >= lastActivity &+ timeouts.idle {
            phase = .idle
        } else {
            client.loop.schedule(watchdog, at: nextDeadline)
            return
        }
        noteConnectTime()
        let delegate = delegate
        self.delegate = nil
        end()
        let words =
            switch phase {
            case .connect: "no connection within \(timeouts.connect / 1_000_000) ms"
            case .firstByte: "no answer within \(timeouts.firstByte / 1_000_000) ms"
            case .idle: "silence for \(timeouts.idle / 1_000_000) ms in the middle of the answer"
            case .total: "not finished within \(timeouts.total / 1_000_000) ms"
            }
        delegate?.transferDidFinish(HTTPError(.timeout(phase), words))
    }
}
