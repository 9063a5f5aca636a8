internal import CCurl
public import EventLoop
internal import Glibc

/// HTTP/1.1 and HTTP/2 requests through a libcurl multi handle whose sockets and timer are the loop's. One a loop.
///
/// libcurl forbids adding and removing handles from inside its own callbacks, and unpausing one calls back into us;
/// all of that is put off until the call into libcurl has returned (`enter`).
///
/// The first client makes the process ignore SIGPIPE where nobody handles it: OpenSSL writes to sockets in a way that
/// raises it when the peer is gone.
public final class HTTPClient: TurnEndHandler {
    /// Handles kept for re-use; each weighs some 6 KiB.
    private static let maximumPool = 64

    let loop: EventLoop
    private let options: HTTPClientOptions
    /// `nil` once shut down.
    private var multi: UnsafeMutableRawPointer?
    private var timer: LoopTimer?
    private var pool: [EasyHandle] = []
    /// Each transfer knows its index here.
    private var active: [HTTPTransfer] = []
    /// Greater than zero while libcurl is on the stack.
    private var depth = 0
    private var isSettling = false
    private var isShutDown = false
    // What was asked for while libcurl was on the stack.
    private var waiting: [HTTPTransfer] = []
    private var releases: [EasyHandle] = []
    /// The last request written in the call into libcurl that is on the stack, while libcurl does not watch its socket yet:
    /// a connection may be lost, and its request sent again, before it does.
    private var unwatched: (transfer: HTTPTransfer, localPort: UInt16)?
    // What the end of the turn does.
    private var resumes: [HTTPTransfer] = []
    private var refusals: [(transfer: HTTPTransfer, error: HTTPError)] = []
    private var timeoutIsDue = false
    private var isTurnEndScheduled = false

