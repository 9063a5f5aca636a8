internal import CMicroHTTPD
package import EventLoop
internal import Glibc

/// Handles a server's requests. Called on the server's loop.
package protocol HTTPServerDelegate: AnyObject {
    /// A request is complete. Respond through `exchange`, immediately or later.
    func server(_ server: HTTPServer, didReceive request: HTTPServerRequest, _ exchange: HTTPExchange)
    /// An exchange has ended. Called exactly once for each, including those whose request never became complete.
    func server(_ server: HTTPServer, didEnd exchange: HTTPExchange, _ end: HTTPExchange.End)
}

/// The error of a server that could not start.
package struct HTTPServerStartError: Error, CustomStringConvertible {
    /// What failed, and the reason.
    package let description: String
}

/// An HTTP/1.1 server: libmicrohttpd without threads, with its epoll descriptor registered in the loop. Confined to
/// its loop. Call `stop` before releasing it.
package final class HTTPServer: ReadinessHandler, TurnEndHandler {
    /// The socket that a server listens on.
    package enum Place {
        /// A TCP port on 127.0.0.1; 0 for any free port.
        case loopback(port: UInt16)
        /// A TCP or Unix socket on which `listen` was called. The server closes it.
        case descriptor(Int32)
    }

    package let loop: EventLoop
    let limits: HTTPServerLimits
    private weak var delegate: (any HTTPServerDelegate)?
    private var daemon: OpaquePointer?
    private var registration: Registration?
    private var exchanges: [ObjectIdentifier: HTTPExchange] = [:]
    /// The time limit for each connection's next request to be complete; empty if there is no such limit.
    private var requestTimers: [OpaquePointer: LoopTimer] = [:]
    private lazy var idleTimer = LoopTimer { [unowned self] in run() }
    private var isRunScheduled = false

    /// The number of open connections.
    package private(set) var connectionCount = 0
    /// The number of exchanges in progress, counted from the headers of their requests.
    package var exchangeCount: Int { exchanges.count }

    /// Creates a server that does not listen before `start`. It does not retain `delegate`.
    package init(loop: EventLoop, limits: HTTPServerLimits = HTTPServerLimits(), delegate: any HTTPServerDelegate) {
        self.loop = loop
        self.limits = limits
        self.delegate = delegate
    }

    /// Starts listening.
    /// - Returns: the TCP port; 0 for a Unix socket.
    /// - Throws: `HTTPServerStartError`, for example because the port is in use.
    package func start(_ place: Place) throws(HTTPServerStartError) -> UInt16 {
        loop.preconditionOnLoop()
        let (listener, port): (Int32, UInt16) =
            switch place {
            case .loopback(let port): (-1, port)
            case .descriptor(let descriptor): (descriptor, 0)
            }
        let user = Unmanaged.passUnretained(self).toOpaque()
        guard
            let daemon = gw_mhd_start(
                listener, port, limits.connections, limits.connectionBytes, limits.idleSeconds ?? 0,
                Self.accessCallback, Self.completedCallback, Self.connectionCallback, user)
        else {
            let name = listener < 0 ? "127.0.0.1:\(port)" : "descriptor \(listener)"
            throw HTTPServerStartError(description: "cannot listen on \(name): \(SystemError("bind").reason)")
        }
        do {
            registration = try loop.register(gw_mhd_epoll(daemon), .readable, self)
        } catch {
            MHD_stop_daemon(daemon)
            throw HTTPServerStartError(description: "\(error)")
        }
        self.daemon = daemon
        return gw_mhd_port(daemon)
    }

    /// Closes the listening socket and every connection. Notifies the delegate of the end of each exchange. Must not be
    /// called from within a method of the delegate or of a source.
    package func stop() {
        if let registration { loop.deregister(registration) }
        registration = nil
        loop.cancel(idleTimer)
        // libmicrohttpd must not be stopped while it has suspended connections.
        for exchange in Array(exchanges.values) { exchange.release() }
        if let daemon { MHD_stop_daemon(daemon) }
        daemon = nil
    }

    /// Called by the loop when libmicrohttpd's epoll descriptor is ready.
    package func ready(_ readiness: Readiness) { run() }

    /// Called by the loop at the end of a batch.
    package func turnEnded() {
        isRunScheduled = false
        run()
    }

    private func run() {
        guard let daemon else { return }
        MHD_run(daemon)
        // Connections that became ready meanwhile affect the timeout, not the descriptor.
        var milliseconds: UInt64 = 0
        guard MHD_get_timeout(daemon, &milliseconds) == gw_mhd_yes else { return }
        if milliseconds == 0 {
            runSoon()
        } else {
            loop.schedule(idleTimer, after: .milliseconds(milliseconds))
        }
    }

    func runSoon() {
        guard !isRunScheduled, daemon != nil else { return }
        isRunScheduled = true
        loop.atTurnEnd(self)
    }

    func received(_ request: HTTPServerRequest, _ exchange: HTTPExchange) {
        delegate?.server(self, didReceive: request, exchange)
    }

    // MARK: - Request timers

    private func startRequestTimer(_ connection: OpaquePointer) {
        guard let seconds = limits.requestSeconds else { return }
        let timer =
            requestTimers[connection]
            ?? LoopTimer {
                // libmicrohttpd detects the closed connection and cleans up.
                let socket = gw_mhd_socket(connection)
                if socket >= 0 { shutdown(socket, Int32(SHUT_RDWR)) }
            }
        requestTimers[connection] = timer
        loop.schedule(timer, after: .seconds(Double(seconds)))
    }

    func stopRequestTimer(_ connection: OpaquePointer) {
        if let timer = requestTimers[connection] { loop.cancel(timer) }
    }

    // MARK: - Callbacks

    private static let accessCallback: MHD_AccessHandlerCallback = {
        user, connection, url, method, _, uploaded, uploadedSize, state in
        guard let user, let connection, let url, let method, let state, let uploadedSize else { return gw_mhd_no }
        let server = Unmanaged<HTTPServer>.fromOpaque(user).takeUnretainedValue()
        guard let existing = state.pointee else {
            // libmicrohttpd keeps the exchange until it reports that the request is completed.
            let exchange = HTTPExchange(server, connection, method: String(cString: method), path: String(cString: url))
            server.exchanges[ObjectIdentifier(exchange)] = exchange
            state.pointee = Unmanaged.passRetained(exchange).toOpaque()
            return gw_mhd_yes
        }
        let exchange = Unmanaged<HTTPExchange>.fromOpaque(existing).takeUnretainedValue()
        if uploadedSize.pointee > 0 {
            exchange.append(UnsafeRawBufferPointer(start: uploaded, count: uploadedSize.pointee))
            uploadedSize.pointee = 0
            return gw_mhd_yes
        }
        return exchange.proceed()
    }

    private static let completedCallback: MHD_RequestCompletedCallback = { user, connection, state, code in
        guard let user, let connection, let state, let existing = state.pointee else { return }
        let server = Unmanaged<HTTPServer>.fromOpaque(user).takeUnretainedValue()
        let exchange = Unmanaged<HTTPExchange>.fromOpaque(existing).takeRetainedValue()
        state.pointee = nil
        server.exchanges[ObjectIdentifier(exchange)] = nil
        server.startRequestTimer(connection)
        let end = exchange.ended(isWhole: gw_mhd_is_completed_ok(code))
        server.delegate?.server(server, didEnd: exchange, end)
    }

    private static let connectionCallback: MHD_NotifyConnectionCallback = { user, connection, _, code in
        guard let user, let connection else { return }
        let server = Unmanaged<HTTPServer>.fromOpaque(user).takeUnretainedValue()
        if gw_mhd_is_started(code) {
            server.connectionCount += 1
            server.startRequestTimer(connection)
        } else {
            server.connectionCount -= 1
            server.stopRequestTimer(connection)
            server.requestTimers[connection] = nil
            // At the limit libmicrohttpd stops accepting, and resumes with the next run.
            server.runSoon()
        }
    }
}
