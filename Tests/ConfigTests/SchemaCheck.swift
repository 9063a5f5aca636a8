import JSON
import Testing

/// Validates a value against a JSON Schema (draft 2020-12), limited to the keywords that the configuration's uses.
struct SchemaCheck {
    let root: JSONValue

    /// Returns the places where `value` violates the schema; empty if it conforms.
    func mistakes(in value: JSONValue) throws -> [String] { try mistakes(value, root, "") }

    private static let annotations: Set<String> = ["$schema", "title", "description", "$defs"]

    private func mistakes(_ value: JSONValue, _ schema: JSONValue, _ path: String) throws -> [String] {
        guard let members = schema.members else { return schema.bool == false ? ["\(path) is not allowed"] : [] }
        var found: [String] = []
        for (key, rule) in members where !Self.annotations.contains(key) {
            found += try mistakes(value, key, rule, schema, path)
        }
        return found
    }

    private func holds(_ value: JSONValue, _ schema: JSONValue) throws -> Bool {
        try mistakes(value, schema, "").isEmpty
    }

    private func mistakes(
        _ value: JSONValue, _ key: String, _ rule: JSONValue, _ schema: JSONValue, _ path: String
    ) throws -> [String] {
        func check(_ isGood: Bool) -> [String] { isGood ? [] : ["\(path): \(key) \(rule.text)"] }
        switch key {
        case "$ref": return try mistakes(value, target(rule), path)
        case "type":
            let types = rule.array?.compactMap(\.string) ?? [rule.string ?? ""]
            return check(types.contains { Self.isType($0, value) })
        case "enum": return check(rule.array?.contains(value) == true)
        case "const": return check(rule == value)
        case "pattern":
            guard let text = value.string else { return [] }
            return check(try text.firstMatch(of: Regex(rule.string ?? "")) != nil)
        case "minLength": return check(value.string.map { $0.count >= rule.int ?? 0 } ?? true)
        case "maxLength": return check(value.string.map { $0.count <= rule.int ?? 0 } ?? true)
        case "minimum": return check(value.double.map { $0 >= rule.double ?? 0 } ?? true)
        case "exclusiveMinimum": return check(value.double.map { $0 > rule.double ?? 0 } ?? true)
        case "maximum": return check(value.double.map { $0 <= rule.double ?? 0 } ?? true)
        case "minItems": return check(value.array.map { $0.count >= rule.int ?? 0 } ?? true)
        case "maxItems": return check(value.array.map { $0.count <= rule.int ?? 0 } ?? true)
        case "minProperties": return check(value.members.map { $0.count >= rule.int ?? 0 } ?? true)
        case "required":
            guard value.members != nil else { return [] }
            return check(rule.array?.allSatisfy { value[$0.string ?? ""] != nil } == true)
        case "anyOf": return check(try rule.array?.contains { try holds(value, $0) } == true)
        case "allOf": return try rule.array?.flatMap { try mistakes(value, $0, path) } ?? []
        case "if":
            guard let consequence = schema["then"], try holds(value, rule) else { return [] }
            return try mistakes(value, consequence, path)
        case "then": return []
        default: return try children(value, key, rule, schema, path)
        }
    }

    /// Applies the keywords for the elements of lists and maps.
    private func children(
        _ value: JSONValue, _ key: String, _ rule: JSONValue, _ schema: JSONValue, _ path: String
    ) throws -> [String] {
        switch key {
        case "items":
            let first = schema["prefixItems"]?.array?.count ?? 0
            return try (value.array ?? []).dropFirst(first).flatMap { try mistakes($0, rule, path + "[]") }
        case "prefixItems":
            return try zip(value.array ?? [], rule.array ?? []).flatMap { try mistakes($0, $1, path + "[]") }
        case "properties":
            return try (value.members ?? []).flatMap { member in
                try rule[member.key].map { try mistakes(member.value, $0, "\(path).\(member.key)") } ?? []
            }
        case "additionalProperties":
            return try (value.members ?? []).filter { schema["properties"]?[$0.key] == nil }
                .flatMap { try mistakes($0.value, rule, "\(path).\($0.key)") }
        case "propertyNames":
            return try (value.members ?? []).flatMap { try mistakes(.string($0.key), rule, "\(path).\($0.key)") }
        default:
            Issue.record("the check does not know the keyword '\(key)'")
            return []
        }
    }

    /// Resolves a `$ref` such as `#/$defs/text`.
    private func target(_ reference: JSONValue) throws -> JSONValue {
        try #require(reference.string).split(separator: "/").dropFirst().reduce(root) { schema, name in
            try #require(schema[String(name)], "\(reference.text) points nowhere")
        }
    }

    private static func isType(_ name: String, _ value: JSONValue) -> Bool {
        switch value {
        case .null: name == "null"
        case .bool: name == "boolean"
        case .int: name == "integer" || name == "number"
        case .double(let number): name == "number" || name == "integer" && number == number.rounded()
        case .string: name == "string"
        case .array: name == "array"
        case .object: name == "object"
        }
    }
}
