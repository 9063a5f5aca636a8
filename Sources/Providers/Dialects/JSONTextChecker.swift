internal import Generation
internal import JSON

/// Writes a caller's JSON text into a body after checking that it is one object: anything else could change the body.
struct JSONTextChecker {
    /// The maximum nesting depth of a caller's JSON: deeper than any real schema, and shallow enough that the
    /// gateway and the vendor can parse a body that contains it.
    static let maximumDepth = 256
    /// The maximum number of values in all schemas of a request. Some vendors need them in another form, which
    /// costs time and memory for each value.
    static let maximumValues = 65_536

    private var valueCount = 0
    /// The parser for all JSON texts of a request; its elements are used before the next text is parsed.
    let parser = JSONParser()

    /// Writes `json` as it is.
    /// - Throws: `.invalidRequest` that names the field.
    mutating func object(_ json: String, field: String, _ writer: inout JSONWriter) throws(GenerationError) {
        _ = try parsed(json, field: field)
        writer.raw(json)
    }

    /// Writes the schema of a tool's arguments; a tool without one accepts no arguments.
    /// - Throws: `.invalidRequest` that names the tool.
    mutating func parameters(of tool: Tool, _ writer: inout JSONWriter) throws(GenerationError) {
        guard !tool.parametersJSON.isEmpty else { return writer.raw(#"{"type":"object","properties":{}}"#) }
        try object(tool.parametersJSON, field: "tools.parameters_json of '\(tool.name)'", &writer)
    }

    /// Writes the members of a built-in tool's settings into an object that the caller has begun.
    /// - Throws: `.invalidRequest` that names the tool.
    mutating func settings(of tool: BuiltinTool, _ writer: inout JSONWriter) throws(GenerationError) {
        for (key, value) in try settings(of: tool).members ?? [] {
            writer.key(key)
            value.write(to: &writer)
        }
    }

    /// The settings of a built-in tool; an empty object if it has none.
    /// - Throws: `.invalidRequest` that names the tool.
    mutating func settings(of tool: BuiltinTool) throws(GenerationError) -> JSONValue {
        guard !tool.configJSON.isEmpty else { return .object([]) }
        return try value(
            tool.configJSON, field: "tools.builtin.config_json of '\(tool.type.truncated(toBytes: 100))'")
    }

    /// Reads `json` as a value, for a vendor that needs it in another form.
    /// - Throws: `.invalidRequest` that names the field.
    mutating func value(_ json: String, field: String) throws(GenerationError) -> JSONValue {
        JSONValue(try parsed(json, field: field))
    }

    /// Writes the arguments of an earlier call. Since a model may have written anything, arguments that are not an
    /// object are wrapped in one, so that the conversation can continue.
    func arguments(_ json: String, _ writer: inout JSONWriter) {
        if json.isEmpty { return writer.raw("{}") }
        if !Self.isTooDeep(json), let element = try? parser.parse(json), element.kind == .object {
            return writer.raw(json)
        }
        writer.beginObject()
        writer.member("raw_arguments", json)
        writer.endObject()
    }

    /// Whether `json` is nested deeper than `maximumDepth` levels.
    static func isTooDeep(_ json: String) -> Bool { balance(json).deepest > maximumDepth }

    private static func balance(_ json: String) -> JSONBalance {
        var balance = JSONBalance()
        balance.add(json)
        return balance
    }

    private mutating func parsed(_ json: String, field: String) throws(GenerationError) -> JSONElement {
        let balance = Self.balance(json)
        guard balance.deepest <= Self.maximumDepth else {
            throw GenerationError(.invalidRequest, "\(field) is nested deeper than \(Self.maximumDepth) levels")
        }
        valueCount += balance.values
        guard valueCount <= Self.maximumValues else {
            throw GenerationError(
                .invalidRequest,
                "\(field): the JSON schemas of a request have more than \(Self.maximumValues) values")
        }
        let element: JSONElement
        do {
            element = try parser.parse(json)
        } catch {
            throw GenerationError(.invalidRequest, "\(field) is not JSON: \(error)")
        }
        guard element.kind == .object else { throw GenerationError(.invalidRequest, "\(field) is not a JSON object") }
        return element
    }
}

extension JSONWriter {
    /// A member with a text.
    mutating func member(_ name: StaticString, _ text: String) {
        key(name)
        string(text)
    }

    /// A member with texts, if there are any.
    mutating func member(_ name: StaticString, _ texts: [String]) {
        guard !texts.isEmpty else { return }
        key(name)
        beginArray()
        for text in texts { string(text) }
        endArray()
    }

    /// A member with a number, if there is one.
    mutating func member(_ name: StaticString, _ value: Double?) {
        guard let value else { return }
        key(name)
        double(value)
    }

    /// A member with a whole number, if there is one.
    mutating func member(_ name: StaticString, _ value: (some BinaryInteger)?) {
        guard let value else { return }
        key(name)
        int(value)
    }
}
