internal import CCurl
internal import EventLoop
internal import Glibc

/// A libcurl easy handle with the options that are the same for all requests. Handles are re-used for further
/// transfers, together with their timer and the buffer for response headers.
///
/// libcurl keeps an unretained pointer to this object as the user data of its callbacks; the client retains the object
/// while the handle is in the multi handle or in the pool.
final class EasyHandle {
    let curl: UnsafeMutableRawPointer
    /// The transfer in progress. The client retains it while it is set here.
    unowned(unsafe) var transfer: HTTPTransfer?
    /// The status line and header lines received so far.
    var head: [UInt8] = []
    /// Fires when a timeout of the transfer may have expired.
    private(set) lazy var watchdog = LoopTimer { [unowned self] in transfer?.checkTimeouts() }
    /// Retained until the handle has left the multi handle: libcurl has pointers into its headers and body.
    private var request: HTTPRequest?
    private let errorBuffer = UnsafeMutablePointer<CChar>.allocate(capacity: Int(CURL_ERROR_SIZE))
    private let defaultCAFile: String
    private var caFile: String
    private var bypassesProxy = false
    private var hasPrivateConnection = false
    /// Whether the request's rule refused an address.
    private var hasRefusedAddress = false

    /// - Parameters:
    ///   - closeSocket: closes the sockets of connections that this handle makes, which other handles may use later.
    ///   - user: the callback's user data; must outlive these connections.
    init(options: HTTPClientOptions, closeSocket: @escaping curl_closesocket_callback, user: UnsafeMutableRawPointer) {
        guard let curl = curl_easy_init() else { preconditionFailure("out of memory") }
        self.curl = curl
        errorBuffer[0] = 0
        gw_curl_set_pointer(curl, CURLOPT_ERRORBUFFER, errorBuffer)
        gw_curl_set_long(curl, CURLOPT_NOSIGNAL, 1)
        gw_curl_set_long(curl, CURLOPT_TCP_KEEPALIVE, 1)
        gw_curl_set_long(curl, CURLOPT_SUPPRESS_CONNECT_HEADERS, 1)
        // Without it, cancelling a transfer during name resolution blocks the loop until the resolver's thread ends.
        gw_curl_set_long(curl, CURLOPT_QUICK_EXIT, 1)
        gw_curl_set_text(curl, CURLOPT_PROTOCOLS_STR, "http,https")
        gw_curl_set_text(curl, CURLOPT_USERAGENT, options.userAgent)
        // Remember libcurl's built-in path, since an option cannot be unset after it was set.
        defaultCAFile = options.caFile ?? gw_curl_default_ca_file().map { String(cString: $0) } ?? ""
        caFile = defaultCAFile
        if !caFile.isEmpty { gw_curl_set_text(curl, CURLOPT_CAINFO, caFile) }
        if options.skipsVerification {
            gw_curl_set_long(curl, CURLOPT_SSL_VERIFYPEER, 0)
            gw_curl_set_long(curl, CURLOPT_SSL_VERIFYHOST, 0)
        }
        gw_curl_set_close_socket(curl, closeSocket, user)
        let user = Unmanaged.passUnretained(self).toOpaque()
        gw_curl_set_open_socket(curl, Self.openSocketCallback, user)
        gw_curl_set_callbacks(curl, Self.headerCallback, Self.bodyCallback, user)
        gw_curl_set_prerequest(curl, Self.prerequestCallback, user)
    }

    deinit {
        curl_easy_cleanup(curl)
        errorBuffer.deallocate()
    }

    /// Sets the options that depend on the request.
    /// - Throws: `HTTPError` if libcurl rejects the URL; the handle must not be started then.
    func prepare(_ request: HTTPRequest) throws(HTTPError) {
        self.request = request
        errorBuffer[0] = 0
        // If libcurl rejects a URL, it keeps the previous request's. memchr, because this runs for every request.
        var url = request.url
        let hasNUL = url.withUTF8 { !$0.isEmpty && memchr($0.baseAddress!, 0, $0.count) != nil }
        guard !hasNUL, gw_curl_set_text(curl, CURLOPT_URL, request.url) == CURLE_OK else {
            throw HTTPError(.badURL, "the URL is too long or contains a NUL byte")
        }
        gw_curl_set_pointer(curl, CURLOPT_HTTPHEADER, request.headers.list)
        gw_curl_set_long(
            curl, CURLOPT_CONNECTTIMEOUT_MS, Int(Int32(clamping: max(1, request.timeouts.connect.milliseconds))))
        let isPrivate = request.allowsAddress != nil
        gw_curl_set_long(curl, CURLOPT_FRESH_CONNECT, isPrivate ? 1 : 0)
        if isPrivate != hasPrivateConnection {
            gw_curl_set_long(curl, CURLOPT_FORBID_REUSE, isPrivate ? 1 : 0)
            hasPrivateConnection = isPrivate
        }
        hasRefusedAddress = false
        gw_curl_set_long(
            curl, CURLOPT_HTTP_VERSION, request.prefersHTTP1 ? CURL_HTTP_VERSION_1_1 : CURL_HTTP_VERSION_2TLS)
        let wantedCAFile = request.caFile ?? defaultCAFile
        if wantedCAFile != caFile {
            gw_curl_set_text(curl, CURLOPT_CAINFO, wantedCAFile)
            caFile = wantedCAFile
        }
        let isDirect = request.bypassesProxy || isPrivate
        if isDirect != bypassesProxy {
            // NULL restores libcurl's default, the variable `no_proxy`.
            gw_curl_set_text(curl, CURLOPT_NOPROXY, isDirect ? "*" : nil)
            bypassesProxy = isDirect
        }
        if let body = request.body {
            gw_curl_set_long(curl, CURLOPT_POST, 1)
            gw_curl_set_size(curl, CURLOPT_POSTFIELDSIZE_LARGE, curl_off_t(body.count))
            if body.isEmpty {
                // With NULL, libcurl would read the body from standard input.
                gw_curl_set_text(curl, CURLOPT_POSTFIELDS, Self.emptyBody)
            } else {
                // The array's storage does not move while `request` retains it and nothing writes to it.
                _ = body.withUnsafeBytes { gw_curl_set_pointer(curl, CURLOPT_POSTFIELDS, $0.baseAddress) }
            }
        } else {
            gw_curl_set_long(curl, CURLOPT_HTTPGET, 1)
        }
    }

