extension Configuration {
    /// A short human-readable summary, one line per item, without secrets.
    public func summary() -> String {
        var lines: [String] = []
        func add(_ label: String, _ text: String) {
            lines.append(label + String(repeating: " ", count: max(1, 11 - label.count)) + text)
        }
        add("listen", server.listen.isEmpty ? "(default)" : server.listen.joined(separator: ", "))
        if let admin = server.admin { add("admin", admin) }
        if !server.tokens.isEmpty { add("tokens", server.tokens.map(\.name).joined(separator: ", ")) }
        for model in allModels {
            if let reason = model.unconfiguredReason {
                add("left out", "\(model.name): \(reason)")
                continue
            }
            let auth = model.auth.map { ", auth \($0)" } ?? ""
            add("model", "\(model.name): \(model.provider) \(model.modelName)\(auth)")
        }
        for route in routes {
            let targets = route.targets.map {
                route.strategy == .weighted ? "\($0.model) (weight \($0.weight))" : $0.model
            }
            add("route", "\(route.name): \(route.strategy.rawValue) over \(targets.joined(separator: ", "))")
        }
        for (name, auth) in auth.sorted(by: { $0.key < $1.key }) {
            add("auth", "\(name): \(auth.kind.rawValue)")
        }
        for (name, generator) in generators.sorted(by: { $0.key < $1.key }) {
            add("generator", "\(name): \(generator.model)")
        }
        for section in Self.plainSections { add(section.info.name, section.show(self)) }
        return lines.joined(separator: "\n")
    }
}
