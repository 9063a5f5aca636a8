import Generation
import JSON
import Testing

@testable import Providers

/// What Claude 5 no longer takes: forced tools, and thinking that is switched off.
@Suite struct ClaudeThinkingTests {
    private static func request(_ change: (inout ChatRequest) -> Void) -> ChatRequest {
        var request = ChatRequest(
            messages: [Message(role: .user, content: "x")], tools: [Tool(name: "f"), Tool(name: "g")])
        change(&request)
        return request
    }

    @Test(arguments: [ToolChoice.required, .named("f")])
    func forcedTools(_ choice: ToolChoice) throws {
        var request = Self.request { $0.toolChoice = choice }
        for model in ["claude-opus-5-5", "claude-sonnet-5-5", "claude-fable-5-1"] {
            let harness = try DialectHarness("anthropic", model)
            request.options.dropUnsupported = false
            let error = #expect(throws: GenerationError.self) { try harness.body(request) }
            #expect(error?.kind == .unsupported && error?.message.contains("tool_choice") == true)
            request.options.dropUnsupported = true
            let (body, warnings) = try harness.encode(request)
            #expect(body["tool_choice"] == nil || body["tool_choice"] == ["type": "auto"])
            #expect(warnings.count == 1 && warnings[0].contains("tool_choice"))
            #expect(throws: Never.self) { try harness.body(Self.request { $0.toolChoice = ToolChoice.none }) }
        }
        #expect(try DialectHarness("anthropic", "claude-opus-4-6").encode(request).warnings.isEmpty)
        #expect(try DialectHarness("openai", "gpt-4o").encode(request).warnings.isEmpty)
    }

    @Test(arguments: ["effort", "budget"])
    func thinkingThatCannotBeSwitchedOff(_ what: String) throws {
        let request = Self.request { request in
            if what == "effort" { request.options.reasoning.effort = "none" }
            if what == "budget" { request.options.reasoning.budgetTokens = 0 }
        }
        for model in ["claude-opus-5-5", "claude-fable-5-1"] {
            let (body, warnings) = try DialectHarness("anthropic", model).encode(request)
            #expect(body["thinking"]?["type"] == "adaptive")
            // As little as the model can.
            #expect(body["output_config"]?["effort"] == "low" && warnings.count == 1, "\(body.text) \(warnings)")
        }
        #expect(
            try DialectHarness("anthropic", "claude-sonnet-5-5").body(request)["thinking"] == ["type": "between_tools"])
        #expect(try DialectHarness("anthropic", "claude-opus-4-7").body(request)["thinking"] == ["type": "disabled"])
        #expect(try DialectHarness("anthropic", "claude-sonnet-4-5").body(request)["thinking"] == nil)
    }

    @Test func schemasOnVertexWhereTheyAreOffered() throws {
        var request = Self.request { request in
            request.options.responseFormat = .jsonSchema(schema: #"{"type":"object"}"#, name: "", strict: nil)
        }
        #expect(try DialectHarness("anthropic_vertex", "claude-opus-4-6").body(request)["output_config"] != nil)
        let harness = try DialectHarness("anthropic_vertex", "claude-sonnet-4@20250514")
        #expect(throws: GenerationError.self) { try harness.body(request) }
        request.options.dropUnsupported = true
        let (body, warnings) = try harness.encode(request)
        #expect(body["output_config"] == nil && warnings.count == 1)
    }
}
