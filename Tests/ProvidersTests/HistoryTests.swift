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
}
