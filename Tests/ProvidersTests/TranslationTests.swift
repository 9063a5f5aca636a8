import Config
import Encodings
import Generation
import JSON
import Testing

@testable import Providers

/// A generator that returns the same numbers in every run.
private struct Seeded: RandomNumberGenerator {
    var state: UInt64
    mutating func next() -> UInt64 {
        state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
        return state ^ (state >> 29)
    }
}

/// The translations that the dialects use, each tested against an oracle or its standard's examples.
@Suite struct TranslationTests {
    // MARK: - Arguments in pieces

    private static func tree(_ random: inout Seeded, depth: Int) -> JSONValue {
        switch Int.random(in: 0..<(depth > 3 ? 5 : 7), using: &random) {
        case 0: .int(Int.random(in: -99...99, using: &random))
        case 1: .bool(Bool.random(using: &random))
        case 2: .null
        case 3, 4:
            .string(["", "plain", "a \"quoted\" \\ line\n", "ünï🎈", "x.y[0]"].randomElement(using: &random) ?? "")
        case 5:
            .object(
                ["a", "b c", "d.e", "f'", "ключ"].shuffled(using: &random).prefix(Int.random(in: 1...3, using: &random))
                    .map { (key: $0, value: tree(&random, depth: depth + 1)) })
        default: .array((0..<Int.random(in: 1...3, using: &random)).map { _ in tree(&random, depth: depth + 1) })
        }
    }

    /// The pieces in which a vendor would send `value`.
    private static func pieces(_ value: JSONValue, _ path: String, _ random: inout Seeded) -> [JSONValue] {
        switch value {
        case .object(let members):
            var out: [JSONValue] = []
            for member in members {
                let isPlain = member.key.allSatisfy { $0.isLetter }
                let quoted = member.key.replacing("\\", with: "\\\\").replacing("'", with: "\\'")
                out += pieces(member.value, path + (isPlain ? ".\(member.key)" : "['\(quoted)']"), &random)
            }
            return out
        case .array(let elements):
            var out: [JSONValue] = []
            for (index, element) in elements.enumerated() { out += pieces(element, "\(path)[\(index)]", &random) }
            return out
        case .string(let text):
            let cut = text.index(text.startIndex, offsetBy: Int.random(in: 0...text.count, using: &random))
            return [text[..<cut], text[cut...]].enumerated().map { index, piece in
                var members: [(key: String, value: JSONValue)] = [
                    ("jsonPath", .string(path)), ("stringValue", .string(String(piece))),
                ]
                if index == 0 { members.append(("willContinue", true)) }
                return .object(members)
            }
        case .bool: return [.object([(key: "jsonPath", value: .string(path)), (key: "boolValue", value: value)])]
        case .null:
            return [.object([(key: "jsonPath", value: .string(path)), (key: "nullValue", value: "NULL_VALUE")])]
        default: return [.object([(key: "jsonPath", value: .string(path)), (key: "numberValue", value: value)])]
        }
    }

    @Test(arguments: 0..<200)
    func argumentsInPiecesGiveTheWhole(_ seed: UInt64) throws {
        var random = Seeded(state: seed)
        let members = ["x", "y", "z"].prefix(Int.random(in: 0...3, using: &random))
        let value = JSONValue.object(members.map { (key: $0, value: Self.tree(&random, depth: 0)) })
        let parser = JSONParser()
        var arguments = PartialArguments()
        var text = ""
        for piece in Self.pieces(value, "$", &random) { text += try arguments.add(parser.parse(piece.text)) }
        text += arguments.close()
        #expect(try JSONValue(parsing: text) == value, "\(text)")
    }

