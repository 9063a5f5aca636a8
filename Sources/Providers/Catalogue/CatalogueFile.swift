internal import Config
internal import Generation
internal import JSON

/// One file of the catalogue: exact entries, rules for patterns of names, and aliases.
///
/// ```json
/// {"models": {"openai/my-model": {"context_window": 32768}},
///  "rules": [{"providers": ["openai"], "match": ["my-*"], "facts": {"temperature": false}, "source": "its manual"}],
///  "aliases": [{"providers": ["azure_openai"], "match": ["*-prod"], "means": "gpt-5.6"}]}
/// ```
struct CatalogueFile: Sendable {
    /// Facts for all names that match one of some patterns.
    struct Rule: Sendable {
        /// The providers to which the rule applies.
        let providers: Set<String>
        let match: [NamePattern]
        /// Whether matching names belong to a known model family.
        let isFamily: Bool
        /// Facts that a model's entry overrides.
        let fallback: ModelFacts.Stated
        /// Facts that override a model's entry.
        let facts: ModelFacts.Stated

        func applies(to provider: String, _ forms: [String]) -> Bool {
            providers.contains(provider) && match.contains { pattern in forms.contains { pattern.matches($0) } }
        }
    }

    /// Maps matching names to the model that they probably denote.
    struct Alias: Sendable {
        let providers: Set<String>
        let match: [NamePattern]
        let means: String
    }

    /// Limits of a file: its size in bytes, the number of entries, rules and patterns per rule, and its nesting depth.
    static let maximumSize = 2 << 20
    static let maximumModels = 10_000
    static let maximumRules = 1_000
    static let maximumPatterns = 64
    static let maximumDepth = 8
    static let maximumValues = 200_000

    /// The file's length in bytes.
    let size: Int
    private(set) var models: [String: ModelFacts.Stated] = [:]
    private(set) var rules: [Rule] = []
    private(set) var aliases: [Alias] = []

    private let file: String

    /// Reads a file from the disk.
    /// - Throws: `CatalogueError` with the place of the first problem.
    init(path: String) throws(CatalogueError) {
        let bytes: [UInt8]
        do throws(FileContents.Failure) {
            bytes = try FileContents.read(path, limit: Self.maximumSize, onlyRegular: true)
        } catch {
            throw CatalogueError(file: path, place: "", reason: "the file \(error.reason)")
        }
        try self.init(bytes, file: path)
    }

    /// Parses the contents of a file.
    /// - Parameter file: the file's name, for errors.
    /// - Throws: `CatalogueError` with the place of the first problem.
    init(_ bytes: [UInt8], file: String) throws(CatalogueError) {
        self.file = file
        size = bytes.count
        var balance = JSONBalance()
        bytes.withUnsafeBytes { balance.add($0) }
        guard balance.deepest <= Self.maximumDepth, balance.values <= Self.maximumValues else {
            throw CatalogueError(
                file: file, place: "",
                reason: "more than \(Self.maximumValues) values, or nested deeper than \(Self.maximumDepth) levels")
        }
        let root: JSONValue
        do {
            root = try JSONValue(parsing: bytes)
        } catch {
            throw CatalogueError(file: file, place: "", reason: "not valid JSON: \(error)")
        }
        guard let members = root.members else {
            throw CatalogueError(file: file, place: "", reason: "must be an object with models, rules or aliases")
        }
        for (key, value) in members {
            switch key {
            case "source": break
            case "models": try readModels(value)
            case "rules": for (place, value) in try list(value, at: key) { rules.append(try rule(value, at: place)) }
            case "aliases":
                for (place, value) in try list(value, at: key) { aliases.append(try alias(value, at: place)) }
            default: throw error(key, "unknown key; valid: models, rules, aliases, source")
            }
        }
    }

    private func error(_ place: String, _ reason: String) -> CatalogueError {
        CatalogueError(file: file, place: place, reason: reason)
    }

    // MARK: - Entries

