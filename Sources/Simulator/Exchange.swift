internal import CMicroHTTPD
internal import EventLoop
internal import Glibc
internal import JSON

/// One request and its answer, piece by piece. libmicrohttpd holds it until the request is completed.
final class Exchange {
    private static let maximumBodyBytes = 64 << 20

    private unowned let server: SimulatorServer
    private let connection: OpaquePointer
    private var request: SimulatedRequest
    private var plan = SimulatedAnswer()
    private var isTooLarge = false
    private var hasBegun = false
    private var position = 0
    private var offset = 0
    private var waitedFor = -1
    private var isSuspended = false
    private var timer: LoopTimer?
    /// The end that the client sees is our own doing.
    private(set) var closedByPlan = false
    /// The client went away while its answer was held back.
    private(set) var isAbandoned = false

    init(_ server: SimulatorServer, _ connection: OpaquePointer, method: String, path: String) {
        self.server = server
        self.connection = connection
        var headers: [String: String] = [:]
        withUnsafeMutablePointer(to: &headers) { pointer in
            gw_mhd_headers(
                connection,
                { user, _, name, value in
                    guard let user, let name else { return gw_mhd_yes }
                    user.assumingMemoryBound(to: [String: String].self).pointee[String(cString: name).lowercased()] =
                        value.map { String(cString: $0) } ?? ""
                    return gw_mhd_yes
                }, pointer)
        }
        var query: [String: String] = [:]
        withUnsafeMutablePointer(to: &query) { pointer in
            gw_mhd_arguments(
                connection,
                { user, _, name, value in
                    guard let user, let name else { return gw_mhd_yes }
                    user.assumingMemoryBound(to: [String: String].self).pointee[
                        SimulatedRequest.decoded(String(cString: name))] =
                        value.map { SimulatedRequest.decoded(String(cString: $0)) } ?? ""
                    return gw_mhd_yes
                }, pointer)
        }
        request = SimulatedRequest(method: method, rawPath: path, query: query, headers: headers)
    }

    func append(_ bytes: UnsafeRawBufferPointer) {
        guard request.body.count + bytes.count <= Self.maximumBodyBytes else {
            isTooLarge = true
            return
        }
        request.body.append(contentsOf: bytes)
    }

    /// The request is whole: answers it. May be called again after a wait.
    func begin() -> MHD_Result {
        if !hasBegun {
            hasBegun = true
            plan =
                isTooLarge
                ? .json(["error": ["message": "the request is too large"]], status: 413) : server.answer(request)
            if plan.end == .close {
                closedByPlan = true
                return gw_mhd_no
            }
        }
        if plan.pieces.isEmpty, plan.end == .stall {
            // Not even the head is sent.
            suspend()
            return gw_mhd_yes
        }
        if let first = plan.pieces.first, first.delayMilliseconds > 0, waitedFor < 0 {
            wait(first.delayMilliseconds)
            return gw_mhd_yes
        }
        return send()
    }

    private func send() -> MHD_Result {
        let response: OpaquePointer?
        if plan.isStream || plan.end != .good {
            waitedFor = 0
            response = MHD_create_response_from_callback(
                gw_mhd_size_unknown, 64 << 10,
                { user, _, buffer, capacity in
                    guard let user, let buffer else { return gw_mhd_end_with_error }
                    return Unmanaged<Exchange>.fromOpaque(user).takeUnretainedValue().read(
                        UnsafeMutableRawBufferPointer(start: buffer, count: capacity))
                }, Unmanaged.passUnretained(self).toOpaque(), nil)
        } else {
            response = plan.pieces.flatMap(\.bytes).withUnsafeBytes { gw_mhd_response($0.baseAddress, $0.count) }
        }
        guard let response else { return gw_mhd_no }
        for (name, value) in plan.headers { MHD_add_response_header(response, name, value) }
        let result = MHD_queue_response(connection, UInt32(plan.status), response)
        MHD_destroy_response(response)
        return result
    }

    /// The next bytes of the body; libmicrohttpd sends each result as one chunk.
    private func read(_ buffer: UnsafeMutableRawBufferPointer) -> Int {
        while position < plan.pieces.count {
            let piece = plan.pieces[position]
            if offset == 0, piece.delayMilliseconds > 0, waitedFor < position {
                waitedFor = position
                wait(piece.delayMilliseconds)
                return 0
            }
            let count = min(buffer.count, piece.bytes.count - offset)
            if count > 0 {
                piece.bytes.withUnsafeBytes { bytes in
                    buffer.copyMemory(from: UnsafeRawBufferPointer(rebasing: bytes[offset..<(offset + count)]))
                }
            }
            offset += count
            if offset == piece.bytes.count {
                position += 1
                offset = 0
            }
            if count > 0 { return count }
        }
        switch plan.end {
        case .good: return gw_mhd_end_of_stream
        case .stall:
            suspend()
            return 0
        case .cut, .close:
            closedByPlan = true
            return gw_mhd_end_with_error
        }
    }

    // MARK: - Waiting

    private func suspend() {
        guard !isSuspended else { return }
        isSuspended = true
        MHD_suspend_connection(connection)
        watchForClose()
    }

    private func wait(_ milliseconds: Int) {
        suspend()
        let timer = LoopTimer { [unowned self] in
            if waitedFor < 0 { waitedFor = 0 }
            release()
        }
        self.timer = timer
        server.loop.schedule(timer, afterNanoseconds: UInt64(milliseconds) * 1_000_000)
    }

    /// Lets libmicrohttpd go on with the connection.
    func release() {
        guard isSuspended else { return }
        isSuspended = false
        MHD_resume_connection(connection)
        server.runSoon()
    }

    /// A suspended connection is not watched by libmicrohttpd, so a client that goes is noticed here.
    private var closeWatch: CloseWatch?

    private func watchForClose() {
        let socket = gw_mhd_socket(connection)
        guard closeWatch == nil, socket >= 0 else { return }
        closeWatch = CloseWatch(socket, server.loop) { [unowned self] in
            closeWatch?.stop()
            closeWatch = nil
            if let timer { server.loop.cancel(timer) }
            isAbandoned = true
            plan.pieces = []
            plan.end = .cut
            position = 0
            release()
        }
    }

    func ended() {
        if let timer { server.loop.cancel(timer) }
        timer = nil
        closeWatch?.stop()
        closeWatch = nil
    }
}

/// Tells when a peer closes its connection, on a duplicate descriptor of our own.
private final class CloseWatch: ReadinessHandler {
    private let descriptor: Int32
    private let loop: EventLoop
    private var registration: Registration?
    private let closed: () -> Void

    init(_ descriptor: Int32, _ loop: EventLoop, _ closed: @escaping () -> Void) {
        self.descriptor = dup(descriptor)
        self.loop = loop
        self.closed = closed
        registration = try? loop.register(self.descriptor, .readable, self)
    }

    func ready(_ readiness: Readiness) {
        var byte: UInt8 = 0
        let count = recv(descriptor, &byte, 1, Int32(MSG_PEEK) | Int32(MSG_DONTWAIT))
        if count == 0 || (count < 0 && errno != EAGAIN) {
            closed()
        } else if count > 0 {
            // A pipelined request waits behind this one; it is no close.
            stop()
        }
    }

    func stop() {
        guard let registration else { return }
        loop.deregister(registration)
        self.registration = nil
        close(descriptor)
    }
}
