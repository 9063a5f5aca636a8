internal import CCurl

/// One libcurl easy handle with the options that never change. Handles are re-used from transfer to transfer.
///
/// libcurl keeps an unretained pointer to this object as its callbacks' user data; the client holds the object for
/// as long as the handle lives, in its pool or through the transfer.
final class EasyHandle {
    let curl: UnsafeMutableRawPointer
    /// The transfer in progress.
    unowned(unsafe) var transfer: HTTPTransfer?
    private let errorBuffer = UnsafeMutablePointer<CChar>.allocate(capacity: Int(CURL_ERROR_SIZE))

    private let defaultCAFile: String
    private var caFile: String

    init(options: HTTPClientOptions) {
        guard let curl = curl_easy_init() else { preconditionFailure("out of memory") }
        self.curl = curl
        errorBuffer[0] = 0
        gw_curl_set_pointer(curl, CURLOPT_ERRORBUFFER, errorBuffer)
        gw_curl_set_long(curl, CURLOPT_NOSIGNAL, 1)
        gw_curl_set_long(curl, CURLOPT_TCP_KEEPALIVE, 1)
        gw_curl_set_long(curl, CURLOPT_SUPPRESS_CONNECT_HEADERS, 1)
        gw_curl_set_text(curl, CURLOPT_PROTOCOLS_STR, "http,https")
        gw_curl_set_text(curl, CURLOPT_USERAGENT, options.userAgent)
        // libcurl's built-in path is remembered, since an option that was set cannot be unset.
        defaultCAFile = options.caFile ?? gw_curl_default_ca_file().map { String(cString: $0) } ?? ""
        caFile = defaultCAFile
        if !caFile.isEmpty { gw_curl_set_text(curl, CURLOPT_CAINFO, caFile) }
        if options.skipsVerification {
            gw_curl_set_long(curl, CURLOPT_SSL_VERIFYPEER, 0)
            gw_curl_set_long(curl, CURLOPT_SSL_VERIFYHOST, 0)
        }
        gw_curl_set_callbacks(curl, Self.headerCallback, Self.bodyCallback, Unmanaged.passUnretained(self).toOpaque())
    }

    deinit {
        curl_easy_cleanup(curl)
        errorBuffer.deallocate()
    }

    var errorText: String { String(cString: errorBuffer) }

    /// Sets what differs from request to request. The transfer keeps the body's array alive and unchanged.
    func prepare(_ request: HTTPRequest) {
        errorBuffer[0] = 0
        gw_curl_set_text(curl, CURLOPT_URL, request.url)
        gw_curl_set_pointer(curl, CURLOPT_HTTPHEADER, request.headers.list)
        gw_curl_set_long(curl, CURLOPT_CONNECTTIMEOUT_MS, Int(clamping: max(1, request.timeouts.connect / 1_000_000)))
        gw_curl_set_long(
            curl, CURLOPT_HTTP_VERSION, request.prefersHTTP1 ? CURL_HTTP_VERSION_1_1 : CURL_HTTP_VERSION_2TLS)
        let wantedCAFile = request.caFile ?? defaultCAFile
        if wantedCAFile != caFile {
            gw_curl_set_text(curl, CURLOPT_CAINFO, wantedCAFile)
            caFile = wantedCAFile
        }
        if let body = request.body {
            gw_curl_set_long(curl, CURLOPT_POST, 1)
            gw_curl_set_size(curl, CURLOPT_POSTFIELDSIZE_LARGE, curl_off_t(body.count))
            // The array's storage does not move while the request holds it, and nobody writes to it.
            _ = body.withUnsafeBytes { gw_curl_set_pointer(curl, CURLOPT_POSTFIELDS, $0.baseAddress) }
        } else {
            gw_curl_set_long(curl, CURLOPT_HTTPGET, 1)
        }
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
        let length = size * count
        return transfer.receivedBody(UnsafeRawBufferPointer(start: bytes, count: length)) ? length : 0
    }
}
