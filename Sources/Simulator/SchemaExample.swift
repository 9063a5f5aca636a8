internal import JSON

/// Generates a value that conforms to a JSON Schema, for tool arguments and JSON responses.
enum SchemaExample {
    static func value(_ schema: JSONValue, hint: String, depth: Int = 0) -> JSONValue {
        if let constant = schema["const"] { return constant }
        if let first = schema["enum"]?[0] { return first }
        if let first = schema["anyOf"]?[0] ?? schema["oneOf"]?[0] { return value(first, hint: hint, depth: depth + 1) }
        let type =
            schema["type"]?.string ?? schema["type"]?[0]?.string ?? (schema["properties"] != nil ? "object" : "string")
        // Google writes types in capitals.
        switch type.lowercased() {
        case "object":
            guard depth < 20 else { return .object([]) }
            return .object(
                (schema["properties"]?.members ?? []).map {
                    (key: $0.key, value: value($0.value, hint: hint, depth: depth + 1))
                })
        case "array":
            let count = max(1, schema["minItems"]?.int ?? 1)
            return .array(
                (0..<count).map { _ in value(schema["items"] ?? ["type": "string"], hint: hint, depth: depth + 1) })
        case "integer": return .int(schema["minimum"]?.int ?? 7)
        case "number": return schema["minimum"] ?? 1.5
        case "boolean": return true
        case "null": return nil
        default: return .string(name(in: hint) ?? "example")
        }
    }

    /// A capitalised word of the question other than its first, for example a city.
    private static func name(in hint: String) -> String? {
        hint.split(separator: " ").dropFirst().map { $0.filter { $0.isLetter } }
            .first { $0.count > 2 && ($0.first?.isUppercase ?? false) }
    }
}
