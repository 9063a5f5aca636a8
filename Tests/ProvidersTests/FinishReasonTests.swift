import Generation
import JSON
import Testing

@testable import Providers

/// How responses with tool calls end: complete, or cut off in the middle of a call.
@Suite struct FinishReasonTests {
    /// A premature end in each dialect, and the finish reason that it means.
    private static let early: [(provider: String, word: String, reason: FinishReason)] = [
        ("openai", "length", .length), ("openai", "content_filter", .contentFilter), ("groq", "length", .length),
        ("anthropic_vertex", "max_tokens", .length), ("anthropic_vertex", "model_context_window_exceeded", .length),
        ("anthropic", "refusal", .refusal), ("vertex", "MAX_TOKENS", .length), ("gemini", "SAFETY", .contentFilter),
        ("vertex", "RECITATION", .contentFilter), ("vertex", "MALFORMED_FUNCTION_CALL", .other),
        ("gemini", "TOO_MANY_TOOL_CALLS", .other), ("vertex", "MISSING_THOUGHT_SIGNATURE", .other),
        ("vertex", "OTHER", .other), ("vertex", "FINISH_REASON_UNSPECIFIED", .other), ("gemini", "A_NEW_WORD", .other),
        ("openai", "max_tokens", .length), ("openai", "error", .other),
        ("groq", "insufficient_system_resource", .other),
    ]

    /// A call as received: the text of its arguments, possibly cut off; `nil` if the call has none.
    private struct Call {
        var name: String
        var arguments: String?
    }

    private static func harness(_ provider: String) throws -> DialectHarness {
        try DialectHarness(provider, provider.hasPrefix("anthropic") ? "claude-sonnet-4-5" : "m")
    }

