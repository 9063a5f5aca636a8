internal import CCurl

/// A list of request headers in libcurl's own form, built once and used by any number of requests.
///
/// `@unchecked Sendable`: nothing changes after `init`, and libcurl only reads it.
public final class HTTPHeaders: @unchecked Sendable {
    let list: UnsafeMutablePointer<curl_slist>?

    /// A list of `headers`. A header with an empty value is left out.
    /// - Throws: `HTTPError` of kind `.other` where a name or value could smuggle in another header.
    public init(_ headers: [(name: String, value: String)]) throws(HTTPError) {
        var list: UnsafeMutablePointer<curl_slist>?
        // libcurl would ask for "100 Continue" before a large body, and wait a second for servers that never say it.
        for (name, value) in headers + [("Expect", "")] {
            let isClean = (name + value).utf8.allSatisfy { $0 >= 0x20 && $0 != 0x7F }
            guard isClean, !name.isEmpty, !name.utf8.contains(UInt8(ascii: ":")) else {
                curl_slist_free_all(list)
                let shown = name.filter { $0.isASCII && !$0.isNewline }
                throw HTTPError(.other, "the header '\(shown)' has a forbidden character")
            }
            if value.isEmpty, name != "Expect" { continue }
            list = curl_slist_append(list, "\(name):\(value.isEmpty ? "" : " " + value)")
        }
        self.list = list
    }

    deinit { curl_slist_free_all(list) }
}

/// How long each part of a transfer may take, in nanoseconds.
public struct HTTPTimeouts: Sendable, Equatable {
    /// Name resolution, connection and TLS handshake.
    public var connect: UInt64
    /// From the start to the first byte of the answer's body.
    public var firstByte: UInt64
    /// Between two pieces of the body. Does not run while the receiver has paused the transfer.
    public var idle: UInt64
    /// From the start to the end.
    public var total: UInt64

    /// Timeouts in seconds; any number will do, and what is not positive ends a transfer at once.
    public init(connect: Double = 5, firstByte: Double = 60, idle: Double = 60, total: Double = 600) {
        self.connect = Self.nanoseconds(connect)
        self.firstByte = Self.nanoseconds(firstByte)
        self.idle = Self.nanoseconds(idle)
        self.total = Self.nanoseconds(total)
    }

    /// Thirty years are as good as for ever, and fit.
    private static func nanoseconds(_ seconds: Double) -> UInt64 { seconds > 0 ? UInt64(min(seconds, 1e9) * 1e9) : 0 }
}

/// One request.
public struct HTTPRequest: Sendable {
    /// The absolute URL, http or https.
    public var url: String
    /// The headers.
    public var headers: HTTPHeaders
    /// The body of a POST; `nil` for a GET.
    public var body: [UInt8]?
    /// The time limits.
    public var timeouts: HTTPTimeouts
    /// Keeps the transfer off shared HTTP/2 connections. Wanted for streams: pausing one of several streams of an
    /// HTTP/2 connection makes libcurl buffer up to 10 MB for it.
    public var prefersHTTP1: Bool
    /// A file of PEM certificates to trust instead of the client's; `nil` for the client's.
    public var caFile: String?
    /// Goes straight to the host, whatever the environment says of proxies: for a machine's own metadata service.
    public var bypassesProxy: Bool

    /// A request.
    public init(
        url: String, headers: HTTPHeaders, body: [UInt8]?, timeouts: HTTPTimeouts = HTTPTimeouts(),
        prefersHTTP1: Bool = false, caFile: String? = nil, bypassesProxy: Bool = false
    ) {
        self.url = url
        self.headers = headers
        self.body = body
        self.timeouts = timeouts
        self.prefersHTTP1 = prefersHTTP1
        self.caFile = caFile
        self.bypassesProxy = bypassesProxy
    }
}
