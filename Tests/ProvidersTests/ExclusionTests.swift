import Config
import Generation
import JSON
import Testing

@testable import Providers

/// What a model takes, but not within any limit, nor together with anything else.
@Suite struct ExclusionTests {
    private static func request(_ change: (inout ChatRequest) -> Void = { _ in }) -> ChatRequest {
        var request = ChatRequest(messages: [Message(role: .user, content: "x")])
        change(&request)
        return request
    }

    /// Refused as unsupported, and sent without it where the caller wishes that: the body then.
    private static func withoutIt(
        _ harness: DialectHarness, _ request: ChatRequest, naming field: String
    ) throws -> JSONValue {
        let error = #expect(throws: GenerationError.self) { try harness.body(request) }
        #expect(error?.kind == .unsupported && error?.message.contains(field) == true, "\(String(describing: error))")
        var dropping = request
        dropping.options.dropUnsupported = true
        let (body, warnings) = try harness.encode(dropping)
        #expect(warnings.count == 1 && warnings[0].contains(field), "\(warnings)")
        return body
    }

    // MARK: - Limits of the response's length

    @Test func limitsAreMovedIntoTheModelsRange() throws {
        let asked = Self.request { $0.options.maxTokens = 1_000_000 }
        for (provider, name, key, limit) in [
            ("anthropic", "claude-opus-4-5", "max_tokens", 64_000), ("openai", "gpt-4o", "max_tokens", 16_384),
            ("openai", "gpt-5.4", "max_completion_tokens", 128_000),
            ("groq", "llama-3.3-70b-versatile", "max_tokens", 32_768),
        ] {
            let (body, warnings) = try DialectHarness(provider, name).encode(asked)
            #expect(body[key] == .int(limit), "\(name): \(body.text)")
            #expect(warnings.count == 1 && warnings[0].contains("options.max_tokens: \(limit)"), "\(warnings)")
        }
        let (body, warnings) = try DialectHarness("openai", "a-model-of-mine").encode(asked)
        #expect(body["max_tokens"] == 1_000_000 && warnings.isEmpty)
        let configured = try DialectHarness("openai", "gpt-4o") { $0.maxTokens = 1_000_000 }.encode(Self.request())
        #expect(configured.body["max_tokens"] == 16_384 && configured.warnings.isEmpty)
    }

    @Test func responsesHasALeastLimit() throws {
        let (body, warnings) = try DialectHarness("openai/responses", "gpt-5.4").encode(
            Self.request { $0.options.maxTokens = 5 })
        #expect(body["max_output_tokens"] == 16 && warnings.count == 1)
        let configured = try DialectHarness("openai/responses", "gpt-5.4") { $0.maxTokens = 5 }.encode(Self.request())
        #expect(configured.body["max_output_tokens"] == 16 && configured.warnings.isEmpty)
        let chat = try DialectHarness("openai", "gpt-5.4").encode(Self.request { $0.options.maxTokens = 5 })
        #expect(chat.body["max_completion_tokens"] == 5 && chat.warnings.isEmpty)
    }

    // MARK: - The end of the conversation