    @Test(arguments: [
        ["$.a.x", "$.b", "$.a.y"], ["$.a", "$.a.b"], ["$.a[1]", "$.a[0]"], ["$"], ["a"], ["$."], ["$[x]"], ["$.a["],
        ["$['a"], ["$.a[99999]"], ["$[0]", "$.a"],
    ])
    func piecesOutOfOrderAreAnError(_ paths: [String]) throws {
        let parser = JSONParser()
        var arguments = PartialArguments()
        #expect(throws: GenerationError.self) {
            for path in paths {
                let piece = JSONValue.object([(key: "jsonPath", value: .string(path)), (key: "numberValue", value: 1)])
                _ = try arguments.add(parser.parse(piece.text))
            }
        }
    }

    // MARK: - Provider state

    @Test func theOrderOfBlocksSurvivesTheRoundTrip() throws {
        var order = BlockOrder()
        order.opaque(#"{"type":"thinking","thinking":"hm","signature":"s"}"#)
        order.text(3)
        order.call(0)
        order.opaque(#"{"type":"redacted_thinking","data":"d"}"#)
        order.text(4, signature: "t")
        order.call(1)
        let bytes = order.bytes("claude")
        let parser = JSONParser()
        let entries = try #require(try BlockOrder.entries(bytes, family: "claude", parser: parser))
        func kinds(_ message: Message) -> [String] {
            BlockOrder.resolve(entries, for: message).map { block in
                switch block {
                case .text(let text, let signature): "\(text)\(signature.map { "/\($0)" } ?? "")"
                case .content: "content"
                case .part(let index, let signature): "part \(index)\(signature.map { "/\($0)" } ?? "")"
                case .call(let index): "call \(index)"
                case .opaque(let json): json.contains("redacted") ? "redacted" : "thinking"
                }
            }
        }
        let calls = [ToolCall(id: "1", name: "f", argumentsJSON: ""), ToolCall(id: "2", name: "g", argumentsJSON: "")]
        var message = Message(role: .assistant, content: "onetwo!", toolCalls: calls)
        #expect(kinds(message) == ["thinking", "one", "call 0", "redacted", "two!/t", "call 1"])
        // Edited text is sent in full, once; an added call goes last; a removed call is gone.
        message.content = "other"
        message.toolCalls.append(ToolCall(id: "3", name: "h", argumentsJSON: ""))
        #expect(kinds(message) == ["thinking", "content", "call 0", "redacted", "call 1", "call 2"])
        message.toolCalls = []
        #expect(kinds(message) == ["thinking", "content", "redacted"])
        // Another model family omits the state; tampered state is rejected.
        #expect(try BlockOrder.entries(bytes, family: "gemini", parser: parser) == nil)
        #expect(throws: GenerationError.self) {
            try BlockOrder.entries(Array("nonsense".utf8), family: "claude", parser: parser)
        }
        var plain = BlockOrder()
        plain.text(10)
        plain.call(0)
        #expect(plain.bytes("claude").isEmpty, "text and calls alone need no state")
    }

    /// Whatever a caller does to the message, all of its text and every call are sent exactly once, and the pieces
    /// whose text still matches their signatures stay.
    @Test(arguments: 0..<300)
    func editedMessagesLoseNothing(_ seed: UInt64) throws {
        var random = Seeded(state: seed &* 31 &+ 7)
        var order = BlockOrder()
        var message = Message(role: .assistant)
        var opaque = 0
        for _ in 0..<Int.random(in: 1...8, using: &random) {
            switch Int.random(in: 0..<5, using: &random) {
            case 0:
                let text = ["a", "ünï", "🎈🎈", "x y"].randomElement(using: &random) ?? ""
                order.text(text.utf8.count, signature: Bool.random(using: &random) ? "s" : nil)
                message.content += text
            case 1:
                order.call(message.toolCalls.count)
                message.toolCalls.append(ToolCall(id: "\(message.toolCalls.count)", name: "f", argumentsJSON: ""))
            case 2:
                order.opaque(#"{"n":\#(opaque)}"#)
                opaque += 1
            case 3:
                order.part(message.parts.count, signature: Bool.random(using: &random) ? "s" : nil)
                message.parts.append(.image(Image(mimeType: "image/png", source: .data([]))))
            default: _ = order.reserve()
            }
        }
        let bytes = order.bytes("x")
        switch Int.random(in: 0..<6, using: &random) {
        case 0: message.content += "!"
        case 3: if !message.parts.isEmpty { message.parts.removeLast() }
        case 4: message.parts.append(.text("new"))
        case 1: message.content = ""
        case 2: if !message.toolCalls.isEmpty { message.toolCalls.removeLast() }
        default: message.toolCalls.append(ToolCall(id: "new", name: "g", argumentsJSON: ""))
        }
        let parser = JSONParser()
        let resolved = BlockOrder.resolve(
            try BlockOrder.entries(bytes, family: "x", parser: parser) ?? [], for: message)
        var text = ""
        var calls: [Int] = []
        var parts: [Int] = []
        var blocks: [String] = []
        for block in resolved {
            switch block {
            case .text(let piece, _): text += piece
            case .content:
                text += message.content
                parts += message.parts.indices
            case .part(let index, _): parts.append(index)
            case .call(let index): calls.append(index)
            case .opaque(let json): blocks.append(json)
            }
        }
        #expect(text == message.content)
        #expect(parts.sorted() == Array(message.parts.indices))
        #expect(calls.sorted() == Array(message.toolCalls.indices))
        #expect(blocks == (bytes.isEmpty ? [] : (0..<opaque).map { #"{"n":\#($0)}"# }))
    }

    /// The cost of references to calls is linear, even if a caller makes up thousands of them.
    @Test func manyEntriesCostLittle() throws {
        let state = #"{"x":["# + [String](repeating: #"{"call":7999}"#, count: 16_000).joined(separator: ",") + "]}"
        let call = ToolCall(id: "c", name: "f", argumentsJSON: "")
        let message = Message(role: .assistant, toolCalls: [ToolCall](repeating: call, count: 8000))
        let parser = JSONParser()
        let entries = try #require(try BlockOrder.entries(Array(state.utf8), family: "x", parser: parser))
        #expect(BlockOrder.resolve(entries, for: message).count == 8001)
    }

    // MARK: - Bodies

    @Test func whatAPatchDoesNotTouchIsCopied() throws {
        let body = #"{"m" : [ {"x":"},\"{"} , 12345678901234567890123 ],"k\u0061":1,"s":"\ud83d"}"#
        let text = "generation: {provider: openai, config: {model_name: m, extra_body: {ka: 2, n: 3}}}"
        let configuration = try Configuration.parse(
            Array(text.utf8), file: "t", environment: [:], knownProviders: ["openai"])
        let patch = try #require(try BodyPatch(configuration.generation?.extraBody))
        #expect(
            String(decoding: patch.apply(to: Array(body.utf8)), as: UTF8.self)
                == #"{"m":[ {"x":"},\"{"} , 12345678901234567890123 ],"ka":2,"s":"\ud83d","n":3}"#)
    }

    /// The examples of RFC 7396, appendix A, whose target is an object, as a body always is.
    @Test(arguments: [
        (#"{"a":"b"}"#, "{a: c}", #"{"a":"c"}"#), (#"{"a":"b"}"#, "{b: c}", #"{"a":"b","b":"c"}"#),
        (#"{"a":"b"}"#, "{a: null}", "{}"), (#"{"a":"b","b":"c"}"#, "{a: null}", #"{"b":"c"}"#),
        (#"{"a":["b"]}"#, "{a: c}", #"{"a":"c"}"#), (#"{"a":"c"}"#, "{a: [b]}", #"{"a":["b"]}"#),
        (#"{"a":{"b":"c"}}"#, "{a: {b: d, c: null}}", #"{"a":{"b":"d"}}"#),
        (#"{"a":[{"b":"c"}]}"#, "{a: [1]}", #"{"a":[1]}"#), (#"{"e":null}"#, "{a: 1}", #"{"e":null,"a":1}"#),
        ("{}", "{a: {bb: {ccc: null}}}", #"{"a":{"bb":{}}}"#),
    ])
    func extraBodyIsAMergePatch(_ body: String, _ patch: String, _ expected: String) throws {
        let text = """
            generation: {provider: openai, config: {model_name: m, extra_body: \(patch)}}
            """
        let configuration = try Configuration.parse(
            Array(text.utf8), file: "t", environment: [:], knownProviders: ["openai"])
        let node = try #require(configuration.generation?.extraBody)
        let patched = try #require(try BodyPatch(node)).apply(to: Array(body.utf8))
        #expect(try JSONValue(parsing: patched) == JSONValue(parsing: expected))
    }

    @Test func schemasInGooglesForm() throws {
        let schema =
            #"{"type":"object","$schema":"x","additionalProperties":false,"required":["a"],"properties":{"a":{"type":["string","null"],"enum":["x"]},"b":{"type":"array","items":{"type":"integer","minimum":1}}}}"#
        let expected =
            #"{"type":"OBJECT","required":["a"],"properties":{"a":{"type":"STRING","nullable":true,"enum":["x"]},"b":{"type":"ARRAY","items":{"type":"INTEGER","minimum":1}}}}"#
        #expect(OpenAPISchema.translated(try JSONValue(parsing: schema)) == (try JSONValue(parsing: expected)))
        for beyond in [
            ##"{"$ref":"#/x"}"##, #"{"type":["string","integer"]}"#, #"{"type":"integer","enum":[1]}"#, #"{"const":1}"#,
            #"{"type":"object","additionalProperties":{"type":"string"}}"#, #"{"type":"string","format":"email"}"#,
        ] {
            #expect(OpenAPISchema.translated(try JSONValue(parsing: beyond)) == nil, "\(beyond)")
        }
    }

    /// What Pydantic and other libraries write for an optional value.
    @Test(arguments: [
        (
            #"{"anyOf":[{"type":"string","minLength":1},{"type":"null"}],"default":null,"title":"T"}"#,
            #"{"title":"T","type":"STRING","minLength":1,"nullable":true}"#
        ),
        (
            #"{"anyOf":[{"type":"null"},{"type":"object","properties":{"a":{"type":"integer"}},"description":"in"}],"description":"out"}"#,
            #"{"description":"out","type":"OBJECT","properties":{"a":{"type":"INTEGER"}},"nullable":true}"#
        ),
        (
            #"{"anyOf":[{"type":"string"},{"type":"integer"}]}"#,
            #"{"anyOf":[{"type":"STRING"},{"type":"INTEGER"}]}"#
        ),
        (#"{"type":["null","number"],"nullable":false}"#, #"{"type":"NUMBER","nullable":false}"#),
    ])
    func choicesInGooglesForm(_ schema: String, _ expected: String) throws {
        let translated = OpenAPISchema.translated(try JSONValue(parsing: schema))
        #expect(translated == (try JSONValue(parsing: expected)), "\(translated?.text ?? "nil")")
    }

    /// Vertex AI rejects `anyOf` with sibling keywords.
    @Test(arguments: [
        #"{"anyOf":[{"type":"string"},{"type":"integer"}],"description":"d"}"#,
        #"{"type":"string","anyOf":[{"minLength":1},{"pattern":"x"}]}"#,
        #"{"anyOf":[{"type":"string"},{"type":"integer"},{"type":"null"}]}"#,
        #"{"anyOf":[{"type":"null"},{"type":"null"}]}"#, #"{"anyOf":"x"}"#, #"{"anyOf":[1,{"type":"null"}]}"#,
    ])
    func choicesThatGoogleRefuses(_ schema: String) throws {
        #expect(OpenAPISchema.translated(try JSONValue(parsing: schema)) == nil)
    }

    /// A translated schema contains only supported keywords, at any depth, and its types are in capitals.
    @Test(arguments: 0..<300)
    func translationsStayInTheirForm(_ seed: UInt64) throws {
        var random = Seeded(state: seed &* 77)
        guard let translated = OpenAPISchema.translated(Self.schema(&random, depth: 0)) else { return }
        Self.check(translated)
        #expect(try JSONValue(parsing: translated.text) == translated)
    }

    private static func schema(_ random: inout Seeded, depth: Int) -> JSONValue {
        var members: [(key: String, value: JSONValue)] = []
        let types: [JSONValue] = [
            "string", "integer", "number", "boolean", "array", "object", "null", ["string", "null"], ["null"], 3,
        ]
        if Int.random(in: 0..<8, using: &random) > 0, let type = types.randomElement(using: &random) {
            members.append(("type", type))
        }
        let extras: [(String, JSONValue)] = [
            ("description", "d"), ("title", "t"), ("default", nil), ("nullable", true), ("enum", ["a", "b"]),
            ("enum", [1]), ("format", "int32"), ("format", "email"), ("additionalProperties", false),
            ("additionalProperties", ["type": "string"]), ("$schema", "s"), ("$ref", "#/x"), ("minimum", 1),
            ("strict", true), ("required", ["p"]), ("unknown", 1),
        ]
        for extra in extras
        where Int.random(in: 0..<14, using: &random) == 0 && !members.contains(where: { $0.key == extra.0 }) {
            members.append(extra)
        }
        guard depth < 4 else { return .object(members) }
        switch Int.random(in: 0..<5, using: &random) {
        case 0: members.append(("properties", .object([(key: "p", value: schema(&random, depth: depth + 1))])))
        case 1: members.append(("items", schema(&random, depth: depth + 1)))
        case 2:
            let choices = (0..<Int.random(in: 1...3, using: &random)).map { _ in schema(&random, depth: depth + 1) }
            members.append(("anyOf", .array(choices)))
        default: break
        }
        return .object(members)
    }

    private static func check(_ schema: JSONValue) {
        let members = schema.members ?? []
        let known: Set<String> = [
            "type", "nullable", "properties", "items", "anyOf", "enum", "format", "title", "description", "required",
            "minimum", "default",
        ]
        #expect(Set(members.map(\.key)).count == members.count, "a key twice: \(schema.text)")
        #expect(known.isSuperset(of: members.map(\.key)), "\(schema.text)")
        #expect(schema["anyOf"] == nil || members.count == 1, "\(schema.text)")
        if let type = schema["type"] {
            #expect(["STRING", "INTEGER", "NUMBER", "BOOLEAN", "ARRAY", "OBJECT"].contains(type.string ?? ""))
        }
        for member in schema["properties"]?.members ?? [] { check(member.value) }
        if let items = schema["items"] { check(items) }
        for choice in schema["anyOf"]?.array ?? [] { check(choice) }
    }

    @Test(arguments: [
        ("claude-3-5-sonnet@20240620", "claude-3-5-sonnet@20240620"), ("a/b:c#d", "a%2Fb%3Ac%23d"), ("ü;", "%C3%BC%3B"),
    ])
    func segmentsOfAddresses(_ text: String, _ expected: String) {
        #expect(PercentEncoding.segment(text) == expected)
    }

    /// An encoded text is one path segment, and decodes to the original.
    @Test(arguments: 0..<200)
    func anyNameIsOneSegment(_ seed: UInt64) {
        var random = Seeded(state: seed &* 13)
        let name = String(
            String.UnicodeScalarView(
                (0..<Int.random(in: 0...20, using: &random)).compactMap { _ in
                    Unicode.Scalar(UInt32.random(in: 0...(Bool.random(using: &random) ? 0x7F : 0x2FFF), using: &random))
                }))
        let encoded = PercentEncoding.segment(name)
        #expect(encoded.utf8.allSatisfy { $0 > 0x20 && $0 < 0x7F && !"/?#:;".utf8.contains($0) })
        var bytes: [UInt8] = []
        var rest = Array(encoded.utf8)[...]
        while let byte = rest.popFirst() {
            guard byte == UInt8(ascii: "%") else {
                bytes.append(byte)
                continue
            }
            bytes.append(UInt8(String(decoding: rest.prefix(2), as: UTF8.self), radix: 16) ?? 0)
            rest = rest.dropFirst(2)
        }
        #expect(String(decoding: bytes, as: UTF8.self) == name)
    }
}
