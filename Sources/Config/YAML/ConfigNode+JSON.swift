extension ConfigNode {
    /// The value as JSON text (RFC 8259). Scalars without quotes become null, booleans or numbers by the YAML 1.2 core
    /// schema, all others strings. Infinity and NaN, which JSON lacks and `Configuration` refuses, become null.
    public func jsonText() -> String {
        var out = ""
        appendJSON(to: &out)
        return out
    }

    private func appendJSON(to out: inout String) {
        switch value {
        case .scalar(let scalar):
            switch scalar.jsonForm {
            case .literal(let text): out += text
            case .string: Self.appendString(scalar.text, to: &out)
            case .notRepresentable: out += "null"
            }
        case .sequence(let items):
            out += "["
            for (index, item) in items.enumerated() {
                if index > 0 { out += "," }
                item.appendJSON(to: &out)
            }
            out += "]"
        case .mapping(let entries):
            out += "{"
            for (index, entry) in entries.enumerated() {
                if index > 0 { out += "," }
                Self.appendString(entry.key, to: &out)
                out += ":"
                entry.value.appendJSON(to: &out)
            }
            out += "}"
        }
    }

    private static func appendString(_ text: String, to out: inout String) {
        out += "\""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\"": out += "\\\""
            case "\\": out += "\\\\"
            case "\n": out += "\\n"
            case "\r": out += "\\r"
            case "\t": out += "\\t"
            case _ where scalar.value < 0x20:
                let digits = String(scalar.value, radix: 16)
                out += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
            default: out.unicodeScalars.append(scalar)
            }
        }
        out += "\""
    }
}

extension ConfigScalar {
    /// What a scalar is in JSON.
    enum JSONForm: Equatable {
        case literal(String)
        case string
        case notRepresentable
    }

    /// The JSON form by the core schema of YAML 1.2 (§10.3.2).
    var jsonForm: JSONForm {
        if isQuoted { return .string }
        if isNull { return .literal("null") }
        switch text {
        case "true", "True", "TRUE": return .literal("true")
        case "false", "False", "FALSE": return .literal("false")
        case ".nan", ".NaN", ".NAN", ".inf", ".Inf", ".INF", "+.inf", "+.Inf", "+.INF", "-.inf", "-.Inf", "-.INF":
            return .notRepresentable
        default: break
        }
        for (prefix, radix) in [("0x", 16), ("0o", 8)] where text.hasPrefix(prefix) {
            guard let number = UInt64(text.dropFirst(2), radix: radix), !text.contains("+") else { return .string }
            return .literal(String(number))
        }
        return Self.jsonNumber(text).map { .literal($0) } ?? .string
    }

    /// A decimal number in JSON's spelling: digits kept as written, a leading `+` and superfluous zeros dropped,
    /// and the digit added that JSON requires beside the point. `nil` if `text` is not a number.
    private static func jsonNumber(_ text: String) -> String? {
        var rest = Substring(text)
        var out = ""
        if rest.first == "-" { out = "-" }
        if rest.first == "-" || rest.first == "+" { rest.removeFirst() }
        let whole = takeDigits(&rest)
        var fraction = ""
        if rest.first == "." {
            rest.removeFirst()
            fraction = takeDigits(&rest)
        }
        guard !whole.isEmpty || !fraction.isEmpty else { return nil }
        let significant = String(whole.drop { $0 == "0" })
        out += significant.isEmpty ? "0" : significant
        if !fraction.isEmpty { out += "." + fraction }
        if rest.first == "e" || rest.first == "E" {
            rest.removeFirst()
            out += "e"
            if let sign = rest.first, sign == "+" || sign == "-" {
                out.append(sign)
                rest.removeFirst()
            }
            let exponent = takeDigits(&rest)
            guard !exponent.isEmpty else { return nil }
            out += exponent
        }
        return rest.isEmpty ? out : nil
    }

    private static func takeDigits(_ text: inout Substring) -> String {
        let digits = text.prefix { ("0"..."9").contains($0) && $0.isASCII }
        text = text[digits.endIndex...]
        return String(digits)
    }
}
