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
                throw HTTPError(
                    .other, "the header '\(name.filter { $0.isASCII && !$0.isNewline })' has a forbidden character")
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

    /// Timeouts in seconds.
    public init(connect: Double = 5, firstByte: Double = 60, idle: Double = 60, total: Double = 600) {
        self.connect = UInt64(connect * 1e9)
        self.firstByte = UInt64(firstByte * 1e9)
        self.idle = UInt64(idle * 1e9)
        self.total = UInt64(total * 1e9)
    }
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

    /// A request.
    public init(
        url: String, headers: HTTPHeaders, body: [UInt8]?, timeouts: HTTPTimeouts = HTTPTimeouts(),
        prefersHTTP1: Bool = false, caFile: String? = nil
    ) {
        self.url = url
        self.headers = headers
        self.body = body
        self.timeouts = timeouts
        self.prefersHTTP1 = prefersHTTP1
        self.caFile = caFile
    }
}

/// The status and headers of an answer.
public struct HTTPResponseHead: Sendable {
    /// The status code.
    public let status: Int
    private let raw: [UInt8]

    init(status: Int, raw: [UInt8]) {
        self.status = status
        self.raw = raw
    }

    /// The value of the first header of this name, in any case; `nil` where there is none.
    public func header(_ name: StaticString) -> String? {
        name.withUTF8Buffer { wanted in
            for line in raw.split(separator: UInt8(ascii: "\n")) {
                guard line.count > wanted.count, line[line.startIndex + wanted.count] == UInt8(ascii: ":") else {
                    continue
                }
                let matches = zip(line, wanted).allSatisfy { Self.lower($0) == Self.lower($1) }
                guard matches else { continue }
                let value = line.dropFirst(wanted.count + 1)
                let trimmed = value.drop { $0 == 0x20 || $0 == 0x09 }
                let end = trimmed.lastIndex { $0 != 0x20 && $0 != 0x09 && $0 != 0x0D } ?? trimmed.startIndex - 1
                return String(decoding: trimmed[trimmed.startIndex..<(end + 1)], as: UTF8.self)
            }
            return nil
        }
    }

    private static func lower(_ byte: UInt8) -> UInt8 { byte >= 0x41 && byte <= 0x5A ? byte | 0x20 : byte }
}
