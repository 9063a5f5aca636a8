extension Cursor {
    /// A list of texts; a single text counts as a list of one.
    func textList() -> [String]? {
        guard case .sequence = node.value else { return text().map { [$0] } }
        guard let items = items(of: "text") else { return nil }
        let texts = items.compactMap { $0.text() }
        return texts.count == items.count ? texts : nil
    }

    /// Text for use in an HTTP header: control characters are rejected.
    func headerText(mayBeEmpty: Bool = false) -> String? {
        guard let text = mayBeEmpty ? expanded(expected: "text")?.text : text() else { return nil }
        guard !text.utf8.contains(where: { $0 < 0x20 || $0 == 0x7f }) else {
            report("contains a line break or another control character")
            return nil
        }
        return text
    }

    /// An HTTP header's name (RFC 9110 §5.1).
    func headerName() -> String? {
        guard let value = expanded(expected: "a header name") else { return nil }
        guard HeaderName.isValid(value.text) else {
            reportExpected("a header name", value)
            return nil
        }
        return value.text
    }

    /// Text of ASCII letters, digits and `-._:`: it becomes a part of a host name or path.
    func identifier() -> String? {
        let expected = "letters, digits and '-._:' only"
        guard let value = expanded(expected: expected) else { return nil }
        let isValid = value.text.utf8.allSatisfy {
            (UInt8(ascii: "a")...UInt8(ascii: "z")).contains($0 | 0x20)
                || (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) || "-._:".utf8.contains($0)
        }
        guard isValid, !value.text.isEmpty else {
            reportExpected(expected, value)
            return nil
        }
        return value.text
    }

    /// Headers: a map of names to texts.
    func headers() -> [String: String]? {
        var headers: [String: String] = [:]
        for (name, value) in named() {
            guard HeaderName.isValid(name) else {
                value.report("is not a valid header name")
                continue
            }
            var value = value
            value.isSecret = true
            headers[name] = value.headerText()
        }
        return headers
    }

    /// A map of names to texts.
    func textMap() -> [String: String]? {
        var texts: [String: String] = [:]
        for (name, value) in named() {
            var value = value
            value.isSecret = true
            texts[name] = value.text()
        }
        return texts
    }

    /// An `http` or `https` URL.
    /// - Parameter allowsPlaceholder: accepts a lone `…`, the placeholder in sample files.
    func url(allowsPlaceholder: Bool = false) -> String? {
        let expected = "a URL that begins with http:// or https://"
        guard let value = expanded(expected: expected) else { return nil }
        if allowsPlaceholder, value.text == "…" { return value.text }
        switch WebAddress.mistake(in: value.text) {
        case nil: return value.text
        case .notWeb: reportExpected(expected, value)
        case .userInfo: report("the URL must not contain a user name or password; use 'auth' for credentials")
        case .other(let message): report("not a valid URL: \(message)")
        }
        return nil
    }

    /// Any YAML that can be represented in JSON, with its variables replaced. `mustBeMap` rejects everything but a map.
    func json(mustBeMap: Bool = false) -> ConfigNode? {
        if mustBeMap {
            guard case .mapping = node.value else {
                reportExpected("a map")
                return nil
            }
        }
        let value: ConfigNode.Value
        switch node.value {
        case .scalar(let scalar):
            guard !scalar.isNull else { return node }
            guard let expanded = expanded(expected: "a value") else { return nil }
            let replaced = ConfigScalar(expanded.text, isQuoted: scalar.isQuoted, tag: scalar.tag)
            guard replaced.jsonForm != .notRepresentable else {
                report("JSON cannot represent infinity or NaN")
                return nil
            }
            value = .scalar(replaced)
        case .sequence(let items):
            let values = items.enumerated().map { child($1, "\(path)[\($0)]").json() }
            guard !values.contains(where: { $0 == nil }) else { return nil }
            value = .sequence(values.compactMap { $0 })
        case .mapping(let entries):
            let values = entries.map { entry in
                child(entry.value, Path.appending(entry.key, to: path)).json()
                    .map { ConfigEntry(key: entry.key, line: entry.line, value: $0) }
            }
            guard !values.contains(where: { $0 == nil }) else { return nil }
            value = .mapping(values.compactMap { $0 })
        }
        return ConfigNode(value, line: node.line, column: node.column)
    }

    private func child(_ node: ConfigNode, _ path: String) -> Cursor {
        Cursor(node: node, path: path, reading: reading, isSecret: isSecret)
    }
}

/// The syntax of header names.
enum HeaderName {
    /// Whether `name` is a token of RFC 9110 §5.6.2.
    static func isValid(_ name: String) -> Bool {
        !name.isEmpty
            && name.utf8.allSatisfy {
                (UInt8(ascii: "a")...UInt8(ascii: "z")).contains($0 | 0x20)
                    || (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) || "!#$%&'*+-.^_`|~".utf8.contains($0)
            }
    }
}
