internal import CCurl
package import EventLoop
internal import Glibc

/// Sends HTTP/1.1 and HTTP/2 requests with a libcurl multi handle, driven by the event loop. One client per loop.
///
/// libcurl does not allow handles to be added or removed within its callbacks, and unpausing one calls back into this
/// class. These operations are deferred until the call into libcurl has returned (`enter`).
///
/// The first client makes the process ignore SIGPIPE unless a handler is installed: OpenSSL's writes raise it if the
/// peer has closed the connection.
package final class HTTPClient: TurnEndHandler {
    /// Maximum number of idle handles kept for re-use; each takes about 6 KiB.
    private static let maximumPool = 64

    let loop: EventLoop
    private let options: HTTPClientOptions
    /// `nil` once shut down.
    private var multi: UnsafeMutableRawPointer?
    private var timer: LoopTimer?
    private var pool: [EasyHandle] = []
    /// Each transfer stores its index in this array.
    private var active: [HTTPTransfer] = []
    /// Nesting depth of calls into libcurl; 0 outside of libcurl.
    private var depth = 0
    private var isSettling = false
    private var isShutDown = false
    // Deferred until the call into libcurl has returned.
    private var waiting: [HTTPTransfer] = []
    private var releases: [EasyHandle] = []
    /// The last request written within the current call into libcurl, until libcurl watches its socket: the connection
    /// may be lost, and the request sent again, before that.
    private var unwatched: (transfer: HTTPTransfer, localPort: UInt16)?
    // Deferred until the end of the loop's turn.
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

    /// Creates a client on `loop`. Must be called on that loop.
    package init(loop: EventLoop, options: HTTPClientOptions = HTTPClientOptions()) {
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
        // Active transfers retain the client, so only idle connections are left. This may run on any thread, therefore
        // libcurl must not call back.
        guard let multi else { return }
        gw_curl_multi_callbacks(multi, nil, nil, nil)
        pool.removeAll()
        curl_multi_cleanup(multi)
    }

    /// The number of transfers in progress.
    package var activeCount: Int { active.count }

    /// Starts a request. Its bytes are written within the current turn of the loop. `delegate` is retained until the
    /// end and called only after this method has returned. Invalid requests fail through the delegate as well.
    package func start(_ request: HTTPRequest, delegate: any TransferDelegate) -> HTTPTransfer {
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
    package func shutdown() {
        loop.preconditionOnLoop()
        isShutDown = true
        for transfer in active { transfer.cancel() }
        if depth == 0 { settle() }
    }

    // MARK: - Calls into libcurl

    /// Runs a call into libcurl. Deferred operations run at the end of the outermost call.
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

    /// Runs the deferred operations and reports finished transfers.
    private func settle() {
        // A delegate may start or cancel other transfers when one ends; those calls lead here again.
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
            // A cancelled transfer has already released its handle.
            Unmanaged<EasyHandle>.fromOpaque(user).takeUnretainedValue().transfer?.finished(code)
        }
        isSettling = false
        if isShutDown { close() }
    }

    private func add(_ transfer: HTTPTransfer) {
        // It may have been cancelled in the meantime.
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

    /// Removes a finished transfer and takes back its handle, as soon as libcurl allows.
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

    /// Sends a finished transfer's request again. Must not be called within a call into libcurl.
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

    /// Called by the loop at the end of a turn; not for other callers.
    package func turnEnded() {
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
            // Immediately, but not within this callback.
            loop.cancel(timer)
            timeoutIsDue = true
            scheduleTurnEnd()
        default:
            timeoutIsDue = false
            loop.schedule(timer, after: .milliseconds(UInt64(milliseconds)))
        }
    }

    /// Called before a request is written to the connection with this local port.
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
            // The port has the same offset in `sockaddr_in` and `sockaddr_in6`.
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

    /// `assigned` is the `SocketWatch` that libcurl stores for the socket. It is retained when it is created and
    /// released when libcurl removes the socket.
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
