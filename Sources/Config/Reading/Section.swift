/// A map in the file whose keys have been checked.
struct Section {
    let cursor: Cursor
    private let entries: [String: ConfigEntry]

    var line: Int { cursor.node.line }
    var path: String { cursor.path }

    /// The value of a key, or `nil` if the file does not have it. `${NAME:-}` with nothing in `NAME` counts as
    /// absent.
    subscript(key: String) -> Cursor? {
        guard let entry = entries[key], !isLeftOut(entry.value) else { return nil }
        let path = Path.appending(key, to: cursor.path)
        return Cursor(node: entry.value, path: path, reading: cursor.reading)
    }

    /// The same for a required key: its absence is reported.
    func required(_ key: String) -> Cursor? {
        if let value = self[key] { return value }
        reportMissing(key, "is missing")
        return nil
    }

    /// Reports on a key that is not there.
    func reportMissing(_ key: String, _ message: String, isMissingVariable: Bool = false) {
        cursor.reading.report(
            message, at: line, key: Path.appending(key, to: path), isMissingVariable: isMissingVariable)
    }

    private func isLeftOut(_ node: ConfigNode) -> Bool {
        guard case .scalar(let scalar) = node.value, scalar.text.contains("${") else { return false }
        let outcome = try? Interpolation.expand(scalar.text, environment: cursor.reading.environment)
        return outcome.map { $0.text.isEmpty && $0.hasDefaults } ?? false
    }

    fileprivate init(cursor: Cursor, entries: [String: ConfigEntry]) {
        self.cursor = cursor
        self.entries = entries
    }
}

extension Cursor {
    /// The map here, whose keys must be among `keys`. Nothing after the colon is a map without keys.
    /// - Parameters:
    ///   - inner: a nested map in which a misplaced key may belong: its name and its keys.
    ///   - explain: the error for a key that is not among `keys`, instead of the nearest name.
    func section(
        keys: [KeyInfo], inner: (name: String, keys: [String])? = nil, explain: (String) -> String? = { _ in nil }
    ) -> Section? {
        let keys = keys.map(\.name)
        guard let entries = mappingEntries() else { return nil }
        var known: [String: ConfigEntry] = [:]
        for entry in entries {
            if keys.contains(entry.key) {
                known[entry.key] = entry
                continue
            }
            let path = Path.appending(entry.key, to: path)
            if let explanation = explain(entry.key) {
                reading.report(explanation, at: entry.line, key: path)
                continue
            }
            let hint =
                if let inner, inner.keys.contains(entry.key) {
                    "; did you mean '\(inner.name).\(entry.key)'?"
                } else {
                    reading.hint(for: entry.key, among: keys)
                }
            reading.report("unknown key\(hint)", at: entry.line, key: path)
        }
        return Section(cursor: self, entries: known)
    }

    /// The map here, whose keys are names that the file's author chose.
    func named() -> [(name: String, value: Cursor)] {
        guard let entries = mappingEntries() else { return [] }
        var named: [(String, Cursor)] = []
        for entry in entries {
            let path = Path.appending(entry.key, to: path)
            guard Self.isName(entry.key) else {
                reading.report(
                    "a name must have 1 to 128 bytes and no spaces or control characters", at: entry.line, key: path)
                continue
            }
            named.append((entry.key, Cursor(node: entry.value, path: path, reading: reading)))
        }
        return named
    }

    /// The values of a list.
    func items(of expected: String) -> [Cursor]? {
        guard case .sequence(let items) = node.value else {
            reportExpected("a list of \(expected)")
            return nil
        }
        return items.enumerated().map {
            Cursor(node: $1, path: "\(path)[\($0)]", reading: reading, isSecret: isSecret)
        }
    }

    private func mappingEntries() -> [ConfigEntry]? {
        if node.isNull { return [] }
        guard case .mapping(let entries) = node.value else {
            reportExpected("a map")
            return nil
        }
        return entries
    }

    private static func isName(_ text: String) -> Bool {
        (1...128).contains(text.utf8.count)
            && !text.unicodeScalars.contains { $0.properties.isWhitespace || $0.properties.generalCategory == .control }
    }
}
