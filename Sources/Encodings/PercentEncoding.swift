/// Percent-encoding (RFC 3986 §2.1).
package enum PercentEncoding {
    private static let digits = Array("0123456789ABCDEF".utf8)

    /// Appends `bytes`, encoding all but unreserved characters. Suitable for a form, a query and a path.
    package static func append(_ bytes: some Sequence<UInt8>, to out: inout [UInt8]) {
        append(bytes, keepsAt: false, to: &out)
    }

    /// Encodes all but unreserved characters, for example `a b` to `a%20b`.
    package static func encode(_ text: String) -> String {
        var out: [UInt8] = []
        append(text.utf8, keepsAt: false, to: &out)
        return String(decoding: out, as: UTF8.self)
    }

    /// Encodes one path segment. Keeps `@`, which precedes a model's version, and encodes `:`, which precedes a Google
    /// API method.
    package static func segment(_ text: String) -> String {
        var out: [UInt8] = []
        append(text.utf8, keepsAt: true, to: &out)
        return String(decoding: out, as: UTF8.self)
    }

    /// Encodes the segments of a path and keeps the `/` between them.
    package static func path(_ text: String) -> String {
        text.split(separator: "/", omittingEmptySubsequences: false).map { segment(String($0)) }.joined(separator: "/")
    }

    private static func append(_ bytes: some Sequence<UInt8>, keepsAt: Bool, to out: inout [UInt8]) {
        for byte in bytes {
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "_"),
                UInt8(ascii: "~"):
                out.append(byte)
            case UInt8(ascii: "@") where keepsAt: out.append(byte)
            default: out += [UInt8(ascii: "%"), digits[Int(byte >> 4)], digits[Int(byte & 15)]]
            }
        }
    }
}