    private static let globalInit: Void = {
        _ = curl_global_init(Int(CURL_GLOBAL_DEFAULT))
        var current = sigaction()
        if sigaction(SIGPIPE, nil, &current) == 0, current.__sigaction_handler.sa_handler == nil {
            signal(SIGPIPE, SIG_IGN)
        }
    }()

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
        timer = LoopTimer { [weak self] in self?.timeout() }
    }

    deinit {
        // Transfers hold on to the client while they are active, so only idle connections are left; and since this
        // may be any thread, nothing may call back.
        guard let multi else { return }
        gw_curl_multi_callbacks(multi, nil, nil, nil)
        pool.removeAll()
        curl_multi_cleanup(multi)
    }

    /// Transfers in progress.
    public var activeCount: Int { active.count }

    /// Starts a request. Its bytes leave within the current turn of the loop; `delegate`, which is held until the
    /// end, hears nothing before this call has returned.
    public func start(_ request: HTTPRequest, delegate: any TransferDelegate) -> HTTPTransfer {
        loop.preconditionOnLoop()
        let transfer = HTTPTransfer(
            request.timeouts, resendWindow: options.resendWindow, client: self, delegate: delegate)
        transfer.index = active.count
        active.append(transfer)
        guard !isShutDown else {
            refuse(transfer, HTTPError(.other, "the HTTP client is shut down"))
            return transfer
        }
        let easy =
            pool.popLast()
            ?? EasyHandle(
                options: options, closeSocket: Self.closeSocketCallback,
                user: Unmanaged.passUnretained(self).toOpaque())
        transfer.begin(with: easy)
        do {
            try easy.prepare(request)
        } catch {
            refuse(transfer, error)
            return transfer
        }
        if depth > 0 { waiting.append(transfer) } else { add(transfer) }
        return transfer
    }

    /// Cancels everything and closes all connections. Requests started later fail.
    public func shutdown() {
        loop.preconditionOnLoop()
        isShutDown = true
        for transfer in active { transfer.cancel() }
        if depth == 0 { settle() }
    }

    // MARK: - Calls into libcurl

    /// Runs a call into libcurl; what its callbacks put off happens at the end of the outermost one.
    @inline(__always)
    func enter(_ body: () -> some Any) {
        depth += 1
        _ = body()
        depth -= 1
        if depth == 0 {
            unwatched = nil
            settle()
        }
    }

    /// Does what was put off, and reports what has finished.
    private func settle() {
        // A delegate that is told of an end may start or cancel others; those calls come here again.
        guard !isSettling else { return }
        isSettling = true
        while true {
            while let easy = releases.popLast() { remove(easy) }
            if !waiting.isEmpty {
                let waiting = waiting
                self.waiting.removeAll(keepingCapacity: true)
                for transfer in waiting { add(transfer) }
            }
            var code = CURLE_OK
            guard let curl = gw_curl_multi_next_done(multi, &code) else { break }
            guard let user = gw_curl_private(curl) else { continue }
            // A transfer that was cancelled has left its handle; there is nobody to tell.
            Unmanaged<EasyHandle>.fromOpaque(user).takeUnretainedValue().transfer?.finished(code)
        }
        isSettling = false
        if isShutDown { close() }
    }

    private func add(_ transfer: HTTPTransfer) {
        // It may have been cancelled while it waited.
        guard let easy = transfer.easy else { return }
        var code = CURLM_OK
        enter { code = curl_multi_add_handle(multi, easy.curl) }
        guard code == CURLM_OK else {
            refuse(transfer, HTTPError(.other, String(cString: curl_multi_strerror(code))))
            return
        }
    }

    private func remove(_ easy: EasyHandle) {
        depth += 1
        curl_multi_remove_handle(multi, easy.curl)
        depth -= 1
        easy.clear()
        if pool.count < Self.maximumPool { pool.append(easy) }
    }

    private func close() {
        guard let multi else { return }
        if let timer { loop.cancel(timer) }
        pool.removeAll()
        depth += 1
        curl_multi_cleanup(multi)
        depth -= 1
        self.multi = nil
    }

    // MARK: - From transfers

    /// The transfer is over: takes its handle back as soon as libcurl allows.
    func release(_ transfer: HTTPTransfer, _ easy: EasyHandle?) {
        let last = active.removeLast()
        if last !== transfer {
            active[transfer.index] = last
            last.index = transfer.index
        }
        guard let easy else { return }
        loop.cancel(easy.watchdog)
        easy.transfer = nil
        if depth > 0 { releases.append(easy) } else { remove(easy) }
    }

    /// Sends a finished transfer's request again. Must not be called while libcurl is on the stack.
    func restart(_ easy: EasyHandle) {
        depth += 1
        curl_multi_remove_handle(multi, easy.curl)
        depth -= 1
        easy.prepareSecondTry()
        if let transfer = easy.transfer { add(transfer) }
    }

    func resumeLater(_ transfer: HTTPTransfer) {
        resumes.append(transfer)
        scheduleTurnEnd()
    }

    private func refuse(_ transfer: HTTPTransfer, _ error: HTTPError) {
        refusals.append((transfer, error))
        scheduleTurnEnd()
    }

    // MARK: - From the loop

    private func scheduleTurnEnd() {
        guard !isTurnEndScheduled else { return }
        isTurnEndScheduled = true
        loop.atTurnEnd(self)
    }

    /// Part of `TurnEndHandler`.
    public func turnEnded() {
        isTurnEndScheduled = false
        if !resumes.isEmpty {
            let resumes = resumes
            self.resumes.removeAll(keepingCapacity: true)
            for transfer in resumes { transfer.resumeNow() }
        }
        if !refusals.isEmpty {
            let refusals = refusals
            self.refusals = []
            for (transfer, error) in refusals { transfer.finish(error) }
        }
        if timeoutIsDue { timeout() }
    }

    private func timeout() {
        timeoutIsDue = false
        var running: Int32 = 0
        enter { curl_multi_socket_action(multi, CURL_SOCKET_TIMEOUT, 0, &running) }
    }

    func socketReady(_ socket: Int32, _ readiness: Readiness) {
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

    /// A request is about to be written to the connection with this local port.
    func sends(_ transfer: HTTPTransfer, localPort: UInt16) { unwatched = (transfer, localPort) }

    private static let closeSocketCallback: curl_closesocket_callback = { user, socket in
        if let user { Unmanaged<HTTPClient>.fromOpaque(user).takeUnretainedValue().closes(socket) }
        return Glibc.close(socket)
    }

    private func closes(_ socket: Int32) {
        guard let unwatched else { return }
        self.unwatched = nil
        var storage = sockaddr_storage()
        var length = socklen_t(MemoryLayout<sockaddr_storage>.size)
        let localPort = withUnsafeMutableBytes(of: &storage) { raw in
            _ = getsockname(socket, raw.baseAddress?.assumingMemoryBound(to: sockaddr.self), &length)
            // The port has the same place in both families.
            return UInt16(bigEndian: raw.load(as: sockaddr_in.self).sin_port)
        }
        if localPort == unwatched.localPort { unwatched.transfer.socketCloses(socket) }
    }

    private static let socketCallback: curl_socket_callback = { curl, socket, what, user, assigned in
        guard let user else { return 0 }
        if what == CURL_POLL_REMOVE, let curl, let easy = gw_curl_private(curl) {
            Unmanaged<EasyHandle>.fromOpaque(easy).takeUnretainedValue().transfer?.socketCloses(socket)
        }
        let client = Unmanaged<HTTPClient>.fromOpaque(user).takeUnretainedValue()
        client.unwatched = nil
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
