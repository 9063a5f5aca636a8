internal import Config

/// The body of an `application/x-www-form-urlencoded` POST. A field that is set again replaces the earlier one.
struct FormBody {
    static let contentType = (name: "Content-Type", value: "application/x-www-form-urlencoded")

    private var fields: [(name: String, value: [UInt8])] = []

    /// A form of plain fields.
    init(_ fields: KeyValuePairs<String, String>) {
        for (name, value) in fields { set(name, value) }
    }

    /// Sets a field; `nil` and nothing leave it out.
    mutating func set(_ name: String, _ value: String?) {
        guard let value, !value.isEmpty else { return }
        set(name, bytes: Array(value.utf8))
    }

    mutating func set(_ name: String, _ value: Secret) {
        set(name, bytes: value.withUnsafeBytes { Array($0) })
    }

    private mutating func set(_ name: String, bytes: [UInt8]) {
        fields.removeAll { $0.name == name }
        fields.append((name, bytes))
    }

    /// The encoded fields.
    var bytes: [UInt8] {
        var out: [UInt8] = []
        for (index, field) in fields.enumerated() {
            if index > 0 { out.append(UInt8(ascii: "&")) }
            PercentEncoding.append(field.name.utf8, to: &out)
            out.append(UInt8(ascii: "="))
            PercentEncoding.append(field.value, to: &out)
        }
        return out
    }
}

/// Percent-encoding of everything but RFC 3986's unreserved characters: good in a form, a query and a path.
enum PercentEncoding {
    private static let digits = Array("0123456789ABCDEF".utf8)

    static func append(_ bytes: some Sequence<UInt8>, to out: inout [UInt8]) {
        for byte in bytes {
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "_"),
                UInt8(ascii: "~"):
                out.append(byte)
            default: out += [UInt8(ascii: "%"), digits[Int(byte >> 4)], digits[Int(byte & 15)]]
            }
        }
    }

    static func encode(_ text: String) -> String {
        var out: [UInt8] = []
        append(text.utf8, to: &out)
        return String(decoding: out, as: UTF8.self)
    }
}
