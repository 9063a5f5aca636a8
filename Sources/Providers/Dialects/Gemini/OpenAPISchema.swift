internal import JSON

/// JSON Schema in the original form of Google's APIs: a subset of OpenAPI 3.0's schemas with types in capitals.
///
/// Every model accepts it; only newer ones accept JSON Schema itself. Source: the `Schema` message of
/// google.cloud.aiplatform.v1.
enum OpenAPISchema {
    /// `schema` in that form; `nil` if the form cannot express it.
    static func translated(_ schema: JSONValue, depth: Int = 0) -> JSONValue? {
        // The form has no place for a key that comes twice, and looking each of them up again would be quadratic work.
        guard depth < 64, let members = members(schema), Set(members.lazy.map(\.key)).count == members.count else {
            return nil
        }
        let schema = JSONValue.object(members)
        var out: [(key: String, value: JSONValue)] = []
        let type = typeName(schema["type"])
        for (key, value) in members {
            switch key {
            case _ where silent.contains(key):
                if key == "additionalProperties", value.members != nil { return nil }
            case "type":
                guard let type else { return nil }
                out.append((key: "type", value: .string(type.name.uppercased())))
                if type.isNullable, schema["nullable"] == nil { out.append((key: "nullable", value: true)) }
            case "properties":
                guard let properties = value.members else { return nil }
                var translated: [(key: String, value: JSONValue)] = []
                for property in properties {
                    guard let inner = Self.translated(property.value, depth: depth + 1) else { return nil }
                    translated.append((key: property.key, value: inner))
                }
                out.append((key: key, value: .object(translated)))
            case "items":
                guard let inner = translated(value, depth: depth + 1) else { return nil }
                out.append((key: key, value: inner))
            case "anyOf":
                // The form allows it only alone.
                guard let choices = value.array, members.allSatisfy({ silent.contains($0.key) || $0.key == key }) else {
                    return nil
                }
                var translated: [JSONValue] = []
                for choice in choices {
                    guard let inner = Self.translated(choice, depth: depth + 1) else { return nil }
                    translated.append(inner)
                }
                out.append((key: key, value: .array(translated)))
            case "enum":
                guard type?.name == "string", value.array?.allSatisfy({ $0.string != nil }) == true else { return nil }
                out.append((key: key, value: value))
            case "format":
                guard ["date-time", "enum", "float", "double", "int32", "int64"].contains(value.string ?? "") else {
                    return nil
                }
                out.append((key: key, value: value))
            case "title", "description", "nullable", "required", "minItems", "maxItems", "minProperties",
                "maxProperties", "minLength", "maxLength", "pattern", "minimum", "maximum", "default", "example",
                "propertyOrdering":
                out.append((key: key, value: value))
            default: return nil
            }
        }
        return .object(out)
    }

    /// Keys that the form implies, or that the model ignores.
    private static let silent: Set<String> = ["$schema", "additionalProperties", "strict"]

    /// The members of `schema`. What may be null is a list of two choices in JSON Schema, and a mark here.
    private static func members(_ schema: JSONValue) -> [(key: String, value: JSONValue)]? {
        guard let members = schema.members else { return nil }
        guard let choices = schema["anyOf"]?.array, choices.count == 2 else { return members }
        let others = choices.filter { $0["type"]?.string != "null" }
        guard others.count == 1, let inner = others[0].members else { return members }
        let outer = members.filter { $0.key != "anyOf" && !($0.key == "default" && $0.value.isNull) }
        let outerKeys = Set(outer.map(\.key)).union(["nullable"])
        return outer + inner.filter { !outerKeys.contains($0.key) } + [(key: "nullable", value: true)]
    }

    private static func typeName(_ type: JSONValue?) -> (name: String, isNullable: Bool)? {
        if let name = type?.string { return name == "null" ? nil : (name, false) }
        // `["string", "null"]` is the only list that the form can express.
        let names = type?.array?.compactMap(\.string) ?? []
        let others = names.filter { $0 != "null" }
        return others.count == 1 && names.count == 2 ? (others[0], true) : nil
    }
}
