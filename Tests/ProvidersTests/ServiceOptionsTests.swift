import Config
import Generation
import JSON
import Testing

@testable import Providers

/// What callers ask for beyond text and tools, as each vendor expects it.
@Suite struct ServiceOptionsTests {
    private static func request(_ change: (inout ChatRequest) -> Void) -> ChatRequest {
        var request = ChatRequest(messages: [Message(role: .user, content: "Hello")])
        change(&request)
        return request
    }

    @Test func claudeCachesUpToTheBreakpoints() throws {
        let long = CacheBreakpoint(ttl: "1h")
        let request = Self.request { request in
            request.messages = [
                Message(role: .system, parts: [Part(.text("rules"), cacheBreakpoint: long)]),
                Message(
                    role: .user, content: "Look",
                    parts: [
                        Part(
                            .image(Image(mimeType: "image/png", source: .data([1, 2, 3]))),
                            cacheBreakpoint: CacheBreakpoint()),
                        Part(.text("here"), cacheBreakpoint: long), .text("now"),
                    ]),
            ]
            request.tools = [Tool(name: "f"), Tool(name: "g", cacheBreakpoint: long)]
        }
        for provider in ["anthropic", "anthropic_vertex"] {
            let body = try DialectHarness(provider, "claude-opus-4-6").body(request)
            let hour: JSONValue = ["type": "ephemeral", "ttl": "1h"]
            #expect(body["system"] == [["type": "text", "text": "rules", "cache_control": hour]])
            let content = body["messages"]?[0]?["content"]
            #expect(content?[0] == ["type": "text", "text": "Look"])
            #expect(content?[1]?["cache_control"] == ["type": "ephemeral"])
            #expect(content?[2]?["cache_control"] == hour && content?[3]?["cache_control"] == nil)
            #expect(body["tools"]?[0]?["cache_control"] == nil && body["tools"]?[1]?["cache_control"] == hour)
        }
    }

    @Test func theOtherVendorsCaches() throws {
        let key = Self.request { $0.options.promptCacheKey = "tenant 7" }
        for provider in ["openai", "azure_openai"] {
            #expect(try DialectHarness(provider).body(key)["prompt_cache_key"] == "tenant 7")
        }
        let stored = Self.request { $0.options.cachedContent = "cachedContents/1" }
        for provider in ["vertex", "gemini"] {
            #expect(try DialectHarness(provider).body(stored)["cachedContent"] == "cachedContents/1")
        }
    }

    @Test func tiersAndVerbosity() throws {
        let request = Self.request { $0.options.serviceTier = "flex" }
        for provider in ProviderRegistry.names {
            let body = try DialectHarness(provider).body(request)
            #expect((body["service_tier"] ?? body["serviceTier"]) == "flex", "\(provider)")
        }
        let brief = Self.request { $0.options.verbosity = "low" }
        #expect(try DialectHarness("openai").body(brief)["verbosity"] == "low")
    }

    // MARK: - Extra fields

    private static func text(_ text: String) -> ConfigNode {
        ConfigNode(.scalar(ConfigScalar(text)), line: 1, column: 1)
    }

    private static func map(_ entries: [(String, ConfigNode)]) -> ConfigNode {
        ConfigNode(.mapping(entries.map { ConfigEntry(key: $0, line: 1, value: $1) }), line: 1, column: 1)
    }

    @Test(arguments: ProviderRegistry.names) func extraJSONIsMergedLast(_ provider: String) throws {
        let request = Self.request {
            $0.options.maxTokens = 100
            $0.options.extraJSON = #"{"labels":{"a":"b","c":null},"max_tokens":null,"n":2}"#
        }
        let harness = try DialectHarness(provider) {
            let labels = Self.map([("c", Self.text("d")), ("e", Self.text("f"))])
            $0.extraBody = Self.map([("n", Self.text("1")), ("labels", labels)])
        }
        let body = try harness.body(request)
        #expect(body["labels"] == ["a": "b", "e": "f"] && body["n"] == 2 && body["max_tokens"] == nil, "\(body.text)")
    }

