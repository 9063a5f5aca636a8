internal import CCurl
package import EventLoop

/// Request headers as a libcurl list, built once and used by any number of requests.
///
/// `@unchecked Sendable`: the list does not change after `init`, and libcurl only reads it.
package final class HTTPHeaders: @unchecked Sendable {
    let list: UnsafeMutablePointer<curl_slist>?

    /// Builds the list from `headers`, without headers whose value is empty.
    /// - Throws: `HTTPError` of kind `.other` if a name or value contains a control character, or a name is empty or
    ///   contains a colon. The error does not contain the value.
    package init(_ headers: [(name: String, value: String)]) throws(HTTPError) {
        var list: UnsafeMutablePointer<curl_slist>?
        // Disables "Expect: 100-continue", which delays large bodies by a second with servers that never send 100.
        for (name, value) in headers + [("Expect", "")] {
            let isClean = (name + value).utf8.allSatisfy { $0 >= 0x20 && $0 != 0x7F }
            guard isClean, !name.isEmpty, !name.utf8.contains(UInt8(ascii: ":")) else {
                curl_slist_free_all(list)
                let shown = name.filter { $0.isASCII && !$0.isNewline }
                throw HTTPError(.other, "the header '\(shown)' contains an invalid character")
            }
            if value.isEmpty, name != "Expect" { continue }
            list = curl_slist_append(list, "\(name):\(value.isEmpty ? "" : " " + value)")
        }
        self.list = list
    }

    deinit { curl_slist_free_all(list) }
}

/// The time limits of a transfer.
package struct HTTPTimeouts: Sendable, Equatable {
    /// Name resolution, connection and TLS handshake.
    package var connect: TimeAmount
    /// From the start to the first byte of the response body.
    package var firstByte: TimeAmount
    /// Between two reads of the body. Does not count while the delegate has paused the transfer.
    package var idle: TimeAmount
    /// From the start to the end of the response.
    package var total: TimeAmount

    /// Creates timeouts from seconds; negative numbers count as zero. Zero ends a transfer at once.
    package init(connect: Double = 5, firstByte: Double = 60, idle: Double = 60, total: Double = 600) {
        self.connect = .seconds(connect)
        self.firstByte = .seconds(firstByte)
        self.idle = .seconds(idle)
        self.total = .seconds(total)
    }
}

/// A GET or POST request.
package struct HTTPRequest: Sendable {
    /// The absolute URL, with the scheme `http` or `https`.
    package var url: String
    /// The request headers, in addition to those of libcurl (`Host`, `Content-Length`, `User-Agent`).
    package var headers: HTTPHeaders
    /// The body of a POST; `nil` for a GET.
    package var body: [UInt8]?
    /// The time limits of this request.
    package var timeouts: HTTPTimeouts
    /// Uses HTTP/1.1 instead of a shared HTTP/2 connection. Set for streams: when one of several streams of an HTTP/2
    /// connection is paused, libcurl buffers up to 10 MB for it.
    package var prefersHTTP1: Bool
    /// A file of PEM certificates to trust; `nil` for `HTTPClientOptions.caFile`.
    package var caFile: String?
    /// Connects directly and ignores the proxies of the environment: for a machine's own metadata service.
    package var bypassesProxy: Bool
    /// Decides to which addresses the request may connect, after name resolution; `nil` allows all. With a rule the
    /// request has a connection of its own and uses no proxy, so that every address is seen.
    package var allowsAddress: (@Sendable (RemoteAddress) -> Bool)?

    /// Creates a request with default timeouts. `body` selects the method: POST, or GET for `nil`.
    package init(
        url: String, headers: HTTPHeaders, body: [UInt8]?, timeouts: HTTPTimeouts = HTTPTimeouts(),
        prefersHTTP1: Bool = false, caFile: String? = nil, bypassesProxy: Bool = false,
        allowsAddress: (@Sendable (RemoteAddress) -> Bool)? = nil
    ) {
        self.url = url
        self.headers = headers
        self.body = body
        self.timeouts = timeouts
        self.prefersHTTP1 = prefersHTTP1
        self.caFile = caFile
        self.bypassesProxy = bypassesProxy
        self.allowsAddress = allowsAddress
    }
}
