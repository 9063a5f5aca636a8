/// Which changes a reload applies and which require a restart. Contains names of keys and sections, never values.
extension Configuration {
    /// The keys and sections that require a restart. `genwired --help`, the README and the reference list them too.
    public static var startOnlyKeys: [String] {
        sections.flatMap { section in
            let names = section.form.fields.filter { $0.reload == .restart }.map { "\(section.name).\($0.name)" }
            return names.count == section.form.fields.count && !names.isEmpty ? [section.name] : names
        }
    }

    /// The keys that differ from the start of the daemon and require a restart.
    public func keysForRestart(since started: Configuration) -> [String] {
        Self.keys.flatMap { $0.changes(started, self) }.filter { $0.info.reload == .restart }.map(\.path)
    }

    /// The changes since `old` that a reload applies, one phrase each; empty if nothing changed.
    public func changes(since old: Configuration) -> [String] {
        func named<Value>(_ values: [Value], _ name: (Value) -> String) -> [String: Value] {
            Dictionary(values.map { (name($0), $0) }, uniquingKeysWith: { first, _ in first })
        }
        var changes = Self.differences("model", named(old.allModels, \.name), named(allModels, \.name))
        changes += Self.differences("route", named(old.routes, \.name), named(routes, \.name))
        changes += Self.differences("credential", old.auth, auth)
        changes += Self.differences("generator", old.generators, generators)
        for change in Self.serverSection.changes(old, self) {
            guard case .takenOver(let words) = change.info.reload else { continue }
            let phrase = "\(words ?? change.path) changed"
            if !changes.contains(phrase) { changes.append(phrase) }
        }
        return changes
    }

    private static func differences<Value: Equatable>(
        _ kind: String, _ old: [String: Value], _ new: [String: Value]
    ) -> [String] {
        Set(old.keys).union(new.keys).sorted().compactMap { name in
            switch (old[name], new[name]) {
            case (nil, _): "\(kind) \(name) added"
            case (_, nil): "\(kind) \(name) removed"
            case (let before, let after): before == after ? nil : "\(kind) \(name) changed"
            }
        }
    }
}