    private mutating func readModels(_ value: JSONValue) throws(CatalogueError) {
        guard let members = value.members else { throw error("models", "must be an object of models") }
        guard members.count <= Self.maximumModels else {
            throw error("models", "has more than \(Self.maximumModels) entries")
        }
        for (name, value) in members {
            let place = "models.\(name.truncated(toBytes: 100))"
            guard let slash = name.firstIndex(of: "/"), ProviderRegistry.names.contains(String(name[..<slash])),
                !name[name.index(after: slash)...].isEmpty, name.utf8.count <= 300
            else {
                throw error(
                    place, "must be PROVIDER/MODEL_NAME; providers: \(ProviderRegistry.names.joined(separator: ", "))")
            }
            models[name.lowercased()] = try facts(value, at: place)
        }
    }

    private func facts(_ value: JSONValue?, at place: String) throws(CatalogueError) -> ModelFacts.Stated {
        guard let value else { return [:] }
        guard let members = value.members else { throw error(place, "must be an object of facts") }
        let stated = Dictionary(members.map { ($0.key, $0.value) }, uniquingKeysWith: { _, last in last })
        do throws(ModelFacts.FieldError) {
            _ = try ModelFacts(stated)
        } catch {
            throw self.error("\(place).\(error.name)", error.reason)
        }
        return stated
    }

    // MARK: - Rules and aliases

    private func list(_ value: JSONValue, at key: String) throws(CatalogueError) -> [(String, JSONValue)] {
        guard let elements = value.array else { throw error(key, "must be a list") }
        guard elements.count <= Self.maximumRules else {
            throw error(key, "has more than \(Self.maximumRules) entries")
        }
        return elements.enumerated().map { ("\(key)[\($0.offset)]", $0.element) }
    }

    private func rule(_ value: JSONValue, at place: String) throws(CatalogueError) -> Rule {
        try check(value, at: place, keys: ["providers", "match", "family", "fallback", "facts", "source"])
        guard let source = value["source"]?.string, !source.isEmpty else {
            throw error(place + ".source", "is missing; state the source of the facts")
        }
        return Rule(
            providers: try providers(value, at: place), match: try patterns(value, at: place),
            isFamily: value["family"]?.bool ?? false, fallback: try facts(value["fallback"], at: place + ".fallback"),
            facts: try facts(value["facts"], at: place + ".facts"))
    }

    private func alias(_ value: JSONValue, at place: String) throws(CatalogueError) -> Alias {
        try check(value, at: place, keys: ["providers", "match", "means"])
        guard let means = value["means"]?.string, !means.isEmpty, means.utf8.count <= 256 else {
            throw error(place + ".means", "must be the name of a model")
        }
        return Alias(
            providers: try providers(value, at: place), match: try patterns(value, at: place), means: means)
    }

    private func check(_ value: JSONValue, at place: String, keys: [String]) throws(CatalogueError) {
        guard let members = value.members else { throw error(place, "must be an object") }
        for (key, _) in members where !keys.contains(key) {
            throw error(
                place,
                "unknown key '\(key.truncated(toBytes: 100))'; valid: "
                    + keys.joined(separator: ", "))
        }
    }

    private func providers(_ value: JSONValue, at place: String) throws(CatalogueError) -> Set<String> {
        guard let value = value["providers"] else { return Set(ProviderRegistry.names) }
        let names = value.array?.compactMap(\.string) ?? []
        guard !names.isEmpty, names.count == value.array?.count, names.allSatisfy(ProviderRegistry.names.contains)
        else {
            throw error(
                place + ".providers",
                "must be a list of providers: \(ProviderRegistry.names.joined(separator: ", "))")
        }
        return Set(names)
    }

    private func patterns(_ value: JSONValue, at place: String) throws(CatalogueError) -> [NamePattern] {
        let texts = value["match"]?.array?.compactMap(\.string) ?? []
        let patterns = texts.compactMap { NamePattern($0) }
        guard (1...Self.maximumPatterns).contains(patterns.count), patterns.count == value["match"]?.array?.count else {
            throw error(
                place + ".match",
                "must be a list of 1 to \(Self.maximumPatterns) patterns of up to \(NamePattern.maximumLength) bytes "
                    + "with at most \(NamePattern.maximumStars) '*'")
        }
        return patterns
    }
}
