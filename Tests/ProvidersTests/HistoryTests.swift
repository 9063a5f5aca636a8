import Config
import EventLoop
import Generation
import HTTPClient
import JSON
import TestSupport
import Testing

@testable import Providers

/// What of earlier answers goes back to a vendor, and to another one.
@Suite struct HistoryTests {
    private static let user = Message(role: .user, content: "x")

    private static func calling(_ names: [String], state: [UInt8] = []) -> [Message] {
        var calls = names.map { ToolCall(id: $0, name: $0, argumentsJSON: "{}") }
        calls[0].providerState = state
        return [Message(role: .assistant, toolCalls: calls)]
            + names.map { Message(role: .tool, content: "{}", toolCallID: $0) }
    }

    // MARK: - Gemini's signatures

    @Test(arguments: [
        ("vertex", "gemini-3.8-flash", true), ("gemini", "gemini-3-pro-preview", true),
        ("gemini", "gemini-4-argon", true), ("vertex", "gemini-2.5-flash", false),
    ])
    func callsOfOtherVendorsGetASubstituteSignature(_ provider: String, _ model: String, _ isNeeded: Bool) throws {
        let messages = [Self.user] + Self.calling(["a", "b"]) + Self.calling(["c"])
        let contents = try DialectHarness(provider, model).body(ChatRequest(messages: messages))["contents"]
        let substitute: JSONValue? = isNeeded ? "skip_thought_signature_validator" : nil
        #expect(contents?[1]?["parts"]?[0]?["thoughtSignature"] == substitute)
        // Only the first of a batch is checked.
        #expect(contents?[1]?["parts"]?[1]?["thoughtSignature"] == nil)
        #expect(contents?[3]?["parts"]?[0]?["thoughtSignature"] == substitute)
        let own = Array(#"{"gemini":{"signature":"own"}}"#.utf8)
        let kept = try DialectHarness(provider, model).body(
            ChatRequest(messages: [Self.user] + Self.calling(["a", "b"], state: own)))
        #expect(kept["contents"]?[1]?["parts"]?[0]?["thoughtSignature"] == "own")
    }

    // MARK: - Compatible servers' reasoning

    @Test func reasoningContentGoesBackWhereItIsNeeded() throws {
        let harness = try DialectHarness("openai", "deepseek-chat")
        let call = #"[{"index":0,"id":"c","function":{"name":"f","arguments":"{}"}}]"#
        let whole =
            #"{"choices":[{"message":{"reasoning_content":"hm, so","content":"","tool_calls":\#(call)},"finish_reason":"tool_calls"}]}"#
        let stream = [
            #"{"choices":[{"delta":{"reasoning_content":"hm, "}}]}"#,
            #"{"choices":[{"delta":{"reasoning_content":"so"}}]}"#,
            #"{"choices":[{"delta":{"tool_calls":\#(call)},"finish_reason":"tool_calls"}]}"#, "[DONE]",
        ]
        // Also for callers who asked for no reasoning.
        for outcome in [harness.whole(whole, reasoning: false), harness.stream(events: stream, reasoning: false)] {
            #expect(outcome.message.reasoning.isEmpty && !outcome.message.providerState.isEmpty)
            let result = Message(role: .tool, content: "1", toolCallID: "c")
            let request = ChatRequest(messages: [Self.user, outcome.message, result])
            #expect(try harness.body(request)["messages"]?[1]?["reasoning_content"] == "hm, so")
            // Others refuse the field, or charge for it.
            #expect(try DialectHarness("openai", "gpt-4o").body(request)["messages"]?[1]?["reasoning_content"] == nil)
        }
        #expect(try DialectHarness("openai", "gpt-4o").whole(whole).message.providerState.isEmpty)
    }

    @Test func reasoningContentOfMessagesWithoutState() throws {
        let harness = try DialectHarness("openai", "kimi-k2.6")
        let own = Message(role: .assistant, content: "y", reasoning: "hm")
        let foreign = Self.calling(["a"])
        let plain = Message(role: .assistant, content: "z")
        let body = try harness.body(ChatRequest(messages: [Self.user, own, Self.user] + foreign + [plain]))
        #expect(body["messages"]?[1]?["reasoning_content"] == "hm")
        // An empty one counts as missing.
        #expect(body["messages"]?[3]?["reasoning_content"] == " ")
        #expect(body["messages"]?[5]?["reasoning_content"] == nil)
        #expect(body["messages"]?[0]?["reasoning_content"] == nil)
    }
}
