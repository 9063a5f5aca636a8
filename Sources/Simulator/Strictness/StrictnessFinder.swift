internal import JSON

/// Finds parts of a request that a path cannot express.
enum StrictnessFinder: Sendable {
    /// An object in a JSON Schema that does not set `additionalProperties` to `false`.
    case openObject
    /// A keyword that the vendor does not support for the schema's type. The value has the keywords of each type.
    case unsupportedKeyword([String: [String]])
    /// A strict tool with an open object in its schema.
    case openStrictTool
    /// A message with tool calls but without `reasoning_content`.
    case callWithoutReasoning
    /// A batch of function calls whose first call has no `thoughtSignature`.
    case unsignedCall

    /// Maximum nesting depth of schemas; deeper ones are ignored.
    private static let depthLimit = 64

    func find(in value: JSONValue) -> StrictnessCondition.Match? {
        typealias Match = StrictnessCondition.Match
        switch self {
        case .openObject: return Self.firstSchema(value, where: Self.isOpen) == nil ? nil : Match()
        case .unsupportedKeyword(let keywords):
            func offence(_ schema: JSONValue) -> (type: String, keyword: String)? {
                guard let type = schema["type"]?.string, let unknown = keywords[type] else { return nil }
                return unknown.first { schema[$0] != nil }.map { (type, $0) }
            }
            guard let schema = Self.firstSchema(value, where: { offence($0) != nil }), let found = offence(schema)
            else { return nil }
            return Match(words: ["type": found.type, "keyword": found.keyword])
        case .openStrictTool:
            let index = (value.array ?? []).firstIndex { tool in
                tool["strict"]?.bool == true
                    && tool["input_schema"].map { Self.firstSchema($0, where: Self.isOpen) != nil } == true
            }
            return index.map { Match(words: ["index": "\($0)"]) }
        case .callWithoutReasoning:
            let index = (value.array ?? []).firstIndex { message in
                message["tool_calls"]?.array?.isEmpty == false
                    && message["reasoning_content"]?.string?.isEmpty != false
            }
            return index.map { Match(words: ["index": "\($0)"]) }
        case .unsignedCall:
            for (index, content) in (value.array ?? []).enumerated() {
                let part = content["parts"]?.array?.first { $0["functionCall"] != nil }
                guard let part, part["thoughtSignature"]?.string == nil, part["thought_signature"]?.string == nil
                else { continue }
                let name = part["functionCall"]?["name"]?.string ?? ""
                return Match(words: ["name": name, "index": "\(index + 1)"])
            }
            return nil
        }
    }

    private static func isOpen(_ schema: JSONValue) -> Bool {
        (schema["type"]?.string == "object" || schema["properties"] != nil)
            && schema["additionalProperties"]?.bool != false
    }

    /// Returns the first schema for which `isWanted` is true: `schema` itself or one inside it.
    private static func firstSchema(
        _ schema: JSONValue, depth: Int = 0, where isWanted: (JSONValue) -> Bool
    ) -> JSONValue? {
        guard schema.members != nil, depth < depthLimit else { return nil }
        if isWanted(schema) { return schema }
        var inner = ["items", "not"].compactMap { schema[$0] }
        for name in ["anyOf", "oneOf", "allOf", "prefixItems"] { inner += schema[name]?.array ?? [] }
        for name in ["properties", "$defs", "definitions"] { inner += (schema[name]?.members ?? []).map(\.value) }
        for schema in inner {
            if let found = firstSchema(schema, depth: depth + 1, where: isWanted) { return found }
        }
        return nil
    }
}
