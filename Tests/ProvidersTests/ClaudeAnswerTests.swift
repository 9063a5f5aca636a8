import Config
import Generation
import JSON
import Testing

@testable import Providers

/// Responses of Claude's Messages API.
@Suite struct ClaudeAnswerTests {
    private static func harness() throws -> DialectHarness {
        try DialectHarness("anthropic_vertex", "claude-sonnet-4-5@20250929")
    }

    private static let start =
        #"{"type":"message_start","message":{"id":"m","model":"c","usage":{"input_tokens":10,"output_tokens":1}}}"#
    private static let stop = #"{"type":"message_stop"}"#
    private static func delta(_ reason: String) -> String {
        #"{"type":"message_delta","delta":{"stop_reason":"\#(reason)"},"usage":{"output_tokens":9}}"#
    }
    private static func block(_ index: Int, _ block: String, _ deltas: String...) -> [String] {
        [#"{"type":"content_block_start","index":\#(index),"content_block":\#(block)}"#]
            + deltas.map { #"{"type":"content_block_delta","index":\#(index),"delta":\#($0)}"# }
            + [#"{"type":"content_block_stop","index":\#(index)}"#]
    }

    @Test func aRichStream() throws {
        let outcome = try Self.harness().stream(Streams.claude)
        #expect(outcome.message.content == "Grüße 🎈" && outcome.message.reasoning == "hm, ")
        // Tools that the vendor ran itself are not calls for the caller.
        #expect(outcome.message.toolCalls.map(\.id) == ["toolu_1", "toolu_2"])
        #expect(outcome.arguments == [#"{"x": "é"}"#, "{}"] && outcome.finish == .toolCalls)
        let usage = try #require(outcome.usage)
        #expect(usage.inputTokens == 61 + 10 + 20 && usage.cachedInputTokens == 20 && usage.outputTokens == 30)
        #expect(usage.totalTokens == 121 && usage.reasoningTokens == 4 && usage.source == .provider)
        let state = try JSONValue(parsing: outcome.stateText)
        let expected: JSONValue = [
            "claude": [
                ["block": ["type": "thinking", "thinking": "hm, ", "signature": "c2ln"]],
                ["block": ["type": "redacted_thinking", "data": "xyz"]], ["text": 12],
                ["block": ["type": "server_tool_use", "id": "srv_1", "name": "web_search", "input": ["query": "a"]]],
                ["call": 0], ["call": 1],
            ]
        ]
        #expect(state == expected, "\(outcome.stateText)")
        // Without reasoning, the caller sees no thoughts, but the vendor still gets them back.
        let quiet = try Self.harness().stream(Streams.claude, reasoning: false)
        #expect(quiet.message.reasoning.isEmpty && quiet.stateText == outcome.stateText)
    }

    @Test func whatComesBackGoesOutUnchanged() throws {
        let harness = try Self.harness()
        let outcome = harness.stream(Streams.claude, reasoning: false)
        let body = try harness.body(
            ChatRequest(messages: [
                Message(role: .user, content: "hi"), outcome.message,
                Message(role: .tool, content: "1", toolCallID: "toolu_1"),
                Message(role: .tool, content: "2", toolCallID: "toolu_2"), Message(role: .user, content: "go on"),
            ]))
        let expected: JSONValue = [
            ["role": "user", "content": "hi"],
            [
                "role": "assistant",
                "content": [
                    ["type": "thinking", "thinking": "hm, ", "signature": "c2ln"],
                    ["type": "redacted_thinking", "data": "xyz"], ["type": "text", "text": "Grüße 🎈"],
                    ["type": "server_tool_use", "id": "srv_1", "name": "web_search", "input": ["query": "a"]],
                    ["type": "tool_use", "id": "toolu_1", "name": "f", "input": ["x": "é"]],
                    ["type": "tool_use", "id": "toolu_2", "name": "now", "input": .object([])],
                ],
            ],
            [
                "role": "user",
                "content": [
                    ["type": "tool_result", "tool_use_id": "toolu_1", "content": "1"],
                    ["type": "tool_result", "tool_use_id": "toolu_2", "content": "2"],
                    ["type": "text", "text": "go on"],
                ],
            ],
        ]
        #expect(body["messages"] == expected, "\(body.text)")
    }

    @Test func aWholeAnswerSaysTheSameAsItsStream() throws {
        let body =
            #"{"id":"msg_1","type":"message","role":"assistant","model":"claude-x","content":[{"type":"thinking","thinking":"hm, ","signature":"c2ln"},{"type":"redacted_thinking","data":"xyz"},{"type":"text","text":"Grüße 🎈"},{"type":"server_tool_use","id":"srv_1","name":"web_search","input":{"query":"a"}},{"type":"tool_use","id":"toolu_1","name":"f","input":{"x":"é"}},{"type":"tool_use","id":"toolu_2","name":"now","input":{}}],"stop_reason":"tool_use","usage":{"input_tokens":61,"cache_creation_input_tokens":10,"cache_read_input_tokens":20,"output_tokens":30,"output_tokens_details":{"thinking_tokens":4}}}"#
        let whole = try Self.harness().whole(body)
        let streamed = try Self.harness().stream(Streams.claude)
        #expect(whole.message.content == streamed.message.content && whole.usage == streamed.usage)
        #expect(whole.message.toolCalls.map(\.id) == streamed.message.toolCalls.map(\.id))
        #expect(try JSONValue(parsing: whole.stateText) == JSONValue(parsing: streamed.stateText))
        #expect(whole.arguments == [#"{"x":"é"}"#, "{}"] && whole.message.reasoning == "hm, ")
    }

    @Test(arguments: [
        ("end_turn", FinishReason.stop), ("stop_sequence", .stop), ("max_tokens", .length),
        ("model_context_window_exceeded", .length), ("refusal", .refusal), ("pause_turn", .other), ("new", .other),
    ])
    func finishReasons(_ raw: String, _ expected: FinishReason) throws {
        let outcome = try Self.harness().stream(events: [Self.start, Self.delta(raw), Self.stop])
        #expect(outcome.finish == expected && outcome.completion?.rawFinishReason == raw)
        #expect(outcome.usage?.inputTokens == 10 && outcome.usage?.outputTokens == 9)
    }

    @Test func refusalsNameTheirReason() throws {
        let body =
            #"{"id":"m","content":[],"stop_reason":"refusal","stop_details":{"category":"cyber","explanation":"no"},"usage":{"input_tokens":1,"output_tokens":0}}"#
        let outcome = try Self.harness().whole(body)
        #expect(outcome.finish == .refusal && outcome.completion?.warnings == ["refused: cyber: no"])
    }

    /// A thought that the token limit cut off has no signature, and the vendor would reject it.
    @Test func unsignedThoughtsAreNotSentBack() throws {
        let outcome = try Self.harness().stream(
            events: [Self.start]
                + Self.block(
                    0, #"{"type":"thinking","thinking":"","signature":""}"#,
                    #"{"type":"thinking_delta","thinking":"cut of"}"#) + [Self.delta("max_tokens"), Self.stop])
        #expect(outcome.message.reasoning == "cut of" && outcome.stateText.isEmpty && outcome.finish == .length)
    }

    @Test func blocksWithoutTheirEndKeepTheirPlace() throws {
        let thought = Self.block(
            0, #"{"type":"thinking","thinking":"a"}"#, #"{"type":"signature_delta","signature":"s"}"#
        ).dropLast()
        let text = Self.block(1, #"{"type":"text","text":""}"#, #"{"type":"text_delta","text":"b"}"#).dropLast()
        let outcome = try Self.harness().stream(
            events: [Self.start] + thought + text + [Self.delta("end_turn"), Self.stop])
        let expected: JSONValue = [
            "claude": [["block": ["type": "thinking", "thinking": "a", "signature": "s"]], ["text": 1]]
        ]
        #expect(try JSONValue(parsing: outcome.stateText) == expected)
    }

    @Test func hugeUsageDoesNotTrap() throws {
        let huge = 9_223_372_036_854_775_807
        let body =
            #"{"content":[],"stop_reason":"end_turn","usage":{"input_tokens":\#(huge),"cache_read_input_tokens":\#(huge),"cache_creation_input_tokens":\#(huge),"output_tokens":\#(huge)}}"#
        let usage = try #require(try Self.harness().whole(body).usage)
        #expect(usage.inputTokens <= 4 * Int(Int32.max) && usage.totalTokens >= usage.outputTokens)
        let negative = #"{"content":[],"stop_reason":"end_turn","usage":{"input_tokens":-1,"output_tokens":-1}}"#
        #expect(try Self.harness().whole(negative).usage?.totalTokens == 0)
    }

    @Test func errorsInsideStreams() throws {
        let harness = try Self.harness()
        func kind(_ data: String, event: String = "") -> GenerationError.Kind? {
            let head = event.isEmpty ? "" : "event: \(event)\n"
            return harness.stream("data: \(Self.start)\n\n\(head)data: \(data)\n\n").error?.kind
        }
        func error(_ type: String) -> String { #"{"type":"error","error":{"type":"\#(type)","message":"m"}}"# }
        #expect(kind(error("overloaded_error")) == .overloaded)
        #expect(kind(error("api_error"), event: "error") == .providerUnavailable)
        #expect(kind(error("rate_limit_error")) == .rateLimit)
        #expect(kind(error("invalid_request_error")) == .invalidRequest)
        #expect(kind(error("timeout_error")) == .providerUnavailable)
        #expect(kind(error("billing_error")) == .quotaExhausted)
        #expect(kind(#"{"error":{"code":503,"message":"m","status":"UNAVAILABLE"}}"#) == .overloaded)
        #expect(kind(#"{"message":"m"}"#, event: "error") == .providerUnavailable)
        #expect(kind("not JSON", event: "error") == .providerUnavailable)
        let bare = "data: \(Self.start)\n\n{\n  \"error\": {\n    \"code\": 429,\n    \"message\": \"m\"\n  }\n}\n"
        #expect(harness.stream(bare).error?.kind == .rateLimit)
    }

    @Test func endsOfStreams() throws {
        let harness = try Self.harness()
        #expect(harness.stream(events: [Self.start]).error?.kind == .streamInterrupted)
        #expect(harness.stream(events: [#"{"type":"ping"}"#]).error?.kind == .badProviderResponse)
        #expect(harness.stream(events: [Self.start, Self.delta("end_turn"), Self.stop, "[DONE]"]).error == nil)
        #expect(harness.stream(events: [Self.start, Self.delta("end_turn"), "[DONE]"]).error == nil)
        for body in ["{}", "[]", "null", #"{"content":"text"}"#, #"{"content":null}"#] {
            #expect(harness.whole(body).error?.kind == .badProviderResponse)
        }
        #expect(
            harness.whole(#"{"type":"error","error":{"type":"overloaded_error","message":"m"}}"#).error?.kind
                == .overloaded)
    }

    /// Long thoughts arrive in thousands of pieces; their cost is linear, not quadratic.
    @Test func longThoughtsAndManyCalls() throws {
        let pieces = (0..<20_000).map { _ in
            #"{"type":"content_block_delta","index":0,"delta":{"type":"thinking_delta","thinking":"0123456789abcdef"}}"#
        }
        let first = Self.block(0, #"{"type":"thinking","thinking":"","signature":"s"}"#)
        var events = [Self.start, first[0]] + pieces + [first[1]]
        for index in 1...1000 {
            events += Self.block(index, #"{"type":"tool_use","id":"t\#(index)","name":"f","input":{}}"#)
        }
        let outcome = try Self.harness().stream(events: events + [Self.delta("tool_use"), Self.stop])
        #expect(outcome.message.reasoning.utf8.count == 320_000 && outcome.message.toolCalls.count == 1000)
        #expect(outcome.stateText.utf8.count > 320_000 && outcome.error == nil)
    }
}
