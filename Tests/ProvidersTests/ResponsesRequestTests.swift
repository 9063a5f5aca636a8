import Config
import Generation
import JSON
import Testing

@testable import Providers

/// What goes out to OpenAI's Responses API, and when `auto` chooses it.
@Suite struct ResponsesRequestTests {
    private static func harness(_ model: String = "gpt-5-mini", _ provider: String = "openai/responses") throws
        -> DialectHarness
    {
        try DialectHarness(provider, model)
    }

    private static let tool = Tool(name: "f", description: "d", parametersJSON: #"{"type":"object"}"#)
    private static let search = Tool(
        builtin: BuiltinTool(type: "web_search", configJSON: #"{"search_context_size":"low"}"#))

    private static func ask(_ text: String = "hi") -> ChatRequest {
        ChatRequest(messages: [Message(role: .user, content: text)])
    }

    @Test func everyOptionHasItsPlace() throws {
        var request = Self.ask()
        request.tools = [Self.tool, Self.search]
        request.toolChoice = .named("f")
        request.options.maxTokens = 100
        request.options.parallelToolCalls = false
        request.options.responseFormat = .jsonSchema(schema: #"{"type":"object"}"#, name: "n", strict: true)
        request.options.reasoning.effort = "low"
        request.options.reasoning.include = true
        request.options.user = "u"
        request.options.promptCacheKey = "k"
        request.options.serviceTier = "flex"
        request.options.verbosity = "low"
        let body = try Self.harness().body(request, isStream: true)
        let expected: JSONValue = [
            "model": "gpt-5-mini", "input": [["role": "user", "content": "hi"]],
            "tools": [
                [
                    "type": "function", "name": "f", "description": "d", "parameters": ["type": "object"],
                    "strict": false,
                ],
                ["type": "web_search", "search_context_size": "low"],
            ],
            "tool_choice": ["type": "function", "name": "f"], "parallel_tool_calls": false,
            "text": [
                "verbosity": "low",
                "format": ["type": "json_schema", "name": "n", "schema": ["type": "object"], "strict": true],
            ],
            "max_output_tokens": 100, "safety_identifier": "u", "prompt_cache_key": "k", "service_tier": "flex",
            "reasoning": ["effort": "low", "summary": "auto"], "include": ["reasoning.encrypted_content"],
            "store": false, "stream": true,
        ]
        #expect(body == expected, "\(body.text)")
    }

    /// A model that does not reason refuses the options of reasoning.
    @Test func aPlainModelIsAskedForNoReasoning() throws {
        var request = Self.ask()
        request.options.reasoning.include = true
        request.options.temperature = 0.5
        let body = try Self.harness("gpt-4o").body(request)
        #expect(body["include"] == nil && body["reasoning"] == nil && body["temperature"]?.double == 0.5)
        request.options.temperature = nil
        request.options.stop = ["x"]
        #expect(throws: GenerationError.self) { try Self.harness("gpt-4o").body(request) }
        request.options.dropUnsupported = true
        #expect(try Self.harness("gpt-4o").encode(request).warnings.count == 1)
    }

    @Test func contentOfEveryKind() throws {
        let image = Image(mimeType: "image/png", source: .data([1, 2, 3]), detail: "low")
        let message = Message(
            role: .user, content: "a",
            parts: [
                .image(image), .image(Image(mimeType: "", source: .url("https://h/i.png"))),
                .file(File(mimeType: "application/pdf", name: "d.pdf", source: .data([1, 2, 3]))),
                .file(File(mimeType: "", source: .url("https://h/d.pdf"))), .text("b"),
            ])
        let result = Message(role: .tool, content: "r", parts: [.image(image)], toolCallID: "c")
        let call = Message(role: .assistant, toolCalls: [ToolCall(id: "c", name: "f", argumentsJSON: "")])
        let system = Message(role: .system, content: "s")
        let body = try Self.harness().body(ChatRequest(messages: [system, message, call, result]))
        let picture: JSONValue = [
            "type": "input_image", "image_url": "data:image/png;base64,AQID", "detail": "low",
        ]
        let expected: JSONValue = [
            ["role": "system", "content": "s"],
            [
                "role": "user",
                "content": [
                    ["type": "input_text", "text": "a"], picture,
                    ["type": "input_image", "image_url": "https://h/i.png"],
                    ["type": "input_file", "filename": "d.pdf", "file_data": "data:application/pdf;base64,AQID"],
                    ["type": "input_file", "file_url": "https://h/d.pdf"], ["type": "input_text", "text": "b"],
                ],
            ],
            ["type": "function_call", "call_id": "c", "name": "f", "arguments": "{}"],
            [
                "type": "function_call_output", "call_id": "c",
                "output": [["type": "input_text", "text": "r"], picture],
            ],
        ]
        #expect(body["input"] == expected, "\(body.text)")
    }

    /// Reasoning, the vendor's own tools and the parts that messages play go back in their order.
    @Test func anAnswerGoesBackAsItCame() throws {
        let message = try Self.harness().stream(Streams.responses).message
        let results = ["a", "b"].map { Message(role: .tool, content: "r", toolCallID: $0) }
        let items = try #require(try Self.harness().body(ChatRequest(messages: [message] + results))["input"]?.array)
        #expect(
            items.map { $0["type"]?.string ?? $0["role"]?.string } == [
                "user", "reasoning", "web_search_call", "assistant", "function_call", "function_call",
                "function_call_output", "function_call_output",
            ], "\(items)")
        guard items.count == 8 else { return }
        #expect(
            items[1] == [
                "type": "reasoning", "summary": [["type": "summary_text", "text": "hm, "]],
                "encrypted_content": "c2VjcmV0", "id": "rs_1",
            ])
        #expect(items[3] == ["role": "assistant", "content": "Grüße 🎈 é🎈", "phase": "commentary"])
        #expect(items[0]["content"]?.array?.first?["type"] == "input_image")
        // Azure cannot read what OpenAI encrypted.
        let azure = try Self.harness("gpt-5-mini", "azure_openai/responses")
        let there = try #require(try azure.body(ChatRequest(messages: [message] + results))["input"]?.array)
        #expect(!there.contains { $0["type"]?.string == "reasoning" } && there.count == 6)
    }

    @Test func callsOfCustomToolsGoBackAsTheyCame() throws {
        let call = #"{"type":"custom_tool_call","call_id":"c","name":"f","input":"1 + \"1\""}"#
        let body = #"{"status":"completed","output":[\#(call)]}"#
        let message = try Self.harness().whole(body).message
        #expect(message.toolCalls.map(\.argumentsJSON) == [#"{"input":"1 + \"1\""}"#])
        let result = Message(role: .tool, content: "2", toolCallID: "c")
        let input = try Self.harness().body(ChatRequest(messages: [message, result]))["input"]
        let expected: JSONValue = [
            ["type": "custom_tool_call", "call_id": "c", "name": "f", "input": "1 + \"1\""],
            ["type": "custom_tool_call_output", "call_id": "c", "output": "2"],
        ]
        #expect(input == expected, "\(String(describing: input?.text))")
    }

    @Test func whatCountsIsCounted() throws {
        var request = Self.ask()
        request.tools = [Self.tool]
        request.options.maxTokens = 5
        let body = try #require(try Self.harness().tokenCountBody(request))
        #expect(body["input"] != nil && body["tools"] != nil)
        #expect(body["store"] == nil && body["max_output_tokens"] == nil)
    }

    // MARK: - Which API

    private static func address(
        _ model: String, api: APIChoice? = nil, provider: String = "openai",
        _ change: (inout ChatRequest) -> Void = { _ in }
    ) throws -> String {
        let harness = try DialectHarness(provider, model) { $0[APIChoice.key] = api }
        var request = ask()
        change(&request)
        return String(try harness.model.api(for: request).endpoints.whole.dropFirst("http://127.0.0.1:1".count))
    }

    @Test func autoChoosesResponsesWhereChatCannot() throws {
        let chat = "/chat/completions"
        let responses = "/responses"
        #expect(try Self.address("gpt-5.6") == chat)
        #expect(try Self.address("gpt-5.6") { $0.tools = [Self.tool] } == responses)
        let withoutReasoning = try Self.address("gpt-5.6") {
            $0.tools = [Self.tool]
            $0.options.reasoning.effort = "none"
        }
        #expect(withoutReasoning == chat)
        for name in ["gpt-6-astra", "gpt-6.1-sol"] {
            let replaced = try Self.address(name) {
                $0.tools = [Self.tool]
                $0.options.reasoning.effort = "none"
            }
            #expect(replaced == responses, "\(name) has no effort none")
        }
        #expect(try Self.address("gpt-4o") { $0.tools = [Self.tool] } == chat)
        #expect(try Self.address("gpt-4o") { $0.tools = [Self.search] } == responses)
        #expect(try Self.address("gpt-5-pro") == responses)
        // A server of unknown models may have chat completions only.
        #expect(try Self.address("my-model") { $0.tools = [Self.search] } == chat)
        #expect(try Self.address("my-model", api: .responses) == responses)
        #expect(try Self.address("gpt-5.6", api: .chat) { $0.tools = [Self.tool] } == chat)
        let file = File(mimeType: "", source: .url("https://h/d.pdf"))
        #expect(try Self.address("gpt-4o") { $0.messages[0].parts = [.file(file)] } == responses)
        let tools = try Self.address("gpt-5.6", provider: "azure_openai") { $0.tools = [Self.tool] }
        #expect(tools == "/openai/v1/responses")
    }

    @Test(arguments: [
        "http://h", "http://h/", "http://h/openai", "http://h/openai/v1", "http://h/models",
        "http://h/openai/deployments/gpt-4o",
    ])
    func azureHasOneFormOfAddress(_ base: String) throws {
        let harness = try DialectHarness("azure_openai/responses", "gpt-5-mini") {
            $0.apiBase = base.hasSuffix("/") ? String(base.dropLast()) : base
            $0[AzureOpenAI.deployment] = "mine"
        }
        #expect(harness.model.endpoints.whole == "http://h/openai/v1/responses")
        #expect(harness.model.endpoints.countTokens == "http://h/openai/v1/responses/input_tokens")
        #expect(try harness.body(Self.ask())["model"] == "mine")
    }
}
