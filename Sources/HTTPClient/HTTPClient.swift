internal import CCurl
public import EventLoop

/// What holds for all requests of a client. Proxies are taken from the usual environment names (`https_proxy`,
/// `http_proxy`, `no_proxy`), which libcurl reads itself.
public struct HTTPClientOptions: Sendable {
    /// A file of PEM certificates to trust instead of the system's.
    public var caFile: String?
    /// Accepts any certificate. For experiments only.
    public var skipsVerification = false
    /// Connections kept open for re-use when idle.
    public var maxIdleConnections = 256
    /// The `User-Agent` header.
    public var userAgent = "genwire"

    /// Verified TLS with the system's certificates.
    public init() {}
}

/// HTTP/1.1 and HTTP/2 requests through a libcurl multi handle whose sockets and timer are the loop's. One a loop.
///
/// libcurl forbids removing handles, and unpausing calls back into us, from inside its own callbacks; both are put
/// off until the call into libcurl has returned (`enter`).
public final class HTTPClient: TurnEndHandler {
    let loop: EventLoop
    private let options: HTTPClientOptions
    private let multi: UnsafeMutableRawPointer
    private var timer: LoopTimer?
    private var pool: [EasyHandle] = []
    private var active: [ObjectIdentifier: HTTPTransfer] = [:]
    /// Greater than zero while libcurl is on the stack.
    private var depth = 0
    private var releases: [EasyHandle] = []
    private var resumes: [HTTPTransfer] = []
    private var timeoutIsDue = false
    private var isTurnEndScheduled = false

    private static let globalInit: Void = { _ = curl_global_init(Int(CURL_GLOBAL_DEFAULT)) }()

    /// A client on `loop`, which must be the current one.
    public init(loop: EventLoop, options: HTTPClientOptions = HTTPClientOptions()) {
        loop.preconditionOnLoop()
        _ = Self.globalInit
        self.loop = loop
        self.options = options
        guard let multi = curl_multi_init() else { preconditionFailure("out of memory") }
        self.multi = multi
        gw_curl_multi_set_long(multi, CURLMOPT_MAXCONNECTS, options.maxIdleConnections)
        gw_curl_multi_callbacks(
            multi, Self.socketCallback, Self.timerCallback, Unmanaged.passUnretained(self).toOpaque())
        timer = LoopTimer { [unowned self] in timeout() }
    }

    deinit {
        // `shutdown` has run, or nothing was ever started; either way no callback has anything to find.
        pool.removeAll()
        curl_multi_cleanup(multi)
    }

    /// Transfers in progress.
    public var activeCount: Int { active.count }

    /// Starts a request. Its bytes leave within the current turn of the loop.
    public func start(_ request: HTTPRequest, delegate: any TransferDelegate) -> HTTPTransfer {
        loop.preconditionOnLoop()
        let easy = pool.popLast() ?? EasyHandle(options: options)
        let transfer = HTTPTransfer(request, client: self, easy: easy, delegate: delegate)
        easy.transfer = transfer
        easy.prepare(transfer.request)
        active[ObjectIdentifier(transfer)] = transfer
        enter { curl_multi_add_handle(multi, easy.curl) }
        return transfer
    }

    /// Cancels everything and closes all connections. The client must not be used afterwards.
    public func shutdown() {
        for transfer in Array(active.values) { transfer.cancel() }
        settle()
        if let timer { loop.cancel(timer) }
        pool.removeAll()
    }

    // MARK: - Calls into libcurl

    /// Runs a call into libcurl; what its callbacks put off happens at the end of the outermost one.
    func enter(_ body: () -> some Any) {
        depth += 1
        _ = body()
        depth -= 1
        if depth == 0 { settle() }
    }

    private func settle() {
        while true {
            for easy in releases { remove(easy) }
            releases.removeAll(keepingCapacity: true)
            var code = CURLE_OK
            guard let curl = gw_curl_multi_next_done(multi, &code) else { return }
            guard let user = gw_curl_private(curl) else { continue }
            // A transfer that was cancelled has left its handle; there is nobody to tell.
            Unmanaged<EasyHandle>.fromOpaque(user).takeUnretainedValue().transfer?.finished(code)
        }
    }

    func release(_ easy: EasyHandle, of transfer: HTTPTransfer) {
        easy.transfer = nil
        active[ObjectIdentifier(transfer)] = nil
        if depth > 0 { releases.append(easy) } else { remove(easy) }
    }

