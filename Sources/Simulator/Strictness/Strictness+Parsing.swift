internal import JSON

/// An error in a strictness file.
struct StrictnessError: Error, CustomStringConvertible {
    let description: String
}

extension Strictness {
    /// Parses the file.
    /// - Throws: `StrictnessError` that names the rule, or `JSONError`.
    init(parsing bytes: [UInt8]) throws {
        let root = try JSONValue(parsing: bytes)
        let forms = root["refusals"]
        deployments = try (root["deployments"]?.array ?? []).map { entry in
            guard let names = entry["names"]?.array?.compactMap(\.string), let model = entry["runs"]?.string else {
                throw StrictnessError(description: "deployments: an entry requires 'names' and 'runs'")
            }
            return Deployment(names: names.map { NameGlob($0) }, model: model)
        }
        guard let entries = root["rules"]?.array, !entries.isEmpty else {
            throw StrictnessError(description: "'rules' is missing or empty")
        }
        rules = try entries.enumerated().map { index, entry in
            do throws(StrictnessError) {
                return try Self.rule(entry, forms)
            } catch {
                throw StrictnessError(description: "rule \(index + 1): \(error)")
            }
        }
    }

    private static func rule(_ entry: JSONValue, _ forms: JSONValue?) throws(StrictnessError) -> Rule {
        try check(
            entry, ["source", "vendors", "endpoint", "models", "except", "values", "traits", "refuses"])
        guard let source = entry["source"]?.string, !source.isEmpty else {
            throw StrictnessError(description: "'source' is missing")
        }
        guard let endpoint = entry["endpoint"]?.string.flatMap({ Endpoint(rawValue: $0) }) else {
            throw StrictnessError(description: "'endpoint' must be one of \(Endpoint.allCases.map(\.rawValue))")
        }
        let models = try strings(entry, "models")
        guard !models.isEmpty else { throw StrictnessError(description: "'models' is empty") }
        let values = Dictionary(
            (entry["values"]?.members ?? []).map { ($0.key, $0.value) }, uniquingKeysWith: { _, last in last })
        var refusals: [RefusalRule] = []
        for name in try strings(entry, "refuses") {
            guard let form = forms?[name] else { throw StrictnessError(description: "undefined refusal '\(name)'") }
            refusals.append(try refusal(form, name, values))
        }
        return Rule(
            source: source, vendors: try words(entry, "vendors"), endpoint: endpoint,
            models: models.map { NameGlob($0) }, except: try strings(entry, "except").map { NameGlob($0) },
            traits: try words(entry, "traits"), refusals: refusals)
    }

    private static func refusal(
        _ form: JSONValue, _ name: String, _ values: [String: JSONValue]
    ) throws(StrictnessError) -> RefusalRule {
        try check(form, ["when", "status", "param", "code", "message"])
        guard let message = form["message"]?.string else {
            throw StrictnessError(description: "\(name): 'message' is missing")
        }
        var conditions: [StrictnessCondition] = []
        for entry in form["when"]?.array ?? [] {
            guard let path = entry["path"]?.string else {
                throw StrictnessError(description: "\(name): a condition requires a 'path'")
            }
            conditions.append(
                StrictnessCondition(path: path.split(separator: ".").map(String.init), test: try test(entry, values)))
        }
        return RefusalRule(
            conditions: conditions,
            error: Refusal(
                status: form["status"]?.int ?? 400, message: message, param: form["param"] ?? nil,
                code: form["code"] ?? nil),
            values: values)
    }

    private static func test(
        _ entry: JSONValue, _ values: [String: JSONValue]
    ) throws(StrictnessError) -> StrictnessCondition.Test {
        try check(entry, ["path", "in", "not", "unless", "above", "below", "before", "find", "keywords"])
        /// Returns a literal value, or for a string the rule's value of that name.
        func resolved(_ key: String) throws(StrictnessError) -> JSONValue? {
            guard let value = entry[key], let name = value.string else { return entry[key] }
            guard let named = values[name] else { throw StrictnessError(description: "undefined value '\(name)'") }
            return named
        }
        if let list = try resolved("in")?.array { return .among(list) }
        if let list = try resolved("not")?.array { return .notAmong(list) }
        if let list = try resolved("unless")?.array { return .unless(list) }
        if let bound = try resolved("above")?.double { return .above(bound) }
        if let bound = try resolved("below")?.double { return .below(bound) }
        if let version = try resolved("before")?.string { return .before(version) }
        switch entry["find"]?.string {
        case nil: return .given
        case "open_object": return .find(.openObject)
        case "open_strict_tool": return .find(.openStrictTool)
        case "call_without_reasoning": return .find(.callWithoutReasoning)
        case "unsigned_call": return .find(.unsignedCall)
        case "unsupported_keyword":
            let keywords = (entry["keywords"]?.members ?? []).map {
                ($0.key, $0.value.array?.compactMap(\.string) ?? [])
            }
            return .find(.unsupportedKeyword(Dictionary(keywords, uniquingKeysWith: { _, last in last })))
        case let name?: throw StrictnessError(description: "unknown finder '\(name)'")
        }
    }

    private static func check(_ entry: JSONValue, _ known: [String]) throws(StrictnessError) {
        guard let members = entry.members else { throw StrictnessError(description: "expected an object") }
        if let unknown = members.first(where: { !known.contains($0.key) }) {
            throw StrictnessError(description: "unknown member '\(unknown.key)'")
        }
    }

    private static func strings(_ entry: JSONValue, _ key: String) throws(StrictnessError) -> [String] {
        let elements = entry[key]?.array ?? []
        let strings = elements.compactMap(\.string)
        guard strings.count == elements.count else {
            throw StrictnessError(description: "'\(key)' must be a list of strings")
        }
        return strings
    }

    private static func words<Word: RawRepresentable<String>>(
        _ entry: JSONValue, _ key: String
    ) throws(StrictnessError) -> [Word] {
        var words: [Word] = []
        for name in try strings(entry, key) {
            guard let word = Word(rawValue: name) else {
                throw StrictnessError(description: "'\(key)': unknown value '\(name)'")
            }
            words.append(word)
        }
        return words
    }
}
