/// A complete request, including its body.
package struct HTTPServerRequest: Sendable {
    /// The method as sent, for example `POST`.
    package var method: String
    /// The path without the query, percent-encoded as sent, so that an escaped `/` does not split a segment.
    package var rawPath: String
    /// The query's arguments, percent-decoded; the last one if a name repeats. `+` is not decoded.
    package var query: [String: String]
    /// The headers by lower-case name; the last one if a name repeats.
    package var headers: [String: String]
    /// The body, at most `HTTPServerLimits.bodyBytes`.
    package var body: [UInt8]

    /// The decoded path, for comparisons; to split a path into segments, use `rawPath`.
    package var path: String { Self.decoded(rawPath) }

    package init(
        method: String, rawPath: String, query: [String: String] = [:], headers: [String: String] = [:],
        body: [UInt8] = []
    ) {
        self.method = method
        self.rawPath = rawPath
        self.query = query
        self.headers = headers
        self.body = body
    }

    /// Percent-decodes `text`; invalid escapes are kept.
    package static func decoded(_ text: String) -> String {
        guard text.utf8.contains(UInt8(ascii: "%")) else { return text }
        let bytes = Array(text.utf8)
        var out: [UInt8] = []
        var index = 0
        while index < bytes.count {
            if bytes[index] == UInt8(ascii: "%"), index + 2 < bytes.count,
                let byte = UInt8(String(decoding: bytes[(index + 1)...(index + 2)], as: UTF8.self), radix: 16)
            {
                out.append(byte)
                index += 3
            } else {
                out.append(bytes[index])
                index += 1
            }
        }
        return String(decoding: out, as: UTF8.self)
    }
}
