internal import Encodings

/// Reads the entries of `auth`. Each type has its own keys; `type`, `header` and `prefix` are common to all types.
enum AuthReader {
    /// The entry at `cursor`; `nil` if it is too incomplete to use. Errors are reported in any case.
    static func read(_ cursor: Cursor, name: String) -> AuthConfiguration? {
        guard case .mapping = cursor.node.value else {
            cursor.reportExpected("a map")
            return nil
        }
        let typeKey = AuthConfiguration.typeKey
        let path = Path.appending(typeKey.name, to: cursor.path)
        guard let node = cursor.node[typeKey.name] else {
            let names = AuthConfiguration.Kind.allCases.map(\.rawValue).joined(separator: ", ")
            cursor.reading.report("is missing; valid: \(names)", at: cursor.node.line, key: path)
            return nil
        }
        guard let type = type(Cursor(node: node, path: path, reading: cursor.reading)),
            let section = cursor.section(keys: [typeKey] + AuthConfiguration.keys.map(\.info) + type.keys)
        else { return nil }
        var auth = AuthConfiguration.standard
        let isUsable = section.read(into: &auth)
        guard let method = type.read(section), isUsable else { return nil }
        auth.name = name
        auth.method = method
        return auth
    }

    private static func type(_ cursor: Cursor) -> AuthConfiguration.TypeDeclaration? {
        guard let value = cursor.expanded(expected: "an auth type") else { return nil }
        let types = AuthConfiguration.types
        if let type = types.first(where: { $0.kind.rawValue == value.text }) { return type }
        let names = AuthConfiguration.Kind.allCases.map(\.rawValue)
        let shown = value.isInterpolated ? "" : " \"\(Path.printable(value.text, limit: 40))\""
        cursor.report("unknown auth type\(shown)\(NearestName.hint(for: value.text, among: names))")
        return nil
    }
}

extension Section {
    /// Whether exactly one of `keys` is present; reports an error otherwise.
    func hasOne(of keys: [String]) -> Bool {
        let present = keys.filter { self[$0] != nil }
        if present.count == 1 { return true }
        let names = keys.joined(separator: ", ")
        if present.count > 1 {
            self[present[1]]?.report("only one of \(names) is allowed")
        } else {
            reportMissing(keys[0], "is missing; one of \(names) is required")
        }
        return false
    }
}