    /// Whether a re-used connection ended before the first byte of the response. libcurl repeats such a request by
    /// itself, except if writing it failed halfway.
    func lostReusedConnection(_ code: CURLcode) -> Bool {
        guard code == CURLE_RECV_ERROR || code == CURLE_SEND_ERROR || code == CURLE_GOT_NOTHING else { return false }
        return head.isEmpty && connectionCount == 0 && gw_curl_info_time(curl, CURLINFO_PRETRANSFER_TIME_T) > 0
    }

    /// The number of connections that libcurl has made for this transfer.
    var connectionCount: Int { gw_curl_info_long(curl, CURLINFO_NUM_CONNECTS) }

    /// Returns and clears libcurl's message about the last failure.
    func takeFailure() -> String {
        defer { errorBuffer[0] = 0 }
        return String(cString: errorBuffer)
    }

    /// Prepares the same request for a second attempt on a new connection.
    func prepareSecondTry() {
        gw_curl_set_long(curl, CURLOPT_FRESH_CONNECT, 1)
    }

    /// Releases the request after the handle has left the multi handle.
    func clear() {
        request = nil
        head.removeAll(keepingCapacity: head.capacity <= 4096)
    }

    /// The status code of the last status line; 0 before the first.
    var status: Int { gw_curl_info_long(curl, CURLINFO_RESPONSE_CODE) }

    /// Time to make this transfer's connection including TLS, in microseconds; 0 for a re-used connection.
    var connectMicroseconds: Int64 {
        guard connectionCount > 0 else { return 0 }
        return Int64(
            max(gw_curl_info_time(curl, CURLINFO_CONNECT_TIME_T), gw_curl_info_time(curl, CURLINFO_APPCONNECT_TIME_T)))
    }

    /// The error for a failed transfer's code.
    func error(_ code: CURLcode) -> HTTPError {
        let detail = String(cString: errorBuffer)
        let isConnected = gw_curl_info_time(curl, CURLINFO_PRETRANSFER_TIME_T) > 0
        var error = HTTPError(code: code, detail: detail, isConnected: isConnected)
        if hasRefusedAddress, !isConnected {
            error = HTTPError(.connect, "the host's address is not allowed")
            error.isRefusedAddress = true
        }
        return error
    }

    private func mayConnect(to address: UnsafeMutablePointer<curl_sockaddr>) -> Bool {
        guard let allowsAddress = request?.allowsAddress else { return true }
        // The address continues behind the structure where it is longer than `sockaddr`.
        let start = UnsafeRawPointer(address) + MemoryLayout<curl_sockaddr>.offset(of: \.addr)!
        let isAllowed = allowsAddress(RemoteAddress(start, length: Int(address.pointee.addrlen)))
        if !isAllowed { hasRefusedAddress = true }
        return isAllowed
    }

    // Never freed, since libcurl keeps the pointer.
    nonisolated(unsafe) private static let emptyBody: UnsafePointer<CChar> = {
        let empty = UnsafeMutablePointer<CChar>.allocate(capacity: 1)
        empty.initialize(to: 0)
        return UnsafePointer(empty)
    }()

    /// Opens sockets that programs started meanwhile do not inherit, which libcurl 7 would.
    private static let openSocketCallback: curl_opensocket_callback = { user, _, address in
        guard let user, let address,
            Unmanaged<EasyHandle>.fromOpaque(user).takeUnretainedValue().mayConnect(to: address)
        else { return -1 }
        let type = address.pointee.socktype | Int32(SOCK_CLOEXEC.rawValue)
        return socket(address.pointee.family, type, address.pointee.protocol)
    }

    private static let prerequestCallback: curl_prereq_callback = { user, _, _, _, localPort in
        guard let user, let transfer = Unmanaged<EasyHandle>.fromOpaque(user).takeUnretainedValue().transfer else {
            return CURL_PREREQFUNC_ABORT
        }
        let maySend = transfer.willSend(localPort: UInt16(truncatingIfNeeded: localPort))
        return maySend ? CURL_PREREQFUNC_OK : CURL_PREREQFUNC_ABORT
    }

    private static let headerCallback: gw_curl_data_callback = { bytes, size, count, user in
        guard let user, let transfer = Unmanaged<EasyHandle>.fromOpaque(user).takeUnretainedValue().transfer else {
            return 0
        }
        let length = size * count
        return transfer.receivedHeaderLine(UnsafeRawBufferPointer(start: bytes, count: length)) ? length : 0
    }

    private static let bodyCallback: gw_curl_data_callback = { bytes, size, count, user in
        guard let user, let transfer = Unmanaged<EasyHandle>.fromOpaque(user).takeUnretainedValue().transfer else {
            return 0
        }
        return transfer.receivedBody(UnsafeRawBufferPointer(start: bytes, count: size * count))
    }
}
