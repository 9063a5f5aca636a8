import Generation
import JSON
import Testing

@testable import Providers

/// Responses that repeat one member many times, through the decoders of every dialect: complete, as one event of a
/// stream, and as many events. Each has a limit of CPU time per thread, as in `RequestFuzzTests`.
@Suite struct AnswerFuzzTests {
    /// The approximate size of a response in bytes. Larger than a request's: decoders do less work per byte.
    private static let size = 256 << 10

    struct Wire: Sendable, CustomTestStringConvertible {
        var provider: String
        /// The members that a response repeats; `#` stands for the running number.
        var words: [String]
        /// The finish reasons to end with; an empty one stands for none.
        var ends: [String]
        /// Builds a complete response.
        var whole: @Sendable (_ words: String, _ end: String) -> String
        /// Builds the data of an event.
        var event: @Sendable (_ words: String) -> String
        /// Builds the data of the event that ends the response.
        var end: @Sendable (_ end: String) -> String
        /// Whether one event can hold several members.
        var joins = true
        var testDescription: String { provider }
    }

    static let wires = [
        Wire(
            provider: "openai",
            words: [
                "{}", #"{"id":"a"}"#, #"{"function":{"name":"f"}}"#, #"{"function":{"arguments":"x"}}"#,
                #"{"index":0,"id":"a","function":{"name":"f","arguments":"{"}}"#,
                #"{"index":0,"function":{"arguments":"\""}}"#, #"{"function":{"name":"f","arguments":"{}"}}"#,
                #"{"index":#,"id":"t#","function":{"name":"f","arguments":"{"}}"#,
                #"{"index":#,"function":{"name":"f","arguments":{}}},{"index":#,"function":{"arguments":"{"}}"#,
            ],
            ends: ["stop", "length", "error", "odd", ""],
            whole: { #"{"choices":[{"message":{"tool_calls":[\#($0)]},"finish_reason":"\#($1)"}]}"# },
            event: { #"{"choices":[{"delta":{"tool_calls":[\#($0)]}}]}"# },
            end: { #"{"choices":[{"delta":{},"finish_reason":"\#($0)"}]}"# }),
        Wire(
            provider: "openai/responses",
            words: [
                "{}", #"{"type":"message","content":"a"}"#, #"{"type":"message","phase":"p"}"#,
                #"{"type":"message","content":[{"text":"é","annotations":[{"type":"citation","start_index":1,"end_index":1}]}]}"#,
                #"{"type":"reasoning","summary":[{"text":"a"}]}"#, #"{"type":"reasoning","encrypted_content":"a"}"#,
                #"{"type":"function_call"}"#, #"{"type":"function_call","call_id":"t","name":"f","arguments":"{"}"#,
                #"{"type":"function_call","call_id":"t#","name":"f"}"#,
                #"{"type":"custom_tool_call","call_id":"t#","name":"f","input":"x"}"#, #"{"type":"new","a":[1]}"#,
            ],
            ends: ["completed", "incomplete", "max_output_tokens", "odd", ""],
            whole: { #"{"output":[\#($0)],"status":"\#($1)"}"# },
            event: { #"{"type":"response.output_item.done","output_index":#,"item":\#($0)}"# },
            end: { #"{"type":"response.completed","response":{"status":"\#($0)"}}"# }, joins: false),
        Wire(
            provider: "anthropic",
            words: [
                "{}", #"{"type":"text","text":"a"}"#, #"{"type":"thinking","thinking":"a"}"#,
                #"{"type":"thinking","thinking":"a","signature":"s"}"#, #"{"type":"tool_use"}"#,
                #"{"type":"tool_use","id":"t","name":"f","input":{}}"#,
                #"{"type":"tool_use","id":"t#","name":"f","input":{"x":1}}"#, #"{"type":"new","a":[1]}"#,
            ],
            ends: ["end_turn", "tool_use", "max_tokens", "pause_turn", ""],
            whole: { #"{"content":[\#($0)],"stop_reason":"\#($1)"}"# },
            event: { #"{"type":"content_block_start","index":#,"content_block":\#($0)}"# },
            end: { #"{"type":"message_delta","delta":{"stop_reason":"\#($0)"}}"# }, joins: false),
        Wire(
            provider: "anthropic_vertex",
            words: [
                #"{"type":"text_delta","text":"a"}"#, #"{"type":"thinking_delta","thinking":"a"}"#,
                #"{"type":"signature_delta","signature":"a"}"#, #"{"type":"input_json_delta","partial_json":"{"}"#,
            ],
            ends: ["end_turn", "max_tokens", ""],
            whole: { #"{"content":[\#($0)],"stop_reason":"\#($1)"}"# },
            event: { #"{"type":"content_block_delta","index":#,"delta":\#($0)}"# },
            end: { #"{"type":"message_delta","delta":{"stop_reason":"\#($0)"}}"# }, joins: false),
        Wire(
            provider: "vertex",
            words: [
                "{}", #"{"new":1}"#, #"{"text":"a"}"#, #"{"text":"a","thought":true}"#,
                #"{"text":"a","thoughtSignature":"s"}"#, #"{"functionCall":{"name":"a","args":1}}"#,
                #"{"functionCall":{"name":"a","id":"t#","args":{}}}"#,
                #"{"functionCall":{"name":"a","willContinue":true}}"#,
                part(#""name":"a","#, "$.a"), part("", "$.a#"), part("", "$.a[#]"), part("", "$[63]"),
                part("", "$.a#" + String(repeating: "[0].b", count: 60)),
                part("", "$['" + String(repeating: "\\\\'", count: 500) + "']"),
            ],
            ends: ["STOP", "MAX_TOKENS", "OTHER", "ODD", ""],
            whole: { #"{"candidates":[{"content":{"parts":[\#($0)]},"finishReason":"\#($1)"}]}"# },
            event: { #"{"candidates":[{"content":{"parts":[\#($0)]}}]}"# },
            end: { #"{"candidates":[{"finishReason":"\#($0)"}]}"# }),
    ]

    private static func part(_ name: String, _ path: String) -> String {
        let piece = #"{"jsonPath":"\#(path)","stringValue":"x","willContinue":true}"#
        return #"{"functionCall":{\#(name)"partialArgs":[\#(piece)],"willContinue":true}}"#
    }

    /// The events that open a call; pieces need a call that they belong to.
    private static func opening(_ wire: Wire) -> [String] {
        switch wire.provider {
        case "vertex": [wire.event(#"{"functionCall":{"name":"f","willContinue":true}}"#)]
        case "anthropic_vertex":
            ["tool_use", "thinking", "server_tool_use"].enumerated().map { index, type in
                #"{"type":"content_block_start","index":\#(index),"content_block":{"type":"\#(type)","name":"f"}}"#
            }
        default: []
        }
    }

    /// Returns `count` copies of `text`, with the running number in place of each `#`.
    private static func numbered(_ text: String, _ count: Int) -> [String] {
        let parts = text.split(separator: "#", omittingEmptySubsequences: false)
        return (0..<count).map { parts.joined(separator: "\($0)") }
    }

    @Test(arguments: wires)
    func aWordAgainAndAgain(_ wire: Wire) throws {
        let model = try #require(fuzzModel(wire.provider))
        for word in wire.words {
            let count = Self.size / (word.utf8.count + 1)
            let words = Self.numbered(word, count).joined(separator: ",")
            let opening = Self.opening(wire)
            let events = Self.numbered(wire.event(word), Self.size / wire.event(word).utf8.count)
            // Each event carries the number of its block; in this variant all events have the same number.
            let same = events.map { $0.replacing(#/"index":\d+/#, with: #""index":1"#) }
            for end in wire.ends {
                let name = "\(word.prefix(80)), \(end)"
                try check("whole, \(name)") { try Self.whole(wire.whole(words, end), model) }
                if wire.joins {
                    try check("one event, \(name)") {
                        try Self.stream(opening + [wire.event(words), wire.end(end)], model)
                    }
                }
                try check("events, \(name)") { try Self.stream(opening + events + [wire.end(end)], model) }
                try check("one block, \(name)") { try Self.stream(opening + same + [wire.end(end)], model) }
            }
        }
    }

    @Test(arguments: wires)
    func anEndAgainAndAgain(_ wire: Wire) throws {
        let model = try #require(fuzzModel(wire.provider))
        for end in wire.ends {
            let events = Array(repeating: wire.end(end), count: Self.size / wire.end(end).utf8.count)
            try check("\(end) again and again") { try Self.stream(Self.opening(wire) + events, model) }
        }
    }

    /// - Parameter work: decodes a response, and returns the largest number of chunks that one event delivered.
    private func check(_ name: String, _ work: () throws -> Int) rethrows {
        let begun = threadSeconds()
        do {
            let chunks = try work()
            #expect(chunks <= CallBudget.blocks + 1, "\(name)")
        } catch let error as GenerationError {
            #expect(error.kind == .badProviderResponse || error.kind == .streamInterrupted, "\(name): \(error)")
        }
        #expect(threadSeconds() - begun < secondsPerInput, "\(name)")
    }

    private static func whole(_ body: String, _ model: ConfiguredModel) throws -> Int {
        let parser = JSONParser()
        return try withExtendedLifetime(parser) {
            let response = try model.provider.dialect.decode(
                try parser.parse(body), for: model, AnswerWishes(reasoning: true, extra: true))
            return response.message.toolCalls.count
        }
    }

    private static func stream(_ events: [String], _ model: ConfiguredModel) throws -> Int {
        let reader = StreamReader(model, AnswerWishes(reasoning: true, extra: true), parser: JSONParser())
        var most = 0
        for event in events {
            var count = 0
            let bytes = Array("data: \(event)\n\n".utf8)
            let failure = bytes.withUnsafeBytes { bytes -> GenerationError? in
                do throws(GenerationError) {
                    try reader.consume(bytes) { _ in count += 1 }
                    return nil
                } catch {
                    return error
                }
            }
            most = max(most, count)
            // The chunks delivered before the budget was exceeded are bounded too.
            if let failure {
                #expect(most <= CallBudget.blocks + 1)
                throw failure
            }
        }
        _ = try reader.finish { _ in }
        return most
    }
}
