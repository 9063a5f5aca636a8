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

    // MARK: - Claude's thinking

    private static let thinking = #"{"type":"thinking","thinking":"hm","signature":"s"}"#

    /// An answer of `model` to `first`, as the attempt hands it out.
    private static func answer(of model: String, to first: Message) throws -> Message {
        let harness = try DialectHarness("anthropic", model)
        let body =
            #"{"content":[\#(thinking),{"type":"server_tool_use","id":"s","name":"n","input":{}},{"type":"text","text":"y"}],"stop_reason":"end_turn"}"#
        var message = harness.whole(body).message
        message.providerState = harness.model.provider.dialect.bound(
            message.providerState, to: ChatRequest(messages: [first]), at: harness.model)
        return message
    }

    private static func blocks(_ model: String, _ messages: [Message]) throws -> [String] {
        let body = try DialectHarness("anthropic", model).body(ChatRequest(messages: messages))
        return body["messages"]?[1]?["content"]?.array?.compactMap { $0["type"]?.string } ?? []
    }

    @Test(arguments: [
        ("claude-opus-5-5", "claude-opus-5-5", true), ("claude-opus-5-5", "claude-haiku-4-5", false),
        ("claude-haiku-4-5", "claude-opus-5-5", false), ("claude-haiku-4-5", "claude-sonnet-4-5", true),
    ])
    func thinkingIsBoundToItsModel(_ from: String, _ to: String, _ isKept: Bool) throws {
        let message = try Self.answer(of: from, to: Self.user)
        let found = try Self.blocks(to, [Self.user, message, Self.user])
        #expect(found == (isKept ? ["thinking"] : []) + ["server_tool_use", "text"])
    }

    /// The beginning of the conversation is compared with each answer in it, but read once.
    @Test(.timeLimit(.minutes(5))) func longHistoriesWithThinking() throws {
        let text = String(repeating: "x", count: 64 << 10)
        let first = Message(role: .user, parts: (0..<48).map { _ in .text(text) })
        var answer = try Self.answer(of: "claude-opus-5-5", to: first)
        let kept = try Self.blocks("claude-opus-5-5", [first, answer, Self.user])
        #expect(kept.contains("thinking"))
        answer.content = ""
        answer.providerState = Array(
            #"{"claude":[{"of":{"model":"claude-opus-5-5","bound":true,"start":1}},{"block":{"type":"x"}}]}"#.utf8)
        let messages = [first] + Array(repeating: answer, count: 4000) + [Self.user]
        let body = try DialectHarness("anthropic", "claude-opus-5-5").body(ChatRequest(messages: messages))
        #expect(body["messages"]?[1]?["content"]?.array?.count == 4000)
    }

    @Test func thinkingIsBoundToItsConversation() throws {
        let other = Message(role: .user, content: "y")
        let image = Message(role: .user, parts: [.image(Image(mimeType: "image/png", source: .data([1])))])
        for (model, isKept) in [("claude-opus-5-5", false), ("claude-sonnet-4-5", true)] {
            let message = try Self.answer(of: model, to: Self.user)
            for first in [other, image] {
                let found = try Self.blocks(model, [first, message, Self.user])
                #expect(found.contains("thinking") == isKept, "\(model) \(first)")
            }
            // System messages may change.
            let system = Message(role: .system, content: "new")
            #expect(try Self.blocks(model, [system, Self.user, message, Self.user]).contains("thinking"))
        }
        // A message that is nothing but thinking goes as a whole.
        var bare = try Self.answer(of: "claude-opus-5-5", to: Self.user)
        bare.content = ""
        bare.providerState = Array(
            #"{"claude":[{"of":{"model":"claude-opus-5-5","bound":true,"start":1}},{"block":\#(Self.thinking)}]}"#.utf8)
        let body = try DialectHarness("anthropic", "claude-opus-5-5").body(
            ChatRequest(messages: [Self.user, bare, Self.user]))
        #expect(body["messages"]?.array?.count == 1)
        // State without a mark is sent: only the vendor can tell.
        bare.providerState = Array(#"{"claude":[{"block":\#(Self.thinking)}]}"#.utf8)
        #expect(try Self.blocks("claude-opus-5-5", [Self.user, bare, Self.user]) == ["thinking"])
    }

    @Test(arguments: [false, true])
    func thinkingThatIsRefusedIsLeftOutOnce(_ isStream: Bool) async throws {
        let bodies = Locked<[String]>([])
        let refusal =
            #"{"type":"error","error":{"type":"invalid_request_error","message":"messages.1.content.0: thinking block is bound to a different conversation"}}"#
        let fine = #"{"content":[{"type":"text","text":"fine"}],"stop_reason":"end_turn"}"#
        let server = TestServer { connection in
            while let request = connection.request() {
                bodies.withLock { $0.append(String(decoding: request.body, as: UTF8.self)) }
                let isRefused = bodies.withLock { $0.count } != 2
                connection.send(
                    "HTTP/1.1 \(isRefused ? "400 Bad" : "200 OK")\r\nContent-Type: application/json\r\n"
                        + "Content-Length: \((isRefused ? refusal : fine).utf8.count)\r\n\r\n"
                        + (isRefused ? refusal : fine))
            }
        }
        defer { server.stop() }
        let model = try DialectHarness("anthropic", "claude-opus-5-5") { $0.apiBase = server.url("/v1") }.model
        let message = try Self.answer(of: "claude-opus-5-5", to: Self.user)
        let request = ChatRequest(messages: [Self.user, message, Self.user])
        let first = try await AttemptRun.run(model, request, isStream: isStream)
        #expect(first.text == "fine" && first.error == nil)
        #expect(first.warnings.contains { $0.contains("thinking") })
        #expect(first.sendings.map(\.httpStatus) == [400])
        let sent = bodies.withLock { $0 }
        #expect(sent.count == 2 && sent[0].contains("\"thinking\"") && !sent[1].contains("\"signature\""))
        // Refused again, or nothing to leave out: an error like any other.
        let second = try await AttemptRun.run(model, request, isStream: isStream)
        #expect(second.error?.kind == .invalidRequest && second.sendings.count == 1)
        let third = try await AttemptRun.run(model, ChatRequest(messages: [Self.user]), isStream: isStream)
        #expect(third.error?.kind == .invalidRequest && third.sendings.isEmpty)
        #expect(bodies.withLock { $0.count } == 5)
    }
}
