import Config
import Generation
import JSON
import Testing

@testable import Providers

/// Claude's schemas: closed objects, and what the vendor does not check in words.
@Suite struct ClosedSchemaTests {
    private static func sent(_ schema: String, strict: Bool? = nil) throws -> JSONValue? {
        var request = ChatRequest(messages: [Message(role: .user, content: "x")])
        request.options.responseFormat = .jsonSchema(schema: schema, name: "", strict: strict)
        return try DialectHarness("anthropic", "claude-opus-4-6").body(request)["output_config"]?["format"]?["schema"]
    }

    /// What Pydantic writes for a model with a nested one, a limit, a default and an optional field.
    @Test func aPlainSchema() throws {
        let schema = try Self.sent(
            #"""
            {"$defs":{"Pet":{"properties":{"name":{"title":"Name","type":"string"}},"required":["name"],
             "title":"Pet","type":"object"}},
             "properties":{"age":{"description":"In years","maximum":150,"minimum":0,"title":"Age","type":"integer"},
              "pets":{"items":{"$ref":"#/$defs/Pet"},"maxItems":3,"type":"array"},
              "nick":{"anyOf":[{"type":"string"},{"type":"null"}],"default":null,"title":"Nick"}},
             "required":["age","pets"],"title":"Person","type":"object","additionalProperties":true}
            """#)
        let expected: JSONValue = [
            "$defs": [
                "Pet": [
                    "type": "object", "title": "Pet", "properties": ["name": ["type": "string", "title": "Name"]],
                    "additionalProperties": false, "required": ["name"],
                ]
            ], "type": "object", "title": "Person",
            "properties": [
                "age": [
                    "type": "integer", "title": "Age", "description": "In years\n\n{maximum: 150, minimum: 0}",
                ], "pets": ["type": "array", "items": ["$ref": "#/$defs/Pet"], "description": "{maxItems: 3}"],
                "nick": [
                    "anyOf": [["type": "string"], ["type": "null"]], "title": "Nick", "description": "{default: null}",
                ],
            ], "additionalProperties": false, "required": ["age", "pets"],
        ]
        #expect(schema == expected, "\(schema?.text ?? "")")
    }

    @Test(arguments: [
        (#"{"type":"string","format":"date"}"#, #"{"type":"string","format":"date"}"#),
        (#"{"type":"string","format":"color"}"#, #"{"type":"string","description":"{format: color}"}"#),
        (#"{"type":"string","minLength":2}"#, #"{"type":"string","description":"{minLength: 2}"}"#),
        (
            #"{"type":"array","items":{"type":"number"},"minItems":1}"#,
            #"{"type":"array","items":{"type":"number"},"minItems":1}"#
        ),
        (
            #"{"type":"array","items":{"type":"number"},"minItems":2}"#,
            #"{"type":"array","items":{"type":"number"},"description":"{minItems: 2}"}"#
        ),
        (#"{"type":"string","enum":["a","b"]}"#, #"{"enum":["a","b"]}"#), (#"{"const":3}"#, #"{"const":3}"#),
        (
            #"{"oneOf":[{"type":"object","properties":{}},{"type":"null"}]}"#,
            #"{"anyOf":[{"type":"object","properties":{},"additionalProperties":false},{"type":"null"}]}"#
        ),
        (
            #"{"allOf":[{"type":"object","properties":{}}]}"#,
            #"{"allOf":[{"type":"object","properties":{},"additionalProperties":false}]}"#
        ),
        (
            #"{"type":["string","null"],"description":"d","maxLength":3}"#,
            #"{"anyOf":[{"type":"string","description":"{maxLength: 3}"},{"type":"null"}],"description":"d"}"#
        ),
        (
            #"{"type":["object","array","integer","object"],"properties":{"a":{"type":"null"}},"items":{"type":"null"},"minimum":1}"#,
            #"{"anyOf":[{"type":"object","properties":{"a":{"type":"null"}},"additionalProperties":false},{"type":"array","items":{"type":"null"}},{"type":"integer","description":"{minimum: 1}"}]}"#
        ),
        (
            ##"{"definitions":{"X":{"type":"object"}},"$ref":"#/definitions/X"}"##,
            ##"{"definitions":{"X":{"type":"object","properties":{},"additionalProperties":false}},"$ref":"#/definitions/X"}"##
        ),
        (
            #"{"$schema":"http://json-schema.org/draft-07/schema#","type":"object","pattern":{"a":[1]}}"#,
            #"{"type":"object","properties":{},"additionalProperties":false,"description":"{pattern: {\"a\":[1]}}"}"#
        ),
    ])
    func eachKeyword(_ schema: String, _ expected: String) throws {
        let sent = try Self.sent(schema)
        #expect(sent == (try JSONValue(parsing: expected)), "\(sent?.text ?? "")")
    }

    @Test(arguments: [
        #"{"type":"object","properties":{"a":{}}}"#, #"{"type":"object","properties":{"a":true}}"#, "{}",
        #"{"type":"array","items":[{"type":"string"}]}"#, #"{"type":"object","properties":[]}"#,
        #"{"anyOf":[3]}"#, #"{"type":"date"}"#, #"{"type":[]}"#, #"{"type":[3]}"#, #"{"type":[["string"]]}"#,
    ])
    func schemasWithoutAType(_ schema: String) throws {
        let error = #expect(throws: GenerationError.self) { try Self.sent(schema) }
        #expect(error?.kind == .invalidRequest && error?.message.contains("json_schema") == true)
    }

    @Test func strictToolsOnly() throws {
        let open = #"{"type":"object","properties":{"n":{"type":"integer","minimum":1}}}"#
        func sent(_ strict: Bool?, _ schema: String) throws -> JSONValue? {
            let tool = Tool(name: "f", parametersJSON: schema, strict: strict)
            let request = ChatRequest(messages: [Message(role: .user, content: "x")], tools: [tool])
            return try DialectHarness("anthropic", "claude-opus-4-6").body(request)["tools"]?[0]?["input_schema"]
        }
        let closed: JSONValue = [
            "type": "object", "properties": ["n": ["type": "integer", "description": "{minimum: 1}"]],
            "additionalProperties": false,
        ]
        #expect(try sent(true, open) == closed)
        #expect(try sent(nil, open) == (try JSONValue(parsing: open)))
        #expect(try sent(false, open) == (try JSONValue(parsing: open)))
        #expect(
            try sent(true, "") == ["type": "object", "properties": .object([]), "additionalProperties": false])
    }

    @Test func depthIsBounded() throws {
        let deep =
            String(repeating: #"{"type":"array","items":"#, count: 200) + #"{"type":"null"}"#
            + String(repeating: "}", count: 200)
        #expect(throws: Never.self) { try Self.sent(deep) }
        // Types in a list do not multiply what they hold.
        let wide =
            String(repeating: #"{"type":["array","array","object","string"],"items":"#, count: 60)
            + #"{"type":"null"}"# + String(repeating: "}", count: 60)
        #expect(try Self.sent(wide)?.text.utf8.count ?? .max < 10 * wide.utf8.count)
    }
}