    @Test func claudeTakesNoPrefillFrom46On() throws {
        let prefilled = Self.request {
            $0.messages += [
                Message(role: .assistant, content: "{"), Message(role: .system, content: "brief"),
                Message(role: .assistant, content: "["),
            ]
        }
        for name in ["claude-opus-4-6", "claude-sonnet-5-5", "claude-haiku-5-5"] {
            let body = try Self.withoutIt(DialectHarness("anthropic", name), prefilled, naming: "assistant message")
            #expect(body["messages"] == [["role": "user", "content": "x"]] && body["system"] == "brief")
        }
        for (provider, name) in [("anthropic", "claude-sonnet-4-5"), ("openai", "gpt-4o")] {
            let (body, warnings) = try DialectHarness(provider, name).encode(prefilled)
            #expect(body.text.contains("{") && warnings.isEmpty, "\(name)")
        }
        // A turn that the vendor paused goes on where it was.
        let paused = Self.request {
            $0.messages.append(
                Message(
                    role: .assistant, content: "",
                    providerState: Array(#"{"claude":[{"block":{"type":"server_tool_use","id":"s"}}]}"#.utf8)))
        }
        let body = try DialectHarness("anthropic", "claude-opus-4-6").body(paused)
        #expect(body["messages"]?[1]?["content"]?[0]?["type"] == "server_tool_use")
    }

    // MARK: - Thinking

    @Test(arguments: [("claude-opus-4-6", "adaptive"), ("claude-sonnet-4-5", "enabled")])
    func thinkingExcludesSamplingAndForcedTools(_ name: String, _ type: String) throws {
        let harness = try DialectHarness("anthropic", name)
        func thinking(_ change: (inout ChatRequest) -> Void) -> ChatRequest {
            Self.request {
                $0.options.reasoning.effort = "high"
                change(&$0)
            }
        }
        let excluded = [
            ("temperature", thinking { $0.options.temperature = 0.5 }), ("top_p", thinking { $0.options.topP = 0.5 }),
            ("top_k", thinking { $0.options.topK = 5 }),
        ]
        for (key, request) in excluded {
            let body = try Self.withoutIt(harness, request, naming: key)
            #expect(body[key] == nil && body["thinking"]?["type"]?.string == type)
            // Without thinking it is sent.
            var plain = request
            plain.options.reasoning.effort = ""
            #expect(try harness.body(plain)[key] != nil)
        }
        for choice in [ToolChoice.required, .named("f")] {
            let forced = thinking {
                $0.tools = [Tool(name: "f")]
                $0.toolChoice = choice
            }
            let body = try Self.withoutIt(harness, forced, naming: "tool_choice")
            #expect(body["tool_choice"] == ["type": "auto"] && body["thinking"]?["type"]?.string == type)
        }
        #expect(try harness.body(thinking { $0.options.temperature = 1 })["temperature"] == 1)
        #expect(try harness.body(thinking { $0.options.topP = 0.97 })["top_p"] == 0.97)
    }

    @Test func configuredSamplingGivesWayToThinking() throws {
        let harness = try DialectHarness("anthropic", "claude-opus-4-6") {
            $0.temperature = 0.5
            $0.topK = 5
        }
        let (body, warnings) = try harness.encode(Self.request { $0.options.reasoning.effort = "high" })
        #expect(body["temperature"] == nil && body["top_k"] == nil && warnings.isEmpty)
        #expect(try harness.body(Self.request())["temperature"] == 0.5)
        #expect(try harness.body(Self.request { $0.options.reasoning.effort = "none" })["temperature"] == 0.5)
    }

    @Test func budgetsNeedTheThinkingOfEarlierCalls() throws {
        func loop(_ state: String) -> ChatRequest {
            Self.request {
                var calls = Message(
                    role: .assistant, toolCalls: [ToolCall(id: "c", name: "f", argumentsJSON: "{}")])
                calls.providerState = Array(state.utf8)
                $0.messages += [calls, Message(role: .tool, content: "1", toolCallID: "c")]
                $0.tools = [Tool(name: "f")]
                $0.options.reasoning.effort = "high"
            }
        }
        let harness = try DialectHarness("anthropic", "claude-sonnet-4-5")
        let foreign = loop("")
        #expect(try Self.withoutIt(harness, foreign, naming: "options.reasoning")["thinking"] == nil)
        let own = loop(#"{"claude":[{"block":{"type":"thinking","thinking":"t","signature":"s"}},{"call":0}]}"#)
        #expect(try harness.body(own)["thinking"]?["type"] == "enabled")
        // Adaptive thinking does not ask for it.
        #expect(try DialectHarness("anthropic", "claude-opus-4-6").body(foreign)["thinking"]?["type"] == "adaptive")
        // Thinking that the vendor has refused cannot be sent back.
        let again = try PreparedRequest(own, for: harness.model, isStream: false, leavesOutThinking: true)
        #expect(again.options.reasoning.effort.isEmpty && again.warnings.count == 1)
    }

    @Test(arguments: ["claude-sonnet-4-5", "claude-opus-4-6"]) func budgetsLeaveRoomForAnAnswer(_ name: String) throws {
        let harness = try DialectHarness("anthropic", name)
        func asked(_ maxTokens: Int, _ budget: Int) -> ChatRequest {
            Self.request {
                $0.options.maxTokens = maxTokens
                $0.options.reasoning.budgetTokens = budget
            }
        }
        for (maxTokens, budget, sent) in [(4000, 30_000, 3999), (4000, 500, 1024), (1_000_000, 500_000, nil)] {
            let (body, warnings) = try harness.encode(asked(maxTokens, budget))
            let limit = try #require(harness.model.facts.maxOutputTokens)
            #expect(body["thinking"]?["budget_tokens"] == .int(sent ?? limit - 1), "\(body.text)")
            #expect(warnings.contains { $0.contains("options.reasoning.budget_tokens") })
        }
        let fitting = try harness.encode(asked(4000, 2000))
        #expect(fitting.body["thinking"]?["budget_tokens"] == 2000 && fitting.warnings.isEmpty)
        let error = #expect(throws: GenerationError.self) { try harness.body(asked(1024, 2000)) }
        #expect(error?.kind == .invalidRequest && error?.message.contains("more than 1024") == true)
    }

    // MARK: - OpenAI

    @Test func temperatureNeedsEffortNoneFromGPT51On() throws {
        for name in ["gpt-5.1", "gpt-5.4"] {
            let harness = try DialectHarness("openai", name)
            let reasoning = Self.request {
                $0.options.temperature = 0.5
                $0.options.reasoning.effort = "high"
            }
            let body = try Self.withoutIt(harness, reasoning, naming: "options.temperature")
            #expect(body["temperature"] == nil && body["reasoning_effort"] == "high")
            #expect(try harness.body(Self.request { $0.options.temperature = 0.5 })["temperature"] == 0.5)
        }
        for name in ["gpt-5.1-chat-latest", "gpt-5.2-chat-latest", "gpt-5.3-chat-latest"] {
            let names = try DialectHarness("openai", name).model.capabilityNames
            #expect(!names.contains("temperature") && !names.contains("top_p"), "\(name)")
        }
    }

    @Test func imagesAreNotDropped() throws {
        let image = Self.request {
            $0.messages[0].parts = [.image(Image(mimeType: "image/png", source: .data([1])))]
            $0.options.dropUnsupported = true
        }
        for (provider, name) in [
            ("openai", "gpt-3.5-turbo"), ("azure_openai", "gpt-4"), ("openai", "o3-mini"),
            ("groq", "openai/gpt-oss-120b"),
        ] {
            let harness = try DialectHarness(provider, name)
            #expect(!harness.model.capabilityNames.contains("images"), "\(name)")
            let error = #expect(throws: GenerationError.self) { try harness.body(image) }
            #expect(error?.kind == .unsupported, "\(name)")
        }
        for name in ["gpt-4o", "gpt-4-turbo"] {
            #expect(throws: Never.self) { try DialectHarness("openai", name).body(image) }
        }
    }

    @Test func formatsOfOlderModels() throws {
        func names(_ name: String) throws -> [String] { try DialectHarness("openai", name).model.capabilityNames }
        for name in ["gpt-4", "gpt-4-32k", "ft:gpt-4-0613:acme::x"] {
            #expect(try !names(name).contains("json_object"), "\(name)")
        }
        for name in ["gpt-4", "gpt-4-turbo", "gpt-4-0125-preview", "gpt-4o-2024-05-13"] {
            #expect(try !names(name).contains("json_schema"), "\(name)")
        }
        #expect(try names("gpt-4-turbo").contains("json_object") && names("gpt-4o").contains("json_schema"))
    }

    @Test func effortsOfSingleModels() throws {
        func warnings(_ provider: String, _ name: String, _ effort: String) throws -> [String] {
            try DialectHarness(provider, name).encode(Self.request { $0.options.reasoning.effort = effort }).warnings
        }
        #expect(try warnings("openai", "gpt-5-pro", "high").isEmpty)
        #expect(try warnings("openai", "gpt-5-pro", "low") != [])
        #expect(try warnings("azure_openai", "gpt-5.4", "minimal") != [])
        #expect(try warnings("vertex", "gemini-3-pro-preview", "medium") != [])
        #expect(try warnings("vertex", "gemini-3.1-pro-preview", "medium").isEmpty)
    }

    /// It takes `max` through Responses alone.
    @Test func effortsOfChatCompletionsAlone() throws {
        let most = Self.request { $0.options.reasoning.effort = "max" }
        let auto = try DialectHarness("openai", "gpt-6-astra")
        #expect(auto.model.api(for: most).endpoints.whole.hasSuffix("/responses"))
        let (body, warnings) = try auto.encode(most)
        #expect(body["reasoning"]?["effort"] == "max" && warnings.isEmpty)
        let chat = try DialectHarness("openai/chat", "gpt-6-astra").encode(most)
        #expect(chat.body["reasoning_effort"] == "xhigh" && chat.warnings.count == 1)
        let high = Self.request { $0.options.reasoning.effort = "high" }
        #expect(auto.model.api(for: high).endpoints.whole.hasSuffix("/chat/completions"))
    }
}
