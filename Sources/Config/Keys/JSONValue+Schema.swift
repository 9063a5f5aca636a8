internal import JSON

/// The pieces of the JSON Schema (draft 2020-12).
extension JSONValue {
    /// RFC 9110 §5.6.2; see `HeaderName`.
    static let headerPattern = "^[A-Za-z0-9!#$%&'*+.^_`|~-]+$"

    /// What `ConfigurationSchema` defines under `name`.
    static func definition(_ name: String) -> JSONValue { ["$ref": .string("#/$defs/\(name)")] }

    /// `schema`, or text with a variable of the environment in it, whose value no editor knows.
    static func orVariable(_ schema: JSONValue) -> JSONValue { ["anyOf": [schema, .definition("variable")]] }

    /// A map of declared keys and no others. Nothing after the colon is a map without keys.
    static func map(of fields: [KeyInfo]) -> JSONValue {
        let properties = fields.map { (key: $0.name, value: $0.schema) }
        let required = fields.filter(\.isRequired).map { JSONValue.string($0.name) }
        let map: JSONValue = [
            "type": required.isEmpty ? ["object", "null"] : "object", "properties": .object(properties),
            "additionalProperties": false,
        ]
        return required.isEmpty ? map : map.adding("required", .array(required))
    }

    /// A map of names that the file's author chooses.
    static func names(of value: JSONValue) -> JSONValue {
        [
            "type": ["object", "null"], "propertyNames": ["minLength": 1, "maxLength": 128, "pattern": "^\\S+$"],
            "additionalProperties": value,
        ]
    }

    /// A map that is closed by its own list of properties.
    static func closedMap(_ properties: [(key: String, value: JSONValue)], required: [String]) -> JSONValue {
        [
            "type": "object", "properties": .object(properties), "required": .array(required.map { .string($0) }),
            "additionalProperties": false,
        ]
    }

    /// An object with a member added or replaced. Anything else, such as `true`, comes back as it is.
    func adding(_ key: String, _ value: JSONValue) -> JSONValue {
        guard case .object(let members) = self else { return self }
        return .object(members.filter { $0.key != key } + [(key: key, value: value)])
    }
}

extension KeyInfo {
    /// The schema of the value, with what an editor shows about the key.
    var schema: JSONValue {
        var text = doc
        if let unit { text += " In \(unit)." }
        if let standard { text += " Default: \(standard)." }
        if reload == .restart { text += " A change requires a restart." }
        return form.schema().adding("description", .string(text))
    }
}
