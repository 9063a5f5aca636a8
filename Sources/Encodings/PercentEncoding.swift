/// Percent-encoding (RFC 3986 §2.1).
public enum PercentEncoding {
    private static let digits = Array("0123456789ABCDEF".utf8)

    /// Appends everything but unreserved characters encoded: good in a form, a query and a path.
    public static func append(_ bytes: some Sequence<UInt8>, to out: inout [UInt8]) {
        append(bytes, keepsAt: false, to: &out)
    }

    /// Everything but unreserved characters encoded.
    public static func encode(_ text: String) -> String {
        var out: [UInt8] = []
        append(text.utf8, keepsAt: false, to: &out)
        return String(decoding: out, as: UTF8.self)
    }

    /// One segment of a path: `@`, which versions of models have, stays. `:` is encoded, since Google's verbs follow one.
    public static func segment(_ text: String) -> String {
        var out: [UInt8] = []
        append(text.utf8, keepsAt: true, to: &out)
        return String(decoding: out, as: UTF8.self)
    }

    /// Several segments with `/` between them.
    public static func path(_ text: String) -> String {
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
