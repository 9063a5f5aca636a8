internal import EventLoop
internal import Glibc

/// The facts of all models: the embedded files, overridden by the operator's files. Immutable; a reload replaces it.
/// docs/models.md explains the layers.
///
/// The layers in ascending precedence: the `fallback` of every matching rule, the entry of models.json, the `facts` of
/// every matching rule, each in the order of rules.json; then, file by file, the operator's rules and entries.
package final class Catalogue: Sendable {
    /// The daemon's folder of operator files: all `*.json` in it are read, in the order of their names.
    package static let folder = "/etc/genwire/models.d"
    /// Maximum number of files in the folder.
    private static let maximumFiles = 256
    /// Maximum total size of the files, in bytes.
    private static let maximumTotal = 8 << 20

    /// Facts that depend on the provider and are not taken from the same model's entry at another one.
    private static let factsOfHosts = ["retires_on", "json_schema", "region", "endpoints"]
    /// By provider: another provider with the same models, whose entries are used too.
    private static let relatives = [
        "azure_openai": "openai", "anthropic_vertex": "anthropic", "vertex": "gemini", "gemini": "vertex",
    ]

    private let own: CatalogueFile
    private let overlays: [CatalogueFile]
    private let listed = Locked<[Known]?>(nil)

    /// The catalogue of the embedded files alone.
    package static let embedded: Catalogue = {
        do throws(CatalogueError) {
            return Catalogue(own: try CatalogueFile(EmbeddedModels.rules, file: "rules.json"), overlays: [])
        } catch {
            preconditionFailure("\(error)")
        }
    }()

    private init(own: CatalogueFile, overlays: [CatalogueFile]) {
        self.own = own
        self.overlays = overlays
    }

    /// Reads the operator's files, which override the embedded ones. Blocks while it reads them.
    /// - Parameters:
    ///   - folder: read if it exists; `nil` for none.
    ///   - files: read after the folder's.
    /// - Throws: `CatalogueError` for the first invalid file.
    package convenience init(folder: String?, files: [String]) throws(CatalogueError) {
        var overlays: [CatalogueFile] = []
        var total = 0
        for path in try Self.files(in: folder) + files {
            let file = try CatalogueFile(path: path)
            total += file.size
            guard total <= Self.maximumTotal else {
                throw CatalogueError(
                    file: path, place: "", reason: "the files have more than \(Self.maximumTotal) bytes together")
            }
            overlays.append(file)
        }
        self.init(own: Self.embedded.own, overlays: overlays)
    }

    private static func files(in folder: String?) throws(CatalogueError) -> [String] {
        guard let folder else { return [] }
        guard let stream = opendir(folder) else {
            if errno == ENOENT { return [] }
            throw CatalogueError(
                file: folder, place: "", reason: "the folder cannot be read: \(String(cString: strerror(errno)))")
        }
        defer { closedir(stream) }
        var names: [String] = []
        while let entry = readdir(stream) {
            let name = withUnsafePointer(to: &entry.pointee.d_name) { pointer in
                pointer.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
            }
            guard name.hasSuffix(".json"), !name.hasPrefix(".") else { continue }
            names.append(name)
            guard names.count <= maximumFiles else {
                throw CatalogueError(file: folder, place: "", reason: "has more than \(maximumFiles) files")
            }
        }
        return names.sorted().map { "\(folder)/\($0)" }
    }

    // MARK: - Lookup

    /// Returns the facts of a model.
    /// - Parameters:
    ///   - provider: the provider's name in configurations.
    ///   - name: the vendor's name for the model, or the model that a deployment runs.
    package func facts(provider: String, name: String) -> ModelFacts {
        let name = ModelName(name)
        if let facts = facts(provider: provider, name, origin: nil) { return facts }
        for file in overlays.reversed() + [own] {
            let alias = file.aliases.first { alias in
                alias.providers.contains(provider)
                    && alias.match.contains { pattern in name.forms.contains { pattern.matches($0) } }
            }
            guard let alias else { continue }
            return facts(provider: provider, ModelName(alias.means), origin: .alias(alias.means)) ?? ModelFacts()
        }
        let isFamily = ([own] + overlays).contains { file in
            file.rules.contains { $0.isFamily && $0.applies(to: provider, name.forms) }
        }
        return merged(provider: provider, name, entry: [:], origin: isFamily ? .family : .unknown)
    }

    /// The facts of a listed model; `nil` if the name is not listed.
    private func facts(provider: String, _ name: ModelName, origin: ModelFacts.Origin?) -> ModelFacts? {
        for candidate in name.candidates {
            let key = "\(provider)/\(candidate)"
            if let entry = EmbeddedModels.entry(key) {
                return merged(provider: provider, name, entry: entry, origin: origin ?? .listed)
            }
            if overlays.contains(where: { $0.models[key] != nil }) {
                return merged(provider: provider, name, entry: [:], origin: origin ?? .listed)
            }
        }
        guard let relative = Self.relatives[provider] else { return nil }
        for candidate in name.candidates {
            guard var entry = EmbeddedModels.entry("\(relative)/\(candidate)") else { continue }
            for fact in Self.factsOfHosts { entry[fact] = nil }
            return merged(provider: provider, name, entry: entry, origin: origin ?? .listed)
        }
        return nil
    }

    private func merged(
        provider: String, _ name: ModelName, entry: ModelFacts.Stated, origin: ModelFacts.Origin
    ) -> ModelFacts {
        var stated: ModelFacts.Stated = [:]
        func add(_ facts: ModelFacts.Stated) { stated.merge(facts) { _, new in new } }
        let matching = own.rules.filter { $0.applies(to: provider, name.forms) }
        for rule in matching { add(rule.fallback) }
        add(entry)
        for rule in matching { add(rule.facts) }
        for file in overlays {
            for rule in file.rules where rule.applies(to: provider, name.forms) {
                add(rule.fallback.filter { stated[$0.key] == nil })
                add(rule.facts)
            }
            // The most exact name comes last.
            for candidate in name.candidates.reversed() { add(file.models["\(provider)/\(candidate)"] ?? [:]) }
        }
        // Each part was checked when its file was read.
        var facts = (try? ModelFacts(stated)) ?? ModelFacts()
        facts.origin = origin
        return facts
    }

    /// A listed model.
    package struct Known: Sendable {
        /// The provider's name.
        package let provider: String
        /// The vendor's name for the model.
        package let name: String
        /// The supported features, named as in `ListModels`.
        package let capabilities: [String]
        /// The model's facts.
        package let facts: ModelFacts
    }

    /// All listed models, by provider and name. Computed on first use, which takes a few milliseconds.
    package var known: [Known] {
        if let known = listed.withLock({ $0 }) { return known }
        let known = ProviderRegistry.all.flatMap { provider in
            names(provider: provider.name).map { name in
                let facts = facts(provider: provider.name, name: name)
                return Known(
                    provider: provider.name, name: name, capabilities: provider.capabilityNames(name, facts),
                    facts: facts)
            }
        }
        listed.withLock { $0 = known }
        return known
    }

    /// The names of all listed models of a provider, sorted.
    package func names(provider: String) -> [String] {
        let prefix = provider + "/"
        let keys = Set(EmbeddedModels.keys).union(overlays.flatMap(\.models.keys))
        return keys.filter { $0.hasPrefix(prefix) }.map { String($0.dropFirst(prefix.count)) }.sorted()
    }
}
