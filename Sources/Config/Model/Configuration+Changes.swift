/// What a reload takes over, and what it cannot. Names of keys and sections only, never a value.
extension Configuration {
    /// A key, or a section whose keys are all of this kind, that a daemon reads at its start alone.
    private struct StartKey: Sendable {
        let name: String
        /// The keys in it that differ.
        let changed: @Sendable (Configuration, Configuration) -> [String]

        static func key<Value: Equatable & SendableMetatype>(
            _ name: String, _ value: @escaping @Sendable (Configuration) -> Value
        ) -> StartKey {
            StartKey(name: name) { value($0) == value($1) ? [] : [name] }
        }
    }

    /// The one list of them. `genwired --help`, the README and the log of a reload follow it.
    private static let startKeys: [StartKey] = [
        .key("server.listen") { $0.server.listen }, .key("server.admin") { $0.server.admin },
        .key("server.loops") { $0.server.loops },
        StartKey(name: "limits") { old, new in
            LimitKey.all.filter { old.limits[keyPath: $0.field] != new.limits[keyPath: $0.field] }
                .map { "limits.\($0.name)" }
        },
        .key("tls.insecure_skip_verify") { $0.tls.insecureSkipVerify },
        StartKey(name: "log") { old, new in
            (old.log.level == new.log.level ? [] : ["log.level"])
                + (old.log.format == new.log.format ? [] : ["log.format"])
        },
    ]

    /// The keys and sections that a reload leaves as they were at the start.
    public static var startOnlyKeys: [String] { startKeys.map(\.name) }

    /// The keys whose values are not those that the daemon was started with, and which wait for a restart.
    public func keysForRestart(since started: Configuration) -> [String] {
        Self.startKeys.flatMap { $0.changed(started, self) }
    }

    /// What a reload changes against `old`, a phrase each; empty where it changes nothing.
    public func changes(since old: Configuration) -> [String] {
        func named<Value>(_ values: [Value], _ name: (Value) -> String) -> [String: Value] {
            Dictionary(values.map { (name($0), $0) }, uniquingKeysWith: { first, _ in first })
        }
        var changes = Self.differences("model", named(old.allModels, \.name), named(allModels, \.name))
        changes += Self.differences("route", named(old.routes, \.name), named(routes, \.name))
        changes += Self.differences("credential", old.auth, auth)
        changes += Self.differences("generator", old.generators, generators)
        if !server.admitsAlike(old.server) { changes.append("who may call changed") }
        if server.drainTimeout != old.server.drainTimeout { changes.append("server.drain_timeout changed") }
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

extension ServerConfiguration {
    /// Whether the same callers may call, with the same tokens.
    fileprivate func admitsAlike(_ other: ServerConfiguration) -> Bool {
        allowedUsers == other.allowedUsers && allowedGroups == other.allowedGroups
            && tokens.elementsEqual(other.tokens) { $0.name == $1.name && $0.token == $1.token }
    }
}
