internal import Config
internal import Encodings

/// The body of an `application/x-www-form-urlencoded` POST. Setting a field again replaces its value.
struct FormBody {
    static let contentType = (name: "Content-Type", value: "application/x-www-form-urlencoded")

    private var fields: [(name: String, value: [UInt8])] = []

    init(_ fields: KeyValuePairs<String, String>) {
        for (name, value) in fields { set(name, value) }
    }

    /// Sets a field; does nothing for `nil` and the empty string.
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

    /// The encoded body.
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