    @Test func extraJSONHasLimits() throws {
        func kind(_ json: String, allowed: Bool = true) throws -> (GenerationError.Kind?, String) {
            let harness = try DialectHarness("openai") { $0.allowsExtra = allowed }
            let request = Self.request { $0.options.extraJSON = json }
            let error = #expect(throws: GenerationError.self) { try harness.body(request) }
            return (error?.kind, error?.message ?? "")
        }
        let (refused, words) = try kind("{}", allowed: false)
        #expect(refused == .permission && words.contains("allow_extra: false"))
        for json in [
            "[]", "1", "{", #"{"stream":true}"#, #"{"model":"gpt-5-pro"}"#, #"{"MODEL":"gpt-5-pro"}"#,
            #"{"\u017ftream":true}"#,
        ] {
            let (kind, message) = try kind(json)
            #expect(kind == .invalidRequest && message.contains("options.extra_json"), "\(json): \(message)")
        }
        let deep = #"{"a":"# + String(repeating: "[", count: 300) + String(repeating: "]", count: 300) + "}"
        #expect(try kind(deep).1.contains("nested deeper"))
    }

    /// A repeated key of the target must not repeat the patch: both may be large.
    @Test func extraJSONIsWrittenOnce() throws {
        let patch = try BodyPatch(extraJSON: #"{"a":{"b":1,"b":2},"c":null}"#)
        let body = patch.apply(to: Array(#"{"a":{"x":3},"a":{"y":4},"c":1,"c":2,"d":5,"d":6}"#.utf8))
        #expect(String(decoding: body, as: UTF8.self) == #"{"a":{"x":3,"b":2},"d":5,"d":6}"#)
    }

    /// The work grows with the number of members, not with its square, which would take minutes.
    @Test(.timeLimit(.minutes(5))) func manyMembers() throws {
        let count = 60_000
        let json = "{" + (0..<count).map { "\"key\($0)\":\($0)" }.joined(separator: ",") + "}"
        let patch = try BodyPatch(extraJSON: json)
        let patched = try JSONValue(parsing: patch.apply(to: Array(json.utf8)))
        #expect(patched.members?.count == count && patched.members?.last?.value == .int(count - 1))
    }

    /// The body is read once, not once per level of the patch.
    @Test(.timeLimit(.minutes(5))) func deepExtraJSON() throws {
        let depth = 200
        let close = String(repeating: "}", count: depth)
        let open = String(repeating: #"{"a":"#, count: depth)
        let patch = try BodyPatch(extraJSON: open + #"{"n":[1]}"# + close)
        let text = String(repeating: "x", count: 30 << 20)
        let body = open + #" { "s" : ""# + text + #"" , "n":{ } } "# + close
        let patched = patch.apply(to: Array(body.utf8))
        #expect(patched == Array((open + #"{"s":""# + text + #"","n":[1]}"# + close).utf8))
    }

    // MARK: - Sound, tools, results

    @Test func soundGoesAsTheVendorTakesIt() throws {
        let wav = MediaSource.data([1, 2, 3])
        let parts: [(Part, JSONValue)] = [
            (.audio(Audio(mimeType: "audio/x-wav", source: wav)), ["data": "AQID", "format": "wav"]),
            (.audio(Audio(mimeType: "audio/mpeg", source: wav)), ["data": "AQID", "format": "mp3"]),
            (.audio(Audio(mimeType: "audio/flac;rate=1", source: wav)), ["data": "AQID", "format": "flac"]),
            // A file of sound is refused by the vendor as a file.
            (.file(File(mimeType: "audio/wav", name: "a.wav", source: wav)), ["data": "AQID", "format": "wav"]),
        ]
        for (part, expected) in parts {
            let body = try DialectHarness("openai").body(Self.request { $0.messages[0].parts = [part] })
            #expect(body["messages"]?[0]?["content"]?[1] == ["type": "input_audio", "input_audio": expected])
            let gemini = try DialectHarness("gemini").body(Self.request { $0.messages[0].parts = [part] })
            #expect(gemini["contents"]?[0]?["parts"]?[1]?["inlineData"]?["data"] == "AQID")
        }
        let address = Part.audio(Audio(mimeType: "", source: .url("https://x/a.mp3")))
        let byAddress = Self.request { $0.messages[0].parts = [address] }
        let sent = try DialectHarness("vertex").body(byAddress)
        #expect(
            sent["contents"]?[0]?["parts"]?[1] == [
                "fileData": ["mimeType": "audio/mpeg", "fileUri": "https://x/a.mp3"]
            ])
        for provider in ["openai", "groq", "anthropic"] {
            let error = #expect(throws: GenerationError.self) { try DialectHarness(provider).body(byAddress) }
            #expect(error?.kind == .unsupported)
        }
    }

    @Test func builtinToolsStandBesideFunctions() throws {
        func body(_ provider: String, _ type: String, _ config: String = "") throws -> JSONValue? {
            let request = Self.request {
                $0.tools = [Tool(name: "f"), Tool(builtin: BuiltinTool(type: type, configJSON: config))]
            }
            return try DialectHarness(provider, "m").body(request)["tools"]?[1]
        }
        #expect(
            try body("anthropic", "web_search_20250305", #"{"max_uses":3}"#) == [
                "type": "web_search_20250305", "name": "web_search", "max_uses": 3,
            ])
        #expect(
            try body("anthropic", "bash_20250124", #"{"name":"shell"}"#) == ["type": "bash_20250124", "name": "shell"])
        #expect(
            try body("anthropic", "mcp_toolset", #"{"mcp_server_name":"s"}"#) == [
                "type": "mcp_toolset", "mcp_server_name": "s",
            ])
        #expect(try body("groq", "browser_search") == ["type": "browser_search"])
        #expect(try body("gemini", "google_search") == ["googleSearch": [:]])
        #expect(
            try body("vertex", "googleSearch", #"{"excludeDomains":["x"]}"#) == [
                "googleSearch": ["excludeDomains": ["x"]]
            ])
        for config in ["[]", "{", "1"] {
            let error = #expect(throws: GenerationError.self) { try body("groq", "browser_search", config) }
            #expect(error?.kind == .invalidRequest && error?.message.contains("browser_search") == true)
        }
        // Without functions there is nothing to declare and nothing to choose.
        let alone = Self.request {
            $0.tools = [Tool(builtin: BuiltinTool(type: "url_context"))]
            $0.toolChoice = .auto
        }
        let gemini = try DialectHarness("gemini").body(alone)
        #expect(gemini["tools"] == [["urlContext": [:]]] && gemini["toolConfig"] == nil)
    }

    @Test func failedResultsAreMarked() throws {
        func request(_ content: String) -> ChatRequest {
            let call = ToolCall(id: "c", name: "f", argumentsJSON: "{}")
            return ChatRequest(messages: [
                Message(role: .user, content: "Hello"), Message(role: .assistant, toolCalls: [call]),
                Message(role: .tool, content: content, toolCallID: "c", isError: true),
            ])
        }
        let claude = try DialectHarness("anthropic").body(request("no"))["messages"]?[2]?["content"]?[0]
        #expect(claude?["is_error"] == true && claude?["content"] == "no")
        func gemini(_ content: String) throws -> JSONValue? {
            try DialectHarness("gemini").body(request(content))["contents"]?[2]?["parts"]?[0]?["functionResponse"]?[
                "response"]
        }
        #expect(try gemini("no") == ["error": "no"])
        #expect(try gemini(#"{"code":4}"#) == ["error": ["code": 4]])
        #expect(try gemini(#"{"error":"no","code":4}"#) == ["error": "no", "code": 4])
    }

    @Test func claudeIsAskedForAnObjectInWords() throws {
        let request = Self.request {
            $0.messages.insert(Message(role: .system, content: "Be brief."), at: 0)
            $0.options.responseFormat = .jsonObject
        }
        let (body, warnings) = try DialectHarness("anthropic").encode(request)
        #expect(body["system"]?[0]?["text"] == "Be brief.")
        #expect(body["system"]?[1]?["text"]?.string?.contains("one JSON object") == true)
        #expect(body["output_config"] == nil && warnings.contains { $0.contains("JSON_OBJECT") })
    }

    @Test func strictIsNotLostOnGemini() throws {
        let strict = Self.request { $0.tools = [Tool(name: "f", strict: true)] }
        #expect(try DialectHarness("gemini").encode(strict).warnings.contains { $0.contains("tools.strict") })
        #expect(try DialectHarness("openai").encode(strict).warnings.isEmpty)
    }

    /// An image that a model made goes back where it was, with the vendor's signature on it.
    @Test func generatedImagesGoBackSigned() throws {
        let harness = try DialectHarness("gemini", "gemini-3-pro-image")
        let outcome = harness.whole(
            #"""
            {"candidates":[{"content":{"parts":[{"text":"Here: "},{"inlineData":{"mimeType":"image/png","data":"AQID"},
            "thoughtSignature":"s1"},{"text":"and"}]},"finishReason":"STOP"}]}
            """#)
        var request = Self.request { _ in }
        request.messages += [outcome.message, Message(role: .user, content: "Bluer.")]
        let parts = try harness.body(request)["contents"]?[1]?["parts"]
        let image: JSONValue = ["inlineData": ["mimeType": "image/png", "data": "AQID"], "thoughtSignature": "s1"]
        #expect(parts == [["text": "Here: "], image, ["text": "and"]])
    }
}