    private static func stream(_ provider: String, _ word: String, _ calls: [Call]) throws -> Outcome {
        var events: [String] = []
        switch provider {
        case "vertex", "gemini":
            for call in calls {
                // Arguments in pieces: a complete piece, and one that is still open.
                let isOpen = call.arguments.map { !$0.hasSuffix("}") } ?? true
                let text = #"{"jsonPath":"$.x","stringValue":"a"\#(isOpen ? #","willContinue":true"# : "")}"#
                let pieces = call.arguments == "{}" ? "" : text
                events.append(
                    #"{"candidates":[{"content":{"parts":[{"functionCall":{"name":"\#(call.name)","willContinue":true,"partialArgs":[\#(pieces)]}}]}}]}"#
                )
                if !isOpen { events.append(#"{"candidates":[{"content":{"parts":[{"functionCall":{}}]}}]}"#) }
            }
            events.append(#"{"candidates":[{"finishReason":"\#(word)"}]}"#)
        case "anthropic", "anthropic_vertex":
            for (index, call) in calls.enumerated() {
                events.append(
                    #"{"type":"content_block_start","index":\#(index),"content_block":{"type":"tool_use","id":"t\#(index)","name":"\#(call.name)","input":{}}}"#
                )
                if let arguments = call.arguments {
                    let text = JSONValue.string(arguments).text
                    events.append(
                        #"{"type":"content_block_delta","index":\#(index),"delta":{"type":"input_json_delta","partial_json":\#(text)}}"#
                    )
                }
                events.append(#"{"type":"content_block_stop","index":\#(index)}"#)
            }
            events.append(#"{"type":"message_delta","delta":{"stop_reason":"\#(word)"}}"#)
            events.append(#"{"type":"message_stop"}"#)
        default:
            for (index, call) in calls.enumerated() {
                let text = JSONValue.string(call.arguments ?? "").text
                events.append(
                    #"{"choices":[{"delta":{"tool_calls":[{"index":\#(index),"id":"t\#(index)","function":{"name":"\#(call.name)","arguments":\#(text)}}]}}]}"#
                )
            }
            events += [#"{"choices":[{"delta":{},"finish_reason":"\#(word)"}]}"#, "[DONE]"]
        }
        return try harness(provider).stream(events: events)
    }

    private static func whole(_ provider: String, _ word: String, _ calls: [Call]) throws -> Outcome {
        let body: String
        switch provider {
        case "vertex", "gemini":
            let parts = calls.map { call in
                call.arguments?.hasSuffix("}") == true
                    ? #"{"functionCall":{"name":"\#(call.name)","args":\#(call.arguments ?? "")}}"#
                    : #"{"functionCall":{"name":"\#(call.name)","willContinue":true,"partialArgs":[{"jsonPath":"$.x","stringValue":"a"}]}}"#
            }
            body =
                #"{"candidates":[{"content":{"parts":[\#(parts.joined(separator: ","))]},"finishReason":"\#(word)"}]}"#
        case "anthropic", "anthropic_vertex":
            // The available part of a truncated input has been completed to an object.
            let blocks = calls.enumerated().map { index, call in
                #"{"type":"tool_use","id":"t\#(index)","name":"\#(call.name)","input":\#(call.arguments?.hasSuffix("}") == true ? call.arguments ?? "" : "{}")}"#
            }
            body = #"{"content":[\#(blocks.joined(separator: ","))],"stop_reason":"\#(word)"}"#
        default:
            let items = calls.enumerated().map { index, call in
                #"{"id":"t\#(index)","function":{"name":"\#(call.name)","arguments":\#(JSONValue.string(call.arguments ?? "").text)}}"#
            }
            body =
                #"{"choices":[{"message":{"tool_calls":[\#(items.joined(separator: ","))]},"finish_reason":"\#(word)"}]}"#
        }
        return try harness(provider).whole(body)
    }

    @Test(arguments: early.indices)
    func aCutCallIsLeftOutOfAWholeAnswer(_ index: Int) throws {
        let (provider, word, reason) = Self.early[index]
        for cut in [Call(name: "second"), Call(name: "second", arguments: #"{"x":"a"#)] {
            let outcome = try Self.whole(provider, word, [Call(name: "first", arguments: #"{"x":"a"}"#), cut])
            #expect(outcome.finish == reason && outcome.completion?.rawFinishReason == word)
            #expect(outcome.message.toolCalls.map(\.name) == ["first"], "\(provider) \(word): \(outcome)")
            #expect(outcome.arguments == [#"{"x":"a"}"#] && outcome.error == nil)
            #expect(outcome.completion?.warnings.count == 1)
            #expect(outcome.completion?.warnings.first?.contains("'second' was truncated") == true)
            #expect(outcome.completion?.warnings.first?.contains("omitted") == true)
        }
    }

    /// What was delivered stays; the end reports that a call is incomplete, and nothing is made up for it.
    @Test(arguments: early.indices)
    func aCutCallOfAStreamIsNamedAtItsEnd(_ index: Int) throws {
        let (provider, word, reason) = Self.early[index]
        for cut in [Call(name: "second"), Call(name: "second", arguments: #"{"x":"a"#)] {
            let outcome = try Self.stream(provider, word, [Call(name: "first", arguments: #"{"x":"a"}"#), cut])
            #expect(outcome.finish == reason && outcome.violations.isEmpty && outcome.error == nil)
            #expect(outcome.message.toolCalls.map(\.name) == ["first", "second"], "\(provider) \(word)")
            #expect(outcome.arguments.first == #"{"x":"a"}"#, "\(provider) \(word)")
            #expect(
                (try? JSONValue(parsing: outcome.arguments.last ?? "{}")) == nil, "\(provider): \(outcome.arguments)")
            #expect(outcome.completion?.warnings.count == 1)
            #expect(outcome.completion?.warnings.first?.contains("'second' was truncated") == true)
            #expect(outcome.completion?.warnings.first?.contains("not complete") == true)
        }
    }

    /// The token limit was reached after the calls.
    @Test(arguments: early.indices)
    func wholeCallsBeforeAnEarlyEndStay(_ index: Int) throws {
        let (provider, word, reason) = Self.early[index]
        let calls = [Call(name: "first", arguments: "{}"), Call(name: "second", arguments: #"{"x":"a"}"#)]
        let streamed = try Self.stream(provider, word, calls)
        #expect(streamed.finish == reason && streamed.arguments == ["{}", #"{"x":"a"}"#], "\(provider): \(streamed)")
        #expect(streamed.completion?.warnings == [])
        // A complete response of Claude does not show whether its last call is complete.
        guard !provider.hasPrefix("anthropic") else { return }
        let whole = try Self.whole(provider, word, calls)
        #expect(whole.finish == reason && whole.arguments == ["{}", #"{"x":"a"}"#], "\(provider): \(whole)")
        #expect(whole.completion?.warnings == [])
    }

    @Test(arguments: [
        ("openai", "stop"), ("openai", "tool_calls"), ("openai", "function_call"),
        ("groq", "stop"), ("anthropic", "tool_use"), ("anthropic_vertex", "end_turn"), ("anthropic", "stop_sequence"),
        ("vertex", "STOP"), ("gemini", "STOP"),
    ])
    func callsOfAGoodEndAreToolCalls(_ provider: String, _ word: String) throws {
        let calls = [Call(name: "first"), Call(name: "second", arguments: #"{"x":"a"}"#), Call(name: "third")]
        for outcome in [try Self.stream(provider, word, calls), try Self.whole(provider, word, calls)] {
            #expect(outcome.finish == .toolCalls && outcome.completion?.rawFinishReason == word)
            #expect(outcome.message.toolCalls.map(\.name) == ["first", "second", "third"], "\(provider)")
            #expect(outcome.completion?.warnings == [] && outcome.violations.isEmpty)
            for arguments in outcome.arguments { #expect(throws: Never.self) { try JSONValue(parsing: arguments) } }
        }
    }

    /// Finish reasons that say nothing about the calls, and a missing one.
    private static let unknown = [
        ("openai", "an_odd_word"), ("openai", ""), ("groq", "eos"), ("anthropic", "pause_turn"),
        ("anthropic_vertex", "an_odd_word"), ("anthropic", ""), ("vertex", "UNEXPECTED_TOOL_CALL"),
    ]

    @Test(arguments: unknown)
    func wholeCallsOfAnUnknownEndAreToolCalls(_ provider: String, _ word: String) throws {
        let calls = [Call(name: "first", arguments: "{}"), Call(name: "second", arguments: #"{"x":"a"}"#)]
        let streamed = try Self.stream(provider, word, calls)
        #expect(
            streamed.finish == .toolCalls && streamed.arguments == ["{}", #"{"x":"a"}"#], "\(provider): \(streamed)")
        #expect(streamed.completion?.warnings == [])
        // A complete response of Claude does not show whether its last call is complete.
        guard !provider.hasPrefix("anthropic") else { return }
        let whole = try Self.whole(provider, word, calls)
        #expect(whole.finish == .toolCalls && whole.arguments == ["{}", #"{"x":"a"}"#], "\(provider): \(whole)")
        #expect(whole.completion?.warnings == [])
    }

    @Test(arguments: unknown)
    func aCutCallOfAnUnknownEndIsNoToolCall(_ provider: String, _ word: String) throws {
        for cut in [Call(name: "second"), Call(name: "second", arguments: #"{"x":"a"#)] {
            let calls = [Call(name: "first", arguments: #"{"x":"a"}"#), cut]
            let whole = try Self.whole(provider, word, calls)
            #expect(whole.finish == .other && whole.message.toolCalls.map(\.name) == ["first"], "\(provider): \(whole)")
            let streamed = try Self.stream(provider, word, calls)
            #expect(streamed.finish == .other && streamed.arguments.first == #"{"x":"a"}"#, "\(provider): \(streamed)")
            #expect((try? JSONValue(parsing: streamed.arguments.last ?? "{}")) == nil, "\(provider): \(streamed)")
            for outcome in [whole, streamed] {
                #expect(outcome.completion?.warnings.count == 1 && outcome.violations.isEmpty)
                #expect(outcome.completion?.warnings.first?.contains("'second' was truncated") == true)
            }
        }
    }

    /// Only a regular end closes a string announced as continuing, whatever follows it.
    @Test(arguments: [
        [#"{"functionCall":{}}"#], [#"{"functionCall":{"name":"next","args":{}}}"#], [],
    ])
    func aTextThatWasToGoOnIsClosedByAGoodEndAlone(_ behind: [String]) throws {
        let half =
            #"{"functionCall":{"name":"f","partialArgs":[{"jsonPath":"$.a","stringValue":"rm -rf /tm","willContinue":true}]}}"#
        let parts = ([half] + behind).joined(separator: ",")
        let harness = try Self.harness("vertex")
        for word in ["MAX_TOKENS", "UNEXPECTED_TOOL_CALL", "OTHER"] {
            let end = #"{"candidates":[{"content":{"parts":[\#(parts)]},"finishReason":"\#(word)"}]}"#
            let streamed = harness.stream(events: [end])
            #expect(streamed.arguments.first == #"{"a":"rm -rf /tm"# && streamed.finish != .toolCalls, "\(word)")
            #expect(streamed.completion?.warnings.first?.contains("'f' was truncated") == true, "\(word)")
            #expect(!harness.whole(end).message.toolCalls.contains { $0.name == "f" }, "\(word)")
        }
        let good = #"{"candidates":[{"content":{"parts":[\#(parts)]},"finishReason":"STOP"}]}"#
        for outcome in [harness.stream(events: [good]), harness.whole(good)] {
            #expect(outcome.arguments.first == #"{"a":"rm -rf /tm"}"# && outcome.finish == .toolCalls)
        }
    }

    @Test func aRefusalWithCallsIsARefusal() throws {
        let outcome = try Self.harness("openai").whole(
            #"{"choices":[{"message":{"refusal":"I cannot.","tool_calls":[{"id":"a","function":{"name":"f","arguments":"{}"}}]},"finish_reason":"stop"}]}"#
        )
        #expect(outcome.finish == .refusal && outcome.arguments == ["{}"] && outcome.message.content == "I cannot.")
    }

    /// Calls omitted from a complete response are not sent back either.
    @Test func aCutCallIsForgottenByTheState() throws {
        let harness = try Self.harness("anthropic")
        let outcome = harness.whole(
            #"{"content":[{"type":"thinking","thinking":"hm","signature":"s"},{"type":"text","text":"a"},{"type":"tool_use","id":"t","name":"f","input":{}}],"stop_reason":"max_tokens"}"#
        )
        #expect(!outcome.stateText.contains("call") && outcome.message.toolCalls.isEmpty)
        let body = try harness.body(ChatRequest(messages: [Message(role: .user, content: "x"), outcome.message]))
        let expected: JSONValue = [
            ["type": "thinking", "thinking": "hm", "signature": "s"], ["type": "text", "text": "a"],
        ]
        #expect(body["messages"]?[1]?["content"] == expected, "\(body.text)")
    }

    /// The omitted call is usually not the newest: the calls after it keep their positions among the blocks.
    @Test func callsBehindACutOneKeepTheirPlaces() throws {
        let harness = try Self.harness("vertex")
        let outcome = harness.whole(
            #"{"candidates":[{"content":{"parts":[{"functionCall":{"name":"cut","args":1}},{"text":"hm","thought":true},{"functionCall":{"name":"f","args":{"x":1}}},{"text":"so","thought":true},{"functionCall":{"name":"g","args":{"y":1}}}]},"finishReason":"MAX_TOKENS"}]}"#
        )
        #expect(outcome.message.toolCalls.map(\.name) == ["f", "g"])
        let body = try harness.body(ChatRequest(messages: [Message(role: .user, content: "x"), outcome.message]))
        let parts = body["contents"]?[1]?["parts"]
        let names = (0..<5).map { index -> String? in
            let part = parts?[index]
            return part?["text"]?.string ?? part?["functionCall"]?["name"]?.string
        }
        #expect(names == ["hm", "f", "so", "g", nil], "\(body.text)")
    }
}

@Suite struct JSONBalanceTests {
    @Test(arguments: [
        ("{}", true), ("[]", true), (#"{"a":"}"}"#, true), (#" {"a":[1,{"b":"\"]"}]} "#, true), ("", false),
        ("{", false), (#"{"a":"}"#, false), (#"{"a":"\"}"#, false), (#"{"a":[}"#, false), ("1", false),
    ])
    func wholeTexts(_ text: String, _ isWhole: Bool) {
        var balance = JSONBalance()
        balance.add(text)
        var pieces = JSONBalance()
        for character in text { pieces.add(String(character)) }
        #expect(balance.isWhole == isWhole)
        #expect(pieces.isWhole == balance.isWhole && pieces.deepest == balance.deepest)
    }
}
