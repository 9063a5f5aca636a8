internal import Generation
internal import JSON

/// Converts a JSON Schema to the form that Claude enforces: closed objects and few keywords. All other keywords are
/// added to the descriptions, so that the model can follow them. The rules are those of `transform_schema` in
/// Anthropic's SDK for Python.
struct ClosedSchema {
    /// Keywords for definitions that a `$ref` can refer to.
    private static let definitions = ["$defs", "definitions"]
    private static let types: Set<String> = ["object", "array", "string", "integer", "number", "boolean", "null"]
    private static let formats: Set<String> = [
        "date-time", "time", "date", "duration", "email", "hostname", "uri", "ipv4", "ipv6", "uuid",
    ]

    /// The request field of the schema, for errors.
    let field: String

    /// Returns the converted `schema`, whose depth must be bounded.
    /// - Throws: `.invalidRequest` if a part of it does not determine the type of its value.
    func closed(_ schema: JSONValue) throws(GenerationError) -> JSONValue {
        guard let members = schema.members else { throw invalid(schema) }
        var rest = Members(members)
        var out: [(key: String, value: JSONValue)] = []
        for key in Self.definitions {
            if let schemas = rest.take(key) { out.append((key, try properties(schemas))) }
        }
        if let reference = rest.take("$ref") { return .object(out + [("$ref", reference)]) }
        // `$schema` names the dialect of the schema and restricts nothing.
        _ = rest.take("$schema")
        var type = rest.take("type")
        let literals = literals(&rest)
        let choices = [("anyOf", "anyOf"), ("oneOf", "anyOf"), ("allOf", "allOf")]
            .map { (list: rest.take($0.0)?.array, key: $0.1) }
        out += literals
        if !literals.isEmpty { type = nil }
        if let choice = choices.first(where: { $0.list != nil }), let list = choice.list {
            out.append((choice.key, .array(try all(list))))
        } else if let types = type?.array {
            return try union(of: types, rest, out)
        } else if literals.isEmpty {
            guard let type, Self.types.contains(type.string ?? "") else { throw invalid(schema) }
            out.append(("type", type))
        }
        let description = rest.take("description")
        if let title = rest.take("title") { out.append(("title", title)) }
        switch type?.string {
        case "object": out += try object(&rest)
        case "array": out += try array(&rest)
        case "string":
            if let format = rest["format"]?.string, Self.formats.contains(format), let value = rest.take("format") {
                out.append(("format", value))
            }
        default: break
        }
        if let text = Self.described(description, rest) { out.append(("description", text)) }
        return .object(out)
    }

    private func invalid(_ schema: JSONValue) -> GenerationError {
        GenerationError(
            .invalidRequest,
            "\(field): '\(schema.text.truncated(toBytes: 200))' must have a 'type', 'anyOf', 'oneOf' or 'allOf', or an "
                + "'enum' or 'const' of plain values: Claude accepts no other schemas here")
    }

    private func all(_ schemas: [JSONValue]) throws(GenerationError) -> [JSONValue] {
        var out: [JSONValue] = []
        for schema in schemas { out.append(try closed(schema)) }
        return out
    }

    private func properties(_ schemas: JSONValue) throws(GenerationError) -> JSONValue {
        guard let members = schemas.members else { throw invalid(schemas) }
        var out: [(key: String, value: JSONValue)] = []
        for member in members { out.append((member.key, try closed(member.value))) }
        return .object(out)
    }

    private func literals(_ rest: inout Members) -> [(key: String, value: JSONValue)] {
        var out: [(key: String, value: JSONValue)] = []
        if let values = rest["enum"]?.array, !values.isEmpty, values.allSatisfy(\.isPlain), let list = rest.take("enum")
        {
            out.append(("enum", list))
        }
        if rest["const"]?.isPlain == true, let value = rest.take("const") { out.append(("const", value)) }
        return out
    }

    /// Keywords that restrict one type only.
    private static let ownKeywords: [String: Set<String>] = [
        "object": [
            "properties", "required", "additionalProperties", "patternProperties", "propertyNames", "minProperties",
            "maxProperties",
        ], "array": ["items", "prefixItems", "contains", "minItems", "maxItems", "uniqueItems"],
        "string": ["format", "minLength", "maxLength", "pattern"],
        "number": ["minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf"],
    ]

    /// Whether a keyword applies to a type.
    private static func applies(_ keyword: String, to type: String) -> Bool {
        let owner = ownKeywords.first { $0.value.contains(keyword) }?.key
        return type != "null" && (owner == nil || owner == (type == "integer" ? "number" : type))
    }

    /// Converts a list of types to one choice per type, each with the keywords that restrict it. No nested schema is
    /// copied into more than one choice, which would double the work at each level.
    private func union(
        of types: [JSONValue], _ rest: Members, _ out: [(key: String, value: JSONValue)]
    ) throws(GenerationError) -> JSONValue {
        var rest = rest
        var out = out
        let description = rest.take("description")
        if let title = rest.take("title") { out.append(("title", title)) }
        var choices: [JSONValue] = []
        var known: Set<String> = []
        for type in types {
            guard let name = type.string else { throw invalid(.array(types)) }
            guard known.insert(name).inserted else { continue }
            let own = rest.remaining.filter { Self.applies($0.key, to: name) }
            choices.append(try closed(.object([("type", type)] + own)))
        }
        guard !choices.isEmpty else { throw invalid(.array(types)) }
        out.append(("anyOf", .array(choices)))
        if let description { out.append(("description", description)) }
        return .object(out)
    }

    private func object(_ rest: inout Members) throws(GenerationError) -> [(key: String, value: JSONValue)] {
        let properties = try properties(rest.take("properties") ?? .object([]))
        _ = rest.take("additionalProperties")
        var out: [(key: String, value: JSONValue)] = [("properties", properties), ("additionalProperties", false)]
        if let required = rest.take("required") { out.append(("required", required)) }
        return out
    }

    private func array(_ rest: inout Members) throws(GenerationError) -> [(key: String, value: JSONValue)] {
        var out: [(key: String, value: JSONValue)] = []
        if let items = rest.take("items") { out.append(("items", try closed(items))) }
        if let count = rest["minItems"]?.int, count == 0 || count == 1, let value = rest.take("minItems") {
            out.append(("minItems", value))
        }
        return out
    }

    /// The description, followed by the keywords that remain.
    private static func described(_ description: JSONValue?, _ rest: Members) -> JSONValue? {
        let left = rest.remaining
        guard !left.isEmpty else { return description }
        let words = left.map { "\($0.key): \($0.value.string ?? $0.value.text)" }.joined(separator: ", ")
        let before = description?.string.map { $0 + "\n\n" } ?? ""
        return .string("\(before){\(words)}")
    }

    /// The members of a schema that are not converted yet, in order. Of duplicate keys, the last one counts.
    private struct Members {
        private let all: [(key: String, value: JSONValue)]
        private var places: [String: Int]

        init(_ members: [(key: String, value: JSONValue)]) {
            all = members
            places = Dictionary(members.enumerated().map { ($1.key, $0) }) { _, last in last }
        }

        subscript(key: String) -> JSONValue? { places[key].map { all[$0].value } }

        mutating func take(_ key: String) -> JSONValue? { places.removeValue(forKey: key).map { all[$0].value } }

        var remaining: [(key: String, value: JSONValue)] { places.values.sorted().map { all[$0] } }
    }
}

extension JSONValue {
    /// Whether the value is neither a list nor an object.
    fileprivate var isPlain: Bool { members == nil && array == nil }
}
