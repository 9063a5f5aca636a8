internal import CMicroHTTPD
package import EventLoop

/// A request and its response. Confined to the server's loop. After the exchange has ended or the client has
/// disconnected, all methods do nothing.
package final class HTTPExchange {
    /// How an exchange ended.
    package enum End: Sendable {
        /// The complete response was sent.
        case completed
        /// Closed by `close`, by a source that returned `.cut`, or because the response could not be created.
        case closedByServer
        /// The client disconnected or was too slow, or the server was stopped.
        case interrupted
    }

    private enum Response {
        case whole(status: Int, headers: [(name: String, value: String)], body: [UInt8])
        case stream(status: Int, headers: [(name: String, value: String)], source: any HTTPBodySource)
    }

    /// The phases, in order: a phase is followed only by later ones.
    private enum Phase {
        case receiving(HTTPServerRequest)
        /// The body is too large; the rest of it is discarded.
        case discarding
        /// The delegate has the request.
        case handling
        case responding(Response)
        case sending((any HTTPBodySource)?)
        case closing
        /// The client disconnected before the response.
        case abandoned
        case ended
    }

    private unowned let server: HTTPServer
    private let connection: OpaquePointer
    private var phase: Phase
    private var isSuspended = false
    private var closeWatch: CloseWatch?

    init(_ server: HTTPServer, _ connection: OpaquePointer, method: String, path: String) {
        self.server = server
        self.connection = connection
        var request = HTTPServerRequest(method: method, rawPath: path)
        withUnsafeMutablePointer(to: &request.headers) { pointer in
            gw_mhd_headers(
                connection,
                { user, _, name, value in
                    guard let user, let name else { return gw_mhd_yes }
                    user.assumingMemoryBound(to: [String: String].self).pointee[String(cString: name).lowercased()] =
                        value.map { String(cString: $0) } ?? ""
                    return gw_mhd_yes
                }, pointer)
        }
        withUnsafeMutablePointer(to: &request.query) { pointer in
            gw_mhd_arguments(
                connection,
                { user, _, name, value in
                    guard let user, let name else { return gw_mhd_yes }
                    user.assumingMemoryBound(to: [String: String].self).pointee[
                        HTTPServerRequest.decoded(String(cString: name))] =
                        value.map { HTTPServerRequest.decoded(String(cString: $0)) } ?? ""
                    return gw_mhd_yes
                }, pointer)
        }
        phase = .receiving(request)
    }

    // MARK: - For the delegate

    /// The server's loop.
    package var loop: EventLoop { server.loop }

    /// Responds with a body of known length. Adds Content-Length, Date and Connection.
    package func respond(_ status: Int, _ headers: [(name: String, value: String)], _ body: [UInt8]) {
        begin(.whole(status: status, headers: headers, body: body))
    }

    /// Responds with a body from `source`, in HTTP chunks. Retains `source` until the exchange ends.
    package func stream(
        _ status: Int, _ headers: [(name: String, value: String)], from source: any HTTPBodySource
    ) {
        begin(.stream(status: status, headers: headers, source: source))
    }

    /// Resumes reading from a source that returned `.pending`.
    package func resume() {
        if case .sending = phase { release() }
    }

    /// Closes the connection immediately, even if part of the response was sent.
    package func close() {
        switch phase {
        case .handling, .responding, .sending:
            phase = .closing
            release()
        default: break
        }
    }

    private func begin(_ response: Response) {
        guard case .handling = phase else { return }
        phase = .responding(response)
        release()
    }

    // MARK: - From libmicrohttpd

    func append(_ bytes: UnsafeRawBufferPointer) {
        guard case .receiving(var request) = phase else { return }
        guard request.body.count + bytes.count <= server.limits.bodyBytes else {
            phase = .discarding
            return
        }
        // Leaves a single owner, so that the body grows in place.
        phase = .discarding
        request.body.append(contentsOf: bytes)
        phase = .receiving(request)
    }

    /// Called when the request is complete, or when a suspended connection resumes.
    func proceed() -> MHD_Result {
        switch phase {
        case .receiving(let request):
            phase = .handling
            server.stopRequestTimer(connection)
            server.received(request, self)
        case .discarding:
            server.stopRequestTimer(connection)
            phase = .responding(Self.tooLarge)
        default: break
        }
        switch phase {
        case .handling: suspend()
        case .responding(let response): return send(response)
        case .closing, .abandoned: return gw_mhd_no
        default: break
        }
        return gw_mhd_yes
    }

    private static var tooLarge: Response {
        .whole(
            status: 413, headers: [("content-type", "application/json")],
            body: Array(#"{"error":{"message":"the request is too large"}}"#.utf8))
    }

    private func send(_ response: Response) -> MHD_Result {
        let (status, headers, raw): (Int, [(name: String, value: String)], OpaquePointer?)
        switch response {
        case .whole(let code, let list, let body):
            (status, headers) = (code, list)
            raw = body.withUnsafeBytes { gw_mhd_response($0.baseAddress, $0.count) }
            phase = .sending(nil)
        case .stream(let code, let list, let source):
            (status, headers) = (code, list)
            phase = .sending(source)
            raw = MHD_create_response_from_callback(
                gw_mhd_size_unknown, 64 << 10,
                { user, _, buffer, capacity in
                    guard let user, let buffer else { return gw_mhd_end_with_error }
                    return Unmanaged<HTTPExchange>.fromOpaque(user).takeUnretainedValue().read(
                        UnsafeMutableRawBufferPointer(start: buffer, count: capacity))
                }, Unmanaged.passUnretained(self).toOpaque(), nil)
        }
        guard let raw else {
            phase = .closing
            return gw_mhd_no
        }
        for (name, value) in headers { MHD_add_response_header(raw, name, value) }
        let result = MHD_queue_response(connection, UInt32(status), raw)
        MHD_destroy_response(raw)
        return result
    }

    private func read(_ buffer: UnsafeMutableRawBufferPointer) -> Int {
        guard case .sending(let source?) = phase else { return gw_mhd_end_with_error }
        switch source.read(into: buffer) {
        case .bytes(let count): return count
        case .pending:
            suspend()
            return 0
        case .end: return gw_mhd_end_of_stream
        case .cut:
            phase = .closing
            return gw_mhd_end_with_error
        }
    }

    /// Called when the exchange is over; the connection's next request is another exchange.
    func ended(isWhole: Bool) -> End {
        closeWatch?.stop()
        closeWatch = nil
        defer { phase = .ended }
        switch phase {
        case .abandoned: return .interrupted
        case .closing where !isWhole: return .closedByServer
        default: return isWhole ? .completed : .interrupted
        }
    }

    // MARK: - Waiting

    private func suspend() {
        guard !isSuspended else { return }
        isSuspended = true
        MHD_suspend_connection(connection)
        watchForClose()
    }

    /// Resumes the connection in libmicrohttpd.
    func release() {
        guard isSuspended else { return }
        isSuspended = false
        MHD_resume_connection(connection)
        server.runSoon()
    }

    /// Watches for a disconnect, because libmicrohttpd does not watch suspended connections.
    private func watchForClose() {
        let socket = gw_mhd_socket(connection)
        guard closeWatch == nil, socket >= 0 else { return }
        closeWatch = CloseWatch(socket, server.loop) { [unowned self] in
            closeWatch?.stop()
            closeWatch = nil
            switch phase {
            case .handling, .responding, .sending: phase = .abandoned
            default: break
            }
            release()
        }
    }
}
