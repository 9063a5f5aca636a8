import Foundation
import Generation
import GenwireClient
import Messages
import TestSupport
import Testing

/// Every provider through one daemon and one socket, against a simulated vendor as strict as the real ones.
@Suite struct ProviderTests {
    private static let providers = [
        "vertex", "anthropic_vertex", "openai", "azure_openai", "groq", "anthropic", "gemini",
    ]
    /// Per provider, a plain model and a thinking model that requires its thoughts in later turns.
    private static let models: [String: (plain: String, thinking: String)] = [
        "vertex": ("gemini-2.5-flash", "gemini-3-pro-preview"),
        "anthropic_vertex": ("claude-sonnet-4-6", "claude-opus-4-6"),
        "openai": ("gpt-4o-mini", "gpt-5-mini"), "azure_openai": ("gpt-4o", "gpt-5-mini"),
        "groq": ("llama-3.3-70b-versatile", "openai/gpt-oss-120b"),
        "anthropic": ("claude-sonnet-4-5", "claude-opus-4-6"), "gemini": ("gemini-2.5-flash", "gemini-3-pro-preview"),
    ]
    private static let weather = Tool(
        name: "get_weather", description: "The weather in a city",
        parametersJSON: #"{"type":"object","properties":{"city":{"type":"string"}},"required":["city"]}"#)
    private static let time = Tool(name: "current_clock", description: "The time")

    private static func configuration(_ more: [(name: String, provider: String, model: String)] = [])
        -> @Sendable (String, String) -> String
    {
        { upstream, folder in
            var text = "server: {listen: [\"unix:\(folder)/g.sock\"]}\nretry: {max_attempts: 1}\nmodels:\n"
            for provider in providers {
                let names = models[provider] ?? ("", "")
                text += RecordingTests.section(provider, provider, names.plain, upstream)
                text += RecordingTests.section(provider + "-thinking", provider, names.thinking, upstream)
            }
            for (name, provider, model) in more {
                text += RecordingTests.section(name, provider, model, upstream)
            }
            return text
        }
    }

    private static func withProviders(
        _ more: [(name: String, provider: String, model: String)] = [],
        _ body: (GenwireClient, Stack) async throws -> Void
    ) async throws {
        try await Stack.with(configuration: configuration(more)) { stack in
            let client = try await GenwireClient.connect(to: stack.address)
            try await body(client, stack)
            await client.close()
        }
    }

    private func answer(_ client: GenwireClient, _ request: ChatRequest, streams: Bool) async throws -> ChatResponse {
        guard streams else { return try await client.chat(request) }
        var builder = MessageBuilder()
        for try await chunk in client.streamChat(request) {
            switch chunk.content {
            case .event(let event): builder.add(event)
            case .completed(let completion, _):
                return ChatResponse(message: builder.finish(completion), completion: completion)
            }
        }
        throw StackError("the stream ended without its end")
    }

    @Test func everyProviderAnswersThroughOneSocket() async throws {
        try await Self.withProviders { client, _ in
            for provider in Self.providers {
                for streams in [false, true] {
                    var request = user("How are sockets made?", model: provider)
                    request.messages.insert(Message(role: .system, content: "You are brief."), at: 0)
                    request.options.maxTokens = 200
                    request.options.temperature = 0.5
                    request.options.stop = ["never-said"]
                    let response = try await answer(client, request, streams: streams)
                    #expect(response.message.content.hasPrefix("You asked: How are sockets made?"), "\(provider)")
                    #expect(response.completion.provider == provider)
                    #expect(response.completion.finishReason == .stop, "\(provider)")
                    #expect(response.completion.usage.source == .provider, "\(provider)")
                    #expect(response.completion.usage.outputTokens > 0, "\(provider)")
                    #expect(!response.completion.id.isEmpty && !response.completion.rawFinishReason.isEmpty)
                }
                var short = user("Tell me a long story", model: provider)
                short.options.maxTokens = 3
                #expect(try await client.chat(short).completion.finishReason == .length, "\(provider)")
            }
        }
    }

    /// Two parallel calls, their results, another question: each turn goes back in the form that the vendor requires.
    @Test(arguments: providers) func toolConversationsOverSeveralTurns(_ provider: String) async throws {
        try await Self.withProviders { client, _ in
            for model in [provider, provider + "-thinking"] {
                for streams in [false, true] {
                    var request = ChatRequest(
                        model: model,
                        messages: [
                            Message(role: .system, content: "Use tools."),
                            Message(role: .user, content: "What is the weather in Paris, and the clock?"),
                        ], tools: [Self.weather, Self.time])
                    request.options.reasoning.include = true
                    if model.hasSuffix("thinking") { request.options.reasoning.effort = "low" }
                    let first = try await answer(client, request, streams: streams)
                    let calls = first.message.toolCalls
                    #expect(calls.map(\.name) == ["get_weather", "current_clock"], "\(model)")
                    #expect(Set(calls.map(\.id)).count == 2 && !calls.contains { $0.id.isEmpty }, "\(model)")
                    #expect(calls.first?.argumentsJSON.contains("Paris") == true, "\(model)")
                    #expect(first.completion.finishReason == .toolCalls, "\(model)")
                    guard calls.count == 2 else { continue }
                    request.messages.append(first.message)
                    // In reverse order, and one of them not an object.
                    request.messages.append(Message(role: .tool, content: "12:30", toolCallID: calls[1].id))
                    request.messages.append(
                        Message(role: .tool, content: #"{"degrees":21}"#, toolCallID: calls[0].id))
                    let second = try await answer(client, request, streams: streams)
                    #expect(
                        second.message.content.contains("21") && second.message.content.contains("12:30"), "\(model)")
                    request.messages.append(second.message)
                    request.messages.append(Message(role: .user, content: "Once more, the weather in Rome?"))
                    let third = try await answer(client, request, streams: streams)
                    #expect(third.message.toolCalls.map(\.name) == ["get_weather"], "\(model)")
                }
            }
        }
    }

    @Test func toolChoicesOfEveryProvider() async throws {
        try await Self.withProviders { client, _ in
            for provider in Self.providers {
                var request = user("Hello there", model: provider)
                request.tools = [Self.weather, Self.time]
                #expect(try await client.chat(request).message.toolCalls.isEmpty, "\(provider)")
                request.toolChoice = .required
                #expect(try await client.chat(request).message.toolCalls.count == 1, "\(provider)")
                request.toolChoice = .named("current_clock")
                let named = try await client.chat(request).message.toolCalls
                #expect(named.map(\.name) == ["current_clock"] && named.first?.argumentsJSON == "{}", "\(provider)")
                request.toolChoice = ToolChoice.none
                request.messages[0].content = "the weather"
                #expect(try await client.chat(request).message.toolCalls.isEmpty, "\(provider)")
            }
        }
    }

    @Test func jsonAndImages() async throws {
        let schema =
            #"{"type":"object","properties":{"city":{"type":"string"},"n":{"type":"integer"}},"required":["city"],"additionalProperties":false}"#
        try await Self.withProviders { client, stack in
            for provider in Self.providers {
                var request = user("Answer in json: which city is Paris?", model: provider)
                request.options.responseFormat = .jsonSchema(schema: schema, name: "place", strict: nil)
                let answer = try await client.chat(request).message.content
                let object = try JSONSerialization.jsonObject(with: Data(answer.utf8)) as? [String: Any]
                #expect(object?["city"] is String, "\(provider)")

                request.options.responseFormat = .jsonObject
                if provider.hasPrefix("anthropic") {
                    // It has no such mode: the system message asks for it, and a warning says so.
                    #expect(try await client.chat(request).completion.warnings.count == 1)
                    #expect((try await stack.lastRequest()["system"] as? String)?.contains("JSON object") == true)
                } else {
                    let text = try await client.chat(request).message.content
                    #expect(try JSONSerialization.jsonObject(with: Data(text.utf8)) is [String: Any], "\(provider)")
                }

                var picture = user("What is this?", model: provider)
                picture.messages[0].parts = [
                    .image(Image(mimeType: "image/png", source: .data([1, 2, 3]))),
                    .image(Image(mimeType: "", source: .url("https://example.com/cat.png"))),
                ]
                if provider == "anthropic_vertex" {
                    // The daemon fetches it itself, but not from its own machine.
                    picture.messages[0].parts[1] = .image(Image(mimeType: "", source: .url("http://127.0.0.1:9/c.png")))
                    await #expect { try await client.chat(picture) } throws: { ($0 as? ClientError)?.code == 3 }
                    picture.messages[0].parts[1] = picture.messages[0].parts[0]
                }
                #expect(try await client.chat(picture).message.content.contains("2 images"), "\(provider)")
            }
        }
    }

    private static func isModelsOwn(_ word: String, _ provider: String) -> Bool {
        ["vertex", "gemini"].contains(provider) && word.hasSuffix("_penalty")
    }

    @Test func whatAProviderCannotDoIsRefusedOrDropped() async throws {
        try await Self.withProviders { client, stack in
            let models = try await client.listModels()
            for provider in Self.providers {
                let words = models.models.first { $0.name == provider }?.capabilities ?? []
                #expect(words.contains("tools") && words.contains("json_schema"), "\(provider)")
                var requests: [String: ChatRequest] = [:]
                for word in ["top_k", "seed", "presence_penalty", "frequency_penalty", "user", "reasoning_budget"] {
                    var request = user("x", model: provider)
                    switch word {
                    case "top_k": request.options.topK = 4
                    case "seed": request.options.seed = 4
                    case "presence_penalty": request.options.presencePenalty = 0.5
                    case "frequency_penalty": request.options.frequencyPenalty = 0.5
                    case "user": request.options.user = "u"
                    default: request.options.reasoning.budgetTokens = 2000
                    }
                    requests[word] = request
                }
                for (word, request) in requests {
                    if words.contains(word) {
                        let warnings = try await client.chat(request).completion.warnings
                        #expect(warnings.isEmpty, "\(provider) \(word)")
                        continue
                    }
                    do {
                        _ = try await client.chat(request)
                        Issue.record("\(provider) must refuse \(word)")
                    } catch let error as ClientError {
                        // What only some models refuse is for the vendor to say.
                        let isVendors = Self.isModelsOwn(word, provider) && error.detail?.httpStatus == 400
                        #expect(isVendors || error.code == 12, "\(provider) \(word)")
                        #expect(isVendors || error.detail?.kind == .unsupported, "\(provider) \(word)")
                    }
                    var allowed = request
                    allowed.options.dropUnsupported = true
                    let warnings = try await client.chat(allowed).completion.warnings
                    #expect(warnings.count == 1, "\(provider) \(word)")
                }
            }
        }
    }

    @Test func countingTokens() async throws {
        try await Self.withProviders { client, _ in
            let text = String(repeating: "word ", count: 80)
            for provider in Self.providers {
                let (count, source) = try await client.countTokens(text, model: provider)
                let counts = ["vertex", "gemini", "anthropic", "anthropic_vertex"].contains(provider)
                #expect(source == (counts ? .provider : .estimated), "\(provider)")
                #expect((90...110).contains(count), "\(provider): \(count)")
            }
        }
    }

    @Test func blockedAndRefused() async throws {
        let more = [
            ("declines", "anthropic_vertex", "claude-refuse-4-5"), ("broken", "vertex", "gemini-2.5-malformed"),
        ]
        try await Self.withProviders(more.map { (name: $0.0, provider: $0.1, model: $0.2) }) { client, _ in
            for model in ["vertex", "gemini", "azure_openai"] {
                for streams in [false, true] {
                    do {
                        _ = try await answer(client, user("a blocked prompt", model: model), streams: streams)
                        Issue.record("\(model) must refuse")
                    } catch let error as ClientError {
                        #expect(error.code == 9 && error.detail?.kind == .contentFiltered, "\(model)")
                    }
                }
            }
            for streams in [false, true] {
                let blocked = try await answer(client, user("a blocked answer", model: "vertex"), streams: streams)
                #expect(blocked.completion.finishReason == .contentFilter)
                #expect(blocked.completion.rawFinishReason == "SAFETY")
                let refused = try await answer(client, user("x", model: "declines"), streams: streams)
                #expect(refused.completion.finishReason == .refusal && refused.completion.warnings.count == 1)
                let broken = try await answer(client, user("x", model: "broken"), streams: streams)
                #expect(broken.completion.finishReason == .other)
                #expect(broken.completion.rawFinishReason == "MALFORMED_FUNCTION_CALL")
            }
        }
    }

    /// Each fault ends in the same kind of error for every vendor.
    @Test func faultsOfEveryVendor() async throws {
        let faults: [(fault: String, kinds: [GenerationError.Kind], streams: Bool)] = [
            ("status=401", [.authentication], false), ("status=403", [.permission], false),
            ("status=404", [.unknownModel], false), ("status=429", [.rateLimit], false),
            ("status=503", [.overloaded], false), ("html", [.providerUnavailable], false),
            ("garbage", [.badProviderResponse], false), ("empty-200", [.badProviderResponse], false),
            ("error-200", [.providerUnavailable], false), ("cut-after=4", [.streamInterrupted], true),
            ("no-done", [.streamInterrupted], true), ("garbage-event", [.badProviderResponse], true),
            ("error-event", [.overloaded, .providerUnavailable, .contentFiltered, .invalidRequest], true),
            ("empty-200", [.badProviderResponse], true), ("html-200", [.badProviderResponse], true),
        ]
        var more: [(name: String, provider: String, model: String)] = []
        for provider in Self.providers {
            for (index, fault) in faults.enumerated() {
                more.append(("\(provider)-\(index)", provider, "\(Self.models[provider]?.plain ?? "")#\(fault.fault)"))
            }
        }
        try await Self.withProviders(more) { client, _ in
            for provider in Self.providers {
                for (index, fault) in faults.enumerated() {
                    let what = "\(provider) \(fault.fault)"
                    do {
                        _ = try await answer(
                            client, user("x", model: "\(provider)-\(index)"), streams: fault.streams)
                        Issue.record("\(what) must fail")
                    } catch let error as ClientError {
                        let kind = error.detail?.kind
                        #expect(fault.kinds.contains { $0 == kind }, "\(what): \(error)")
                        #expect(error.detail?.provider == provider, "\(what)")
                        if kind == .rateLimit { #expect((error.detail?.retryAfterMilliseconds ?? 0) > 0, "\(what)") }
                    }
                }
            }
        }
    }

    /// A conversation that moves between vendors leaves out what only the previous vendor understands.
    @Test func aConversationMovesBetweenProviders() async throws {
        try await Self.withProviders { client, _ in
            var messages = [Message(role: .user, content: "What is the weather in Paris?")]
            for provider in ["anthropic-thinking", "openai", "vertex", "anthropic_vertex", "groq"] {
                var request = ChatRequest(model: provider, messages: messages, tools: [Self.weather])
                if provider.hasSuffix("thinking") { request.options.reasoning.effort = "high" }
                let response = try await client.chat(request)
                messages.append(response.message)
                for call in response.message.toolCalls {
                    messages.append(Message(role: .tool, content: "21 degrees", toolCallID: call.id))
                }
                if response.message.toolCalls.isEmpty {
                    messages.append(Message(role: .user, content: "And the weather in Rome?"))
                }
            }
            #expect(messages.count >= 10)
        }
    }

    /// Arguments that arrive value by value and redacted thoughts both survive a conversation.
    @Test func partialArgumentsAndRedactedThoughts() async throws {
        try await Stack.with(
            configuration: { upstream, folder in
                """
                server: {listen: ["unix:\(folder)/g.sock"]}
                models:
                  pieces:
                    provider: vertex
                    config:
                      model_name: gemini-3-pro-preview
                      api_base: \(upstream)
                      api_key: k-0123456789
                      project_id: p
                      region: global
                      extra_body: {toolConfig: {functionCallingConfig: {streamFunctionCallArguments: true}}}
                  redacted: {provider: anthropic_vertex, config: {model_name: claude-redacted-4-6, api_base: "\(upstream)", api_key: k-0123456789, project_id: p}}
                """
            }
        ) { stack in
            let client = try await GenwireClient.connect(to: stack.address)
            for model in ["pieces", "redacted"] {
                var request = user("What is the weather in Reykjavik?", model: model)
                request.tools = [Self.weather]
                request.options.reasoning.effort = "low"
                let pieces = await collect(client.streamChat(request)).pieces
                #expect(pieces > 3, "\(model): \(pieces)")
                let first = try await answer(client, request, streams: true)
                #expect(first.message.toolCalls.map(\.argumentsJSON) == [#"{"city":"Reykjavik"}"#], "\(model)")
                request.messages += [
                    first.message,
                    Message(role: .tool, content: "cold", toolCallID: first.message.toolCalls.first?.id ?? ""),
                ]
                let second = try await answer(client, request, streams: true)
                #expect(second.message.content.contains("cold"), "\(model)")
                // It goes without their state too: Gemini takes a substitute, and adaptive thinking asks for nothing.
                request.messages[1].providerState = []
                request.messages[1].toolCalls[0].providerState = []
                #expect(try await client.chat(request).message.content.contains("cold"), "\(model)")
            }
            await client.close()
        }
    }

    @Test func extraBodyIsAMergePatchAndSafetySettingsGoAlong() async throws {
        try await Stack.with(
            configuration: { upstream, folder in
                """
                server: {listen: ["unix:\(folder)/g.sock"]}
                generation:
                  provider: vertex
                  config:
                    model_name: gemini-2.5-flash
                    api_base: \(upstream)
                    api_key: k-0123456789
                    project_id: p
                    region: global
                    temperature: 0.3
                    safety_settings: [{category: HARM_CATEGORY_HARASSMENT, threshold: BLOCK_NONE}]
                    extra_body: {generationConfig: {candidateCount: 1, temperature: null}, labels: {team: a}}
                """
            }
        ) { stack in
            let client = try await GenwireClient.connect(to: stack.address)
            var request = user("x")
            request.options.maxTokens = 50
            _ = try await client.chat(request)
            let sent = try await stack.lastRequest()
            let config = sent["generationConfig"] as? [String: Any]
            #expect(config?["candidateCount"] as? Int == 1 && config?["maxOutputTokens"] as? Int == 50)
            #expect(config?["temperature"] == nil)
            #expect((sent["safetySettings"] as? [[String: String]])?.first?["threshold"] == "BLOCK_NONE")
            #expect((sent["labels"] as? [String: String]) == ["team": "a"])
            await client.close()
        }
    }
}
