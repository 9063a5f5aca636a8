/// One request, with its whole body.
package struct HTTPServerRequest: Sendable {
    /// The method, such as `POST`; as it was sent.
    package var method: String
    /// The path without the query, percent-encoded as it was sent, so that an escaped `/` does not split a segment.
    package var rawPath: String
    /// The query's arguments, percent-decoded; the last of several with one name. `+` stays.
    package var query: [String: String]
    /// The headers by their lower-case names; the last of several with one name.
    package var headers: [String: String]
    /// The body, at most `HTTPServerLimits.bodyBytes`.
    package var body: [UInt8]

    /// The path, decoded: for comparing, not for taking apart.
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

    /// Percent-decodes; what is no escape stays.
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
