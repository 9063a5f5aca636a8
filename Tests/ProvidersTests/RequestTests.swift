import Config
import Generation
import JSON
import Testing

@testable import Providers

/// One conversation that uses every feature, as each vendor expects it, and what each vendor rejects.
@Suite struct RequestTests {
    private static let weather = Tool(
        name: "weather", description: "The weather",
        parametersJSON: #"{"type":"object","properties":{"city":{"type":"string"}},"required":["city"]}"#, strict: true)
    private static let now = Tool(name: "now")

    /// System text in two places, media, two parallel calls, and their results in reverse order.
    private static func conversation() -> ChatRequest {
        var options = GenerationOptions()
        options.maxTokens = 100
        options.temperature = 0.5
        options.topP = 1
        options.stop = ["END"]
        return ChatRequest(
            messages: [
                Message(role: .system, content: "Be brief."),
                Message(
                    role: .user, content: "Look:",
                    parts: [
                        .image(Image(mimeType: "image/png", source: .data([1, 2, 3]))), .text("and say"),
                        .image(Image(mimeType: "", source: .url("https://x/y.webp?z"))),
                    ]),
                Message(
                    role: .assistant, content: "Well",
                    toolCalls: [
                        ToolCall(id: "c.1", name: "weather", argumentsJSON: #"{"city":"Ulm"}"#),
                        ToolCall(id: "c2", name: "now", argumentsJSON: ""),
                    ]),
                Message(role: .tool, content: "noon", toolCallID: "c2"),
                Message(role: .tool, content: #"{"sky":"blue"}"#, toolCallID: "c.1"),
                Message(role: .system, content: "In German."), Message(role: .user, content: "So?"),
            ], tools: [weather, now], toolChoice: .named("now"), options: options)
    }

    @Test func chatCompletions() throws {
        let harness = try DialectHarness("openai", "gpt-4o")
        let body = try harness.body(Self.conversation(), isStream: true)
        let expected: JSONValue = [
            "model": "gpt-4o",
            "messages": [
                ["role": "system", "content": "Be brief."],
                [
                    "role": "user",
                    "content": [
                        ["type": "text", "text": "Look:"],
                        ["type": "image_url", "image_url": ["url": "data:image/png;base64,AQID"]],
                        ["type": "text", "text": "and say"],
                        ["type": "image_url", "image_url": ["url": "https://x/y.webp?z"]],
                    ],
                ],
                [
                    "role": "assistant", "content": "Well",
                    "tool_calls": [
                        [
                            "id": "c.1", "type": "function",
                            "function": ["name": "weather", "arguments": #"{"city":"Ulm"}"#],
                        ], ["id": "c2", "type": "function", "function": ["name": "now", "arguments": "{}"]],
                    ],
                ], ["role": "tool", "tool_call_id": "c2", "content": "noon"],
                ["role": "tool", "tool_call_id": "c.1", "content": #"{"sky":"blue"}"#],
                ["role": "system", "content": "In German."], ["role": "user", "content": "So?"],
            ],
            "tools": [
                [
                    "type": "function",
                    "function": [
                        "name": "weather", "description": "The weather", "strict": true,
                        "parameters": [
                            "type": "object", "properties": ["city": ["type": "string"]], "required": ["city"],
                        ],
                    ],
                ],
                [
                    "type": "function",
                    "function": ["name": "now", "parameters": ["type": "object", "properties": .object([])]],
                ],
            ], "tool_choice": ["type": "function", "function": ["name": "now"]], "max_tokens": 100,
            "temperature": 0.5, "top_p": 1, "stop": ["END"], "stream": true,
            "stream_options": ["include_usage": true],
        ]
        #expect(body == expected, "\(body.text)")
    }

    @Test func claude() throws {
        let harness = try DialectHarness("anthropic", "claude-sonnet-4-20250514")
        let body = try harness.body(Self.conversation(), isStream: true)
        let expected: JSONValue = [
            "model": "claude-sonnet-4-20250514", "max_tokens": 100,
            "system": [["type": "text", "text": "Be brief."], ["type": "text", "text": "In German."]],
            "messages": [
                [
                    "role": "user",
                    "content": [
                        ["type": "text", "text": "Look:"],
                        ["type": "image", "source": ["type": "base64", "media_type": "image/png", "data": "AQID"]],
                        ["type": "text", "text": "and say"],
                        ["type": "image", "source": ["type": "url", "url": "https://x/y.webp?z"]],
                    ],
                ],
                [
                    "role": "assistant",
                    "content": [
                        ["type": "text", "text": "Well"],
                        ["type": "tool_use", "id": "c_1", "name": "weather", "input": ["city": "Ulm"]],
                        ["type": "tool_use", "id": "c2", "name": "now", "input": .object([])],
                    ],
                ],
                [
                    "role": "user",
                    "content": [
                        ["type": "tool_result", "tool_use_id": "c2", "content": "noon"],
                        ["type": "tool_result", "tool_use_id": "c_1", "content": #"{"sky":"blue"}"#],
                        ["type": "text", "text": "So?"],
                    ],
                ],
            ],
            "tools": [
                [
                    "name": "weather", "description": "The weather", "strict": true,
                    "input_schema": [
                        "type": "object", "properties": ["city": ["type": "string"]], "required": ["city"],
                        "additionalProperties": false,
                    ],
                ], ["name": "now", "input_schema": ["type": "object", "properties": .object([])]],
            ], "tool_choice": ["type": "tool", "name": "now"], "temperature": 0.5, "top_p": 1,
            "stop_sequences": ["END"], "stream": true,
        ]
        #expect(body == expected, "\(body.text)")
        // Token counting needs the model in the body, and no options.
        let count = try #require(try harness.tokenCountBody(Self.conversation()))
        #expect(
            count["model"] == "claude-sonnet-4-20250514" && count["max_tokens"] == nil && count["messages"] != nil)
    }

    @Test func gemini() throws {
        let harness = try DialectHarness("vertex", "gemini-2.5-flash")
        let body = try harness.body(Self.conversation(), isStream: true)
        let expected: JSONValue = [
            "systemInstruction": ["parts": [["text": "Be brief."], ["text": "In German."]]],
            "contents": [
                [
                    "role": "user",
                    "parts": [
                        ["text": "Look:"], ["inlineData": ["mimeType": "image/png", "data": "AQID"]],
                        ["text": "and say"],
                        ["fileData": ["mimeType": "image/webp", "fileUri": "https://x/y.webp?z"]],
                    ],
                ],
                [
                    "role": "model",
                    "parts": [
                        ["text": "Well"], ["functionCall": ["name": "weather", "args": ["city": "Ulm"]]],
                        ["functionCall": ["name": "now", "args": .object([])]],
                    ],
                ],
                [
                    "role": "user",
                    "parts": [
                        ["functionResponse": ["name": "weather", "response": ["sky": "blue"]]],
                        ["functionResponse": ["name": "now", "response": ["result": "noon"]]],
                    ],
                ], ["role": "user", "parts": [["text": "So?"]]],
            ],
            "tools": [
                [
                    "functionDeclarations": [
                        [
                            "name": "weather", "description": "The weather",
                            "parameters": [
                                "type": "OBJECT", "properties": ["city": ["type": "STRING"]], "required": ["city"],
                            ],
                        ], ["name": "now"],
                    ]
                ]
            ], "toolConfig": ["functionCallingConfig": ["mode": "ANY", "allowedFunctionNames": ["now"]]],
            "generationConfig": ["maxOutputTokens": 100, "temperature": 0.5, "topP": 1, "stopSequences": ["END"]],
        ]
        #expect(body == expected, "\(body.text)")
        #expect(try harness.tokenCountBody(Self.conversation())?["generationConfig"] == nil)
    }

    // MARK: - Between vendors

    /// A conversation moves from one vendor to another, or comes back without its text.
    @Test(arguments: ["vertex", "anthropic_vertex", "openai"])
    func anotherVendorsStateIsLeftOut(_ provider: String) throws {
        let harness = try DialectHarness(provider, "m")
        let states = [
            try DialectHarness("vertex", "gemini-2.5-flash").stream(Streams.gemini),
            try DialectHarness("anthropic_vertex", "claude-sonnet-4-5").stream(Streams.claude),
        ].map(\.message.providerState)
        for state in states {
            let text = Message(role: .assistant, content: "hi", providerState: state)
            let empty = Message(role: .assistant, providerState: state)
            let body = try harness.body(
                ChatRequest(messages: [
                    Message(role: .user, content: "a"), text, empty, Message(role: .user, content: "b"),
                ]))
            // No vendor accepts a message without content.
            for message in (body["messages"] ?? body["contents"])?.array ?? [] {
                #expect(message["content"]?.array?.isEmpty != true && message["parts"]?.array?.isEmpty != true)
            }
        }
        let bad = Message(role: .assistant, content: "x", providerState: Array("{".utf8))
        guard provider != "openai" else { return }
        #expect(throws: GenerationError.self) { try harness.body(ChatRequest(messages: [bad])) }
    }

    @Test(arguments: ["vertex", "anthropic_vertex"])
    func messagesWithoutContent(_ provider: String) throws {
        let harness = try DialectHarness(provider, "m")
        for messages in [
            [Message(role: .system, content: "x")], [Message(role: .user)],
            [
                Message(role: .user, parts: [.text("")]),
                Message(role: .assistant, providerState: Array(#"{"x":[]}"#.utf8)),
            ],
        ] {
            let error = #expect(throws: GenerationError.self) { try harness.body(ChatRequest(messages: messages)) }
            #expect(error?.kind == .invalidRequest)
        }
    }

    // MARK: - Hostile JSON

    /// Comparing each repeated key with all others would be quadratic; the vendor gets the JSON as it is.
    @Test func aSchemaKeyThatComesTwiceIsPassedOn() throws {
        let harness = try DialectHarness("vertex", "gemini-2.5-flash")
        for key in ["anyOf", "type", "title", "description"] {
            let schema = #"{"properties":{"a":{"type":"string"}},"type":"object","\#(key)":[],"\#(key)":"x"}"#
            let request = ChatRequest(
                messages: [Message(role: .user, content: "x")], tools: [Tool(name: "f", parametersJSON: schema)])
            let declaration = try harness.body(request)["tools"]?[0]?["functionDeclarations"]?[0]
            #expect(declaration?["parameters"] == nil, "\(key)")
            #expect(declaration?["parametersJsonSchema"]?[key]?.string == "x", "\(key)")
        }
    }

    @Test(arguments: ["openai", "anthropic", "vertex"])
    func schemasHaveABoundedNumberOfValues(_ provider: String) throws {
        let harness = try DialectHarness(provider, "m")
        func request(_ values: Int, tools: Int) -> ChatRequest {
            let list = Array(repeating: "1", count: values).joined(separator: ",")
            return ChatRequest(
                messages: [Message(role: .user, content: "x")],
                tools: (0..<tools).map {
                    Tool(name: "f\($0)", parametersJSON: #"{"properties":{"a":{"enum":[\#(list)]}}}"#)
                })
        }
        #expect(throws: Never.self) { try harness.body(request(1000, tools: 60)) }
        let error = #expect(throws: GenerationError.self) { try harness.body(request(1000, tools: 70)) }
        #expect(error?.kind == .invalidRequest && error?.message.contains("more than 65536 values") == true)
    }

    @Test func aVendorsStateHasABoundedNumberOfBlocks() throws {
        let harness = try DialectHarness("anthropic", "claude-sonnet-4-5")
        func request(_ blocks: Int) -> ChatRequest {
            let list = Array(repeating: #"{"block":{"type":"x"}}"#, count: blocks).joined(separator: ",")
            let state = Array(#"{"claude":[\#(list)]}"#.utf8)
            return ChatRequest(messages: [
                Message(role: .user, content: "x"), Message(role: .assistant, content: "y", providerState: state),
            ])
        }
        #expect(throws: Never.self) { try harness.body(request(1000)) }
        let error = #expect(throws: GenerationError.self) { try harness.body(request(16_385)) }
        #expect(error?.kind == .invalidRequest)
    }

    @Test func manySmallImagesAndALongAddress() throws {
        let harness = try DialectHarness("vertex", "gemini-2.5-flash")
        let images = (0..<500).map { Part.image(Image(mimeType: "image/png", source: .data([UInt8($0 % 256), 1]))) }
        let body = try harness.body(ChatRequest(messages: [Message(role: .user, parts: images)]))
        #expect(body["contents"]?[0]?["parts"]?[499]?["inlineData"]?["data"]?.string == "8wE=")
        for (url, mimeType) in [
            ("https://x/y.PNG?z=.pdf", "image/png"),
            ("https://x/" + String(repeating: "é.", count: 1000), "image/jpeg"),
            ("https://x/y.tar.webp#f", "image/webp"), ("data:;base64,QQ==", "image/jpeg"),
        ] {
            let part = Part.image(Image(mimeType: "", source: .url(url)))
            let body = try harness.body(ChatRequest(messages: [Message(role: .user, parts: [part])]))
            let sent = body["contents"]?[0]?["parts"]?[0]
            #expect(
                (sent?["fileData"] ?? sent?["inlineData"])?["mimeType"]?.string == mimeType || url.hasPrefix("data:"),
                "\(url.prefix(30)): \(sent?.text.prefix(200) ?? "")")
        }
    }

    /// Deep JSON from a caller must not produce a body that cannot be parsed again to apply `extra_body`.
    @Test(arguments: ["openai", "anthropic_vertex", "vertex"])
    func deepJSON(_ provider: String) throws {
        let text = """
            generation: {provider: openai, config: {model_name: m, extra_body: {store: false}}}
            """
        let configuration = try Configuration.parse(
            Array(text.utf8), file: "t", environment: [:], knownProviders: ["openai"])
        let patch = try #require(configuration.generation?.extraBody)
        let harness = try DialectHarness(provider, "gemini-2.5-or-claude-4-5") { $0.extraBody = patch }
        for depth in [10, 200, 300, 1000, 5000] {
            let deep = String(repeating: #"{"a":["#, count: depth / 2) + String(repeating: "]}", count: depth / 2)
            let schema = #"{"type":"object","properties":{"x":{"type":"object","default":\#(deep)}}}"#
            let user = Message(role: .user, content: "x")
            let tool = ChatRequest(messages: [user], tools: [Tool(name: "f", parametersJSON: schema)])
            if depth < 250 {
                #expect(try harness.body(tool)["store"] == false)
            } else {
                #expect(throws: GenerationError.self) { try harness.body(tool) }
            }
            let call = ToolCall(id: "c", name: "f", argumentsJSON: deep)
            let state = Array(#"{"claude":[{"block":\#(deep)}],"gemini":[{"block":\#(deep)}]}"#.utf8)
            let messages = [
                user, Message(role: .assistant, toolCalls: [call]),
                Message(role: .tool, content: deep, toolCallID: "c"),
            ]
            #expect(try harness.body(ChatRequest(messages: messages))["store"] == false, "depth \(depth)")
            let withState = ChatRequest(messages: [user, Message(role: .assistant, content: "x", providerState: state)])
            if depth < 250 || provider == "openai" {
                #expect(try harness.body(withState)["store"] == false)
            } else {
                #expect(throws: GenerationError.self) { try harness.body(withState) }
            }
        }
    }

    @Test(arguments: ["[]", "3", "{", "", #"{"a":1}{}"#, #"{"a":1},"b":{"x":1}"#])
    func schemasThatAreNone(_ schema: String) throws {
        for provider in ["openai", "anthropic", "vertex"] {
            var request = ChatRequest(messages: [Message(role: .user, content: "x")])
            request.options.responseFormat = .jsonSchema(schema: schema, name: "", strict: nil)
            let harness = try DialectHarness(provider, "gemini-2.5-or-claude-4-5")
            let error = #expect(throws: GenerationError.self) { try harness.body(request) }
            #expect(error?.kind == .invalidRequest && error?.message.contains("json_schema") == true)
        }
    }

    @Test func argumentsThatAreNoObjectAreWrapped() throws {
        for arguments in ["nope", "[1]", "3", "{", #"{"a":1}{"b":2}"#] {
            let call = ToolCall(id: "c", name: "f", argumentsJSON: arguments)
            let request = ChatRequest(messages: [
                Message(role: .assistant, toolCalls: [call]), Message(role: .tool, content: "", toolCallID: "c"),
            ])
            let claude = try DialectHarness("anthropic_vertex", "claude-4-5").body(request)
            #expect(claude["messages"]?[0]?["content"]?[0]?["input"] == ["raw_arguments": .string(arguments)])
            let gemini = try DialectHarness("vertex", "gemini-2.5").body(request)
            #expect(
                gemini["contents"]?[0]?["parts"]?[0]?["functionCall"]?["args"] == ["raw_arguments": .string(arguments)])
            #expect(gemini["contents"]?[1]?["parts"]?[0]?["functionResponse"]?["response"] == ["result": ""])
        }
    }

    // MARK: - Options

    @Test func numbersOutOfRange() throws {
        let changes: [(inout GenerationOptions) -> Void] = [
            { $0.maxTokens = 0 }, { $0.maxTokens = .max }, { $0.reasoning.budgetTokens = .max },
            { $0.reasoning.budgetTokens = -2 }, { $0.temperature = .nan }, { $0.temperature = 2.1 },
            { $0.topP = -0.1 }, { $0.topP = .infinity }, { $0.topK = 0 },
        ]
        let harness = try DialectHarness("anthropic_vertex", "claude-sonnet-4-5")
        for change in changes {
            var request = ChatRequest(messages: [Message(role: .user, content: "x")])
            change(&request.options)
            let error = #expect(throws: GenerationError.self) { try harness.body(request) }
            #expect(error?.kind == .invalidRequest && error?.message.hasPrefix("options.") == true)
        }
        var request = ChatRequest(messages: [Message(role: .user, content: "x")])
        request.options.reasoning.budgetTokens = Int(Int32.max)
        #expect(try harness.body(request)["thinking"]?["budget_tokens"] == 63_999)
    }

    @Test func whatAModelCannotDo() throws {
        var request = ChatRequest(messages: [Message(role: .user, content: "x")])
        request.options.presencePenalty = 1
        request.options.responseFormat = .jsonObject
        let harness = try DialectHarness("anthropic_vertex", "claude-sonnet-4-5")
        let error = #expect(throws: GenerationError.self) { try harness.body(request) }
        #expect(error?.kind == .unsupported)
        request.options.dropUnsupported = true
        let (body, warnings) = try harness.encode(request)
        #expect(body["presence_penalty"] == nil && warnings.count == 2)
        // Reasoning models: the section's temperature is omitted; the caller's is sent, and the vendor decides.
        let reasoner = try DialectHarness("openai", "o3-mini") {
            $0.temperature = 0.7
            $0.maxTokens = 9
        }
        var plain = ChatRequest(messages: [Message(role: .user, content: "x")])
        let quiet = try reasoner.body(plain)
        #expect(quiet["temperature"] == nil && quiet["max_completion_tokens"] == 9 && quiet["max_tokens"] == nil)
        plain.options.temperature = 0.1
        #expect(try reasoner.body(plain)["temperature"] == 0.1)
    }

    @Test func reasoningInEachVendorsWords() throws {
        var request = ChatRequest(messages: [Message(role: .user, content: "x")])
        request.options.reasoning.effort = "high"
        request.options.reasoning.include = true
        func body(_ provider: String, _ model: String) throws -> JSONValue {
            try DialectHarness(provider, model).body(request)
        }
        #expect(try body("openai", "o3")["reasoning_effort"] == "high")
        #expect(try body("groq", "qwen/qwen3-32b")["reasoning_format"] == "parsed")
        #expect(try body("groq", "openai/gpt-oss-20b")["include_reasoning"] == true)
        let old = try body("anthropic_vertex", "claude-3-7-sonnet@20250219")
        #expect(old["thinking"] == ["type": "enabled", "budget_tokens": 16384] && old["max_tokens"] == 64000)
        let new = try body("anthropic_vertex", "claude-opus-4-7")
        #expect(new["thinking"] == ["type": "adaptive", "display": "summarized"])
        #expect(new["output_config"] == ["effort": "high"] && new["temperature"] == nil)
        #expect(
            try body("vertex", "gemini-2.5-pro")["generationConfig"]?["thinkingConfig"]
                == ["includeThoughts": true, "thinkingBudget": 24576])
        #expect(
            try body("vertex", "gemini-3-pro")["generationConfig"]?["thinkingConfig"]
                == ["includeThoughts": true, "thinkingLevel": "HIGH"])
        #expect(throws: GenerationError.self) { try body("vertex", "gemini-1.5-pro-002") }
    }

    @Test func dataAddressesAreTakenApart() throws {
        func parts(_ url: String) throws -> JSONValue? {
            let image = Image(mimeType: "image/x", source: .url(url))
            let request = ChatRequest(messages: [Message(role: .user, parts: [.image(image)])])
            return try DialectHarness("vertex", "gemini-2.5").body(request)["contents"]?[0]?["parts"]?[0]
        }
        #expect(try parts("data:image/png;base64,AQID")?["inlineData"] == ["mimeType": "image/png", "data": "AQID"])
        #expect(
            try parts("data:image/png;charset=x;base64,AQID")?["inlineData"] == [
                "mimeType": "image/png", "data": "AQID",
            ])
        #expect(try parts("data:;base64,AQID")?["inlineData"] == ["mimeType": "image/x", "data": "AQID"])
        for url in [
            "data:image/png;base64,\"},{", "data:text/plain,hi", "data:", "https://h/a,b;base64,c", "data:a\u{301},b",
        ] {
            #expect(try parts(url)?["fileData"]?["fileUri"] == .string(url))
        }
        let long = "data:," + String(repeating: "x", count: 3_000_000)
        #expect(try parts(long)?["fileData"]?["fileUri"]?.string?.utf8.count == long.utf8.count)
    }
}