    private func remove(_ easy: EasyHandle) {
        depth += 1
        curl_multi_remove_handle(multi, easy.curl)
        depth -= 1
        if pool.count < 1024 { pool.append(easy) }
    }

    func resumeLater(_ transfer: HTTPTransfer) {
        resumes.append(transfer)
        scheduleTurnEnd()
    }

    private func scheduleTurnEnd() {
        guard !isTurnEndScheduled else { return }
        isTurnEndScheduled = true
        loop.atTurnEnd(self)
    }

    /// Part of `TurnEndHandler`.
    public func turnEnded() {
        isTurnEndScheduled = false
        if !resumes.isEmpty {
            let waiting = resumes
            resumes.removeAll(keepingCapacity: true)
            for transfer in waiting { transfer.resumeNow() }
        }
        if timeoutIsDue { timeout() }
    }

    private func timeout() {
        timeoutIsDue = false
        var running: Int32 = 0
        enter { curl_multi_socket_action(multi, CURL_SOCKET_TIMEOUT, 0, &running) }
    }

    fileprivate func socketReady(_ socket: Int32, _ readiness: Readiness) {
        var mask: Int32 = 0
        if readiness.contains(.readable) { mask |= CURL_CSELECT_IN }
        if readiness.contains(.writable) { mask |= CURL_CSELECT_OUT }
        if readiness.contains(.hangup) { mask |= CURL_CSELECT_ERR }
        var running: Int32 = 0
        enter { curl_multi_socket_action(multi, socket, mask, &running) }
    }

    // MARK: - Callbacks from libcurl

    private static let timerCallback: curl_multi_timer_callback = { _, milliseconds, user in
        guard let user else { return 0 }
        Unmanaged<HTTPClient>.fromOpaque(user).takeUnretainedValue().setTimer(milliseconds)
        return 0
    }

    private func setTimer(_ milliseconds: Int) {
        guard let timer else { return }
        switch milliseconds {
        case ..<0:
            loop.cancel(timer)
            timeoutIsDue = false
        case 0:
            // At once, but not from inside this callback.
            loop.cancel(timer)
            timeoutIsDue = true
            scheduleTurnEnd()
        default:
            timeoutIsDue = false
            loop.schedule(timer, afterNanoseconds: UInt64(milliseconds) * 1_000_000)
        }
    }

    private static let socketCallback: curl_socket_callback = { _, socket, what, user, assigned in
        guard let user else { return 0 }
        let client = Unmanaged<HTTPClient>.fromOpaque(user).takeUnretainedValue()
        client.watch(socket, what, assigned)
        return 0
    }

    /// `assigned` is the watch that libcurl keeps for the socket; it holds one retain, taken when the watch is made
    /// and given back when libcurl lets the socket go.
    private func watch(_ socket: Int32, _ what: Int32, _ assigned: UnsafeMutableRawPointer?) {
        if what == CURL_POLL_REMOVE {
            guard let assigned else { return }
            Unmanaged<SocketWatch>.fromOpaque(assigned).takeRetainedValue().stop()
            curl_multi_assign(multi, socket, nil)
            return
        }
        var interest: Interest = []
        if what == CURL_POLL_IN || what == CURL_POLL_INOUT { interest.insert(.readable) }
        if what == CURL_POLL_OUT || what == CURL_POLL_INOUT { interest.insert(.writable) }
        if let assigned {
            Unmanaged<SocketWatch>.fromOpaque(assigned).takeUnretainedValue().update(interest)
        } else {
            let watch = SocketWatch(socket, interest, client: self)
            curl_multi_assign(multi, socket, Unmanaged.passRetained(watch).toOpaque())
        }
    }
}

/// One of libcurl's sockets in the loop.
private final class SocketWatch: ReadinessHandler {
    private let socket: Int32
    private unowned let client: HTTPClient
    private var registration: Registration?

    init(_ socket: Int32, _ interest: Interest, client: HTTPClient) {
        self.socket = socket
        self.client = client
        // A socket that the loop does not take is never ready; the transfer then ends by its timeout.
        registration = try? client.loop.register(socket, interest, self)
    }

    func update(_ interest: Interest) {
        if let registration { try? client.loop.update(registration, interest) }
    }

    func stop() {
        if let registration { client.loop.deregister(registration) }
        registration = nil
    }

    func ready(_ readiness: Readiness) { client.socketReady(socket, readiness) }
}
