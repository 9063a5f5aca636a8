import Foundation
import Generation
import GenwireClient
import TestSupport
import Testing

/// What callers ask for beyond text and tools, and what vendors return beyond them, through the real daemon. The
/// answers are written here.
@Suite struct ServiceOptionsTests {
    /// One answer of a vendor, whole or as the events of a stream.
    private struct Reply: Sendable {
        let provider: String
        let name: String
        var body = ""
        var events: [String] = []

        /// The name of its model.
        var model: String { "\(provider)-\(name)" }
    }

    private static let chat = #""choices":[{"index":0,"finish_reason":"stop","#
    private static let picture = #"{"inlineData":{"mimeType":"image/png","data":"AQID"}}"#
    private static let imageURL = #"{"type":"image_url","image_url":{"url":"data:image/png;base64,AQID"}}"#

    private static let replies = [
        Reply(
            provider: "openai", name: "text",
            body: #"{"id":"i","model":"m","service_tier":"flex",\#(chat)"logprobs":{"content":[{"token":"Hi"}]},"#
                + #""message":{"role":"assistant","content":"Hi"}}],"usage":{"prompt_tokens":9,"completion_tokens":1,"#
                + #""prompt_tokens_details":{"cached_tokens":3,"cache_write_tokens":4}}}"#),
        Reply(
            provider: "openai", name: "images",
            events: [
                #"{"id":"i","choices":[{"index":0,"delta":{"content":"Look"}}]}"#,
                #"{"id":"i","choices":[{"index":0,"delta":{"images":[\#(imageURL)]}}]}"#,
                #"{"id":"i","choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}"#, "[DONE]",
            ]),
        Reply(
            provider: "openai", name: "cited",
            events: [
                #"{"id":"i","choices":[{"index":0,"delta":{"content":"Ünd so. "}}]}"#,
                #"{"id":"i","choices":[{"index":0,"delta":{"content":"Yes","annotations":[{"type":"url_citation","#
                    + #""url_citation":{"url":"https://a.example","title":"A","start_index":4,"end_index":6}}]}}]}"#,
                #"{"id":"i","choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}"#, "[DONE]",
            ]),
        Reply(
            provider: "groq", name: "text",
            body: #"{"id":"i","model":"m",\#(chat)"message":{"role":"assistant","content":"Hi","#
                + #""executed_tools":[{"index":0,"type":"browser_search"}]}}]}"#),
        Reply(
            provider: "anthropic", name: "text",
            body: #"{"id":"m","type":"message","role":"assistant","model":"c","content":[{"type":"text","text":"Hi"}],"#
                + #""stop_reason":"end_turn","usage":{"input_tokens":2,"cache_creation_input_tokens":5,"#
                + #""cache_read_input_tokens":3,"output_tokens":1,"service_tier":"standard"}}"#),
        Reply(
            provider: "anthropic", name: "cited",
            body: #"{"id":"m","type":"message","role":"assistant","model":"c","content":[{"type":"text","text":"A: "},"#
                + #"{"type":"text","text":"so","citations":[{"type":"web_search_result_location","cited_text":"q","#
                + #""url":"https://w.example","title":"W","encrypted_index":"e"}]}],"stop_reason":"end_turn"}"#),
        Reply(
            provider: "gemini", name: "text",
            body:
                #"{"candidates":[{"content":{"parts":[{"text":"Hi"}]},"finishReason":"STOP","safetyRatings":[{"a":1}],"#
                + #""groundingMetadata":{"groundingChunks":[{"web":{"uri":"https://g.example","title":"G"}}],"#
                + #""groundingSupports":[{"segment":{"startIndex":0,"endIndex":2},"groundingChunkIndices":[0]}]}}]}"#),
        Reply(
            provider: "gemini", name: "images",
            body: #"{"candidates":[{"content":{"parts":[{"text":"Look"},\#(picture)]},"finishReason":"STOP"}]}"#),
    ]

    /// Runs `body` with a client of a daemon that has a model for each reply.
    private static func with(
        _ extra: String = "", _ body: @escaping @Sendable (GenwireClient, Stack) async throws -> Void
    ) async throws {
        try await withTemporaryFolder { recordings in
            for reply in replies {
                let folder = "\(recordings)/\(reply.provider)/\(reply.name)"
                try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
                let isStream = !reply.events.isEmpty
                let type = isStream ? "text/event-stream" : "application/json"
                try #"{"status":200,"stream":\#(isStream),"response_headers":{"content-type":"\#(type)"}}"#
                    .write(toFile: folder + "/response.meta.json", atomically: true, encoding: .utf8)
                let text = isStream ? reply.events.map { "data: \($0)\n\n" }.joined() : reply.body
                try text.write(toFile: folder + "/response.body", atomically: true, encoding: .utf8)
            }
            try await Stack.with(
                simulator: ["--recordings", recordings],
                configuration: { upstream, folder in
                    let head = "server: {listen: [\"unix:\(folder)/g.sock\"]}\nretry: {max_attempts: 1}\nmodels:\n"
                    return head
                        + replies.map {
                            let model = "recording:\($0.provider)/\($0.name)"
                            return RecordingTests.section($0.model, $0.provider, model, upstream)
                        }.joined() + extra.replacing("UPSTREAM", with: upstream)
                }
            ) { stack in
                let client = try await GenwireClient.connect(to: stack.address)
                try await body(client, stack)
                await client.close()
            }
        }
    }

    private static func json(_ text: String) throws -> [String: Any]? {
        try JSONSerialization.jsonObject(with: Data(text.utf8)) as? [String: Any]
    }

    @Test func promptsAreCachedAndTheUsageSaysSo() async throws {
        try await Self.with { client, stack in
            var request = user("Hello", model: "openai-text")
            request.options.promptCacheKey = "tenant"
            request.options.serviceTier = "flex"
            request.options.verbosity = "low"
            let usage = try await client.chat(request).completion.usage
            #expect(usage.cachedInputTokens == 3 && usage.cacheWriteInputTokens == 4)
            let sent = try await stack.lastRequest()
            #expect(sent["prompt_cache_key"] as? String == "tenant" && sent["service_tier"] as? String == "flex")
            #expect(sent["verbosity"] as? String == "low")

            request = user("", model: "anthropic-text")
            request.messages[0].parts = [Part(.text("Long"), cacheBreakpoint: CacheBreakpoint(ttl: "1h"))]
            request.tools = [Tool(name: "f", cacheBreakpoint: CacheBreakpoint())]
            let claude = try await client.chat(request).completion.usage
            #expect(claude.inputTokens == 10 && claude.cachedInputTokens == 3 && claude.cacheWriteInputTokens == 5)
            let block =
                ((try await stack.lastRequest()["messages"] as? [[String: Any]])?.first?["content"]
                as? [[String: Any]])?.first
            #expect(block?["cache_control"] as? [String: String] == ["type": "ephemeral", "ttl": "1h"])
            let tool = (try await stack.lastRequest()["tools"] as? [[String: Any]])?.first
            #expect(tool?["cache_control"] as? [String: String] == ["type": "ephemeral"])

            request = user("Hello", model: "gemini-text")
            request.options.cachedContent = "cachedContents/7"
            _ = try await client.chat(request)
            #expect(try await stack.lastRequest()["cachedContent"] as? String == "cachedContents/7")
            // What the vendor does not have is refused by name, or dropped with a warning.
            request.options.promptCacheKey = "tenant"
            await #expect { try await client.chat(request) } throws: { error in
                (error as? ClientError)?.code == 12
                    && (error as? ClientError)?.message.contains("options.prompt_cache_key") == true
            }
            request.options.dropUnsupported = true
            #expect(try await client.chat(request).completion.warnings.count == 1)
        }
    }

    @Test func extraFieldsGoBothWays() async throws {
        let closed =
            "  closed: {provider: openai, config: {model_name: gpt-4o, api_base: \"UPSTREAM/v1\", "
            + "api_key: sk-planted-secret-0123456789, allow_extra: false}}\n"
        try await Self.with(closed) { client, stack in
            var request = user("Hello", model: "openai-text")
            #expect(try await client.chat(request).completion.extraJSON.isEmpty)
            request.options.extraJSON = #"{"logprobs":true,"metadata":{"a":"b"}}"#
            request.options.includeExtra = true
            let extra = try Self.json(try await client.chat(request).completion.extraJSON)
            #expect(extra?["service_tier"] as? String == "flex" && extra?["logprobs"] != nil)
            let sent = try await stack.lastRequest()
            #expect(sent["logprobs"] as? Bool == true && sent["metadata"] as? [String: String] == ["a": "b"])

            request = user("Hello", model: "gemini-text")
            request.options.includeExtra = true
            let gemini = try Self.json(try await client.chat(request).completion.extraJSON)
            #expect(gemini?["safetyRatings"] != nil && gemini?["groundingMetadata"] != nil)
            request.model = "groq-text"
            let groq = try Self.json(try await client.chat(request).completion.extraJSON)
            #expect(groq?["executed_tools"] != nil)
            request.model = "anthropic-text"
            let claude = try Self.json(try await client.chat(request).completion.extraJSON)
            #expect((claude?["usage"] as? [String: Any])?["service_tier"] as? String == "standard")

            // A model's section may forbid it, also for names that are not configured.
            for model in ["closed"] {
                var request = user("Hello", model: model)
                request.options.extraJSON = "{}"
                await #expect { try await client.chat(request) } throws: { ($0 as? ClientError)?.code == 7 }
            }
        }
    }

    @Test func mediaGoBothWays() async throws {
        try await Self.with { client, stack in
            let image = Part.image(Image(mimeType: "image/png", source: .data([1, 2, 3])))
            var request = user("Hear", model: "openai-images")
            request.messages[0].parts = [.audio(Audio(mimeType: "audio/wav", source: .data([1, 2, 3])))]
            let streamed = await collect(client.streamChat(request))
            #expect(streamed.text == "Look" && streamed.parts == [image] && streamed.error == nil)
            let parts = (try await stack.lastRequest()["messages"] as? [[String: Any]])?.first?["content"]
            let sound = (parts as? [[String: Any]])?.last?["input_audio"] as? [String: String]
            #expect(sound == ["data": "AQID", "format": "wav"])

            request.model = "gemini-images"
            let whole = try await client.chat(request).message
            #expect(whole.content == "Look" && whole.parts == [image])
            // A whole answer to a streaming request comes in chunks too.
            let chunks = await collect(client.streamChat(request))
            #expect(chunks.text == "Look" && chunks.parts == [image] && chunks.error == nil)
            let contents = (try await stack.lastRequest()["contents"] as? [[String: Any]])?.first?["parts"]
            let inline = (contents as? [[String: Any]])?.last?["inlineData"] as? [String: String]
            #expect(inline == ["mimeType": "audio/wav", "data": "AQID"])
            // Code 12: Claude takes no sound.
            request.model = "anthropic-text"
            await #expect { try await client.chat(request) } throws: { ($0 as? ClientError)?.code == 12 }
        }
    }

    @Test func toolsOfTheVendorAndTheirSources() async throws {
        try await Self.with { client, stack in
            func ask(_ model: String, _ type: String) async throws -> ([String: Any]?, ChatResponse) {
                var request = user("Search", model: model)
                request.tools = [Tool(builtin: BuiltinTool(type: type))]
                let response = try await client.chat(request)
                return ((try await stack.lastRequest()["tools"] as? [[String: Any]])?.first, response)
            }
            let (claude, cited) = try await ask("anthropic-cited", "web_search_20250305")
            #expect(claude?["name"] as? String == "web_search" && claude?["input_schema"] == nil)
            #expect(
                cited.completion.citations
                    == [Citation(url: "https://w.example", title: "W", quote: "q", start: 3, end: 5)])
            let (gemini, grounded) = try await ask("gemini-text", "google_search")
            #expect(gemini?.keys.sorted() == ["googleSearch"])
            #expect(grounded.completion.citations == [Citation(url: "https://g.example", title: "G", end: 2)])
            #expect(try await ask("groq-text", "browser_search").0?["type"] as? String == "browser_search")
        }
    }

    @Test func theCommandListsTheSources() async throws {
        try await Self.with { client, stack in
            let streamed = await collect(client.streamChat(user("x", model: "openai-cited")))
            #expect(
                streamed.completion?.citations
                    == [Citation(url: "https://a.example", title: "A", start: 5, end: 7)])
            let environment = ["GENWIRE_CONNECT": stack.address]
            let arguments = ["--model", "openai-cited", "chat", "-m", "user:x", "--stream"]
            let sound = stack.folder + "/a.WAV"
            try Data([1, 2, 3]).write(to: URL(fileURLWithPath: sound))
            let heard = ["--model", "openai-text", "chat", "-m", "user:x", "--audio", sound]
            #expect(try await runProgram("genwire", heard, environment: environment).output == "Hi\n")
            let parts = (try await stack.lastRequest()["messages"] as? [[String: Any]])?.first?["content"]
            #expect(((parts as? [[String: Any]])?.last?["input_audio"] as? [String: String])?["format"] == "wav")
            let printed = try await runProgram("genwire", arguments, environment: environment)
            #expect(printed.output == "Ünd so. Yes\n[1] A https://a.example\n", "\(printed.errors)")
            let json = try await runProgram("genwire", arguments + ["--json"], environment: environment).output
            #expect(json.contains(#""citations":[{"document_id":"","url":"https://a.example""#), "\(json)")
        }
    }
}
