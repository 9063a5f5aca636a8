import Foundation
import Generation
import GenwireClient
import Messages
import TestSupport
import Testing

/// OpenAI's Responses API through the real daemon, against a vendor that is as strict as the real one.
@Suite struct ResponsesTests {
    private static let weather = Tool(
        name: "get_weather", description: "The weather in a city",
        parametersJSON: #"{"type":"object","properties":{"city":{"type":"string"}},"required":["city"]}"#)
    private static let time = Tool(name: "current_clock", description: "The time")
    private static let providers = ["openai", "azure_openai"]

    /// For each provider a plain model, a reasoning one, and one for each of `faults`.
    private static func withModels(
        _ faults: [String] = [], _ body: (GenwireClient, Stack) async throws -> Void
    ) async throws {
        try await Stack.with(
            configuration: { upstream, folder in
                var text = "server: {listen: [\"unix:\(folder)/g.sock\"]}\nretry: {max_attempts: 1}\nmodels:\n"
                let models = [("plain", "gpt-4o"), ("reasoning", "gpt-5-mini"), ("refusing", "gpt-4o-refuse")]
                for provider in providers {
                    for (name, model) in models + faults.enumerated().map({ ("fault\($0)", "gpt-4o#\($1)") }) {
                        text += RecordingTests.section(
                            "\(provider)-\(name)", provider, model, upstream, more: ", api: responses")
                    }
                    text += RecordingTests.section("\(provider)-auto", provider, "gpt-5.6", upstream)
                }
                return text
            }
        ) { stack in
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

    /// Parallel calls, their results and a further question, with reasoning that goes back encrypted.
    @Test(arguments: providers, [false, true])
    func toolConversations(_ provider: String, _ streams: Bool) async throws {
        try await Self.withModels { client, stack in
            for model in ["plain", "reasoning", "auto"].map({ "\(provider)-\($0)" }) {
                var request = ChatRequest(
                    model: model,
                    messages: [
                        Message(role: .system, content: "Use tools."),
                        Message(role: .user, content: "What is the weather in Paris, and the clock?"),
                    ], tools: [Self.weather, Self.time])
                request.options.reasoning.include = true
                let first = try await answer(client, request, streams: streams)
                let calls = first.message.toolCalls
                #expect(calls.map(\.name) == ["get_weather", "current_clock"], "\(model)")
                #expect(first.completion.finishReason == .toolCalls && first.completion.usage.source == .provider)
                #expect(first.message.reasoning.isEmpty == model.hasSuffix("plain"), "\(model)")
                #expect(try await stack.lastRequest()["input"] != nil, "\(model)")
                guard calls.count == 2 else { continue }
                request.messages.append(first.message)
                request.messages.append(Message(role: .tool, content: "12:30", toolCallID: calls[1].id))
                request.messages.append(Message(role: .tool, content: #"{"degrees":21}"#, toolCallID: calls[0].id))
                let second = try await answer(client, request, streams: streams)
                #expect(second.message.content.contains("21") && second.message.content.contains("12:30"), "\(model)")
                let sent = try await stack.lastRequest()["input"] as? [[String: Any]] ?? []
                #expect(sent.contains { $0["type"] as? String == "reasoning" } != model.hasSuffix("plain"), "\(model)")
            }
        }
    }

    @Test func answersOfEveryKind() async throws {
        try await Self.withModels { client, _ in
            for provider in Self.providers {
                for streams in [false, true] {
                    var request = user("Grüße aus Köln", model: "\(provider)-plain")
                    request.tools = [Tool(builtin: BuiltinTool(type: "web_search"))]
                    let cited = try await answer(client, request, streams: streams)
                    let citation = try #require(cited.completion.citations.first)
                    #expect(citation.url.hasPrefix("https://example.org/") && citation.start < citation.end)
                    #expect(citation.end == cited.message.content.utf8.count)
                    request = user("Which city?", model: "\(provider)-plain")
                    request.options.responseFormat = .jsonSchema(
                        schema: Self.weather.parametersJSON, name: "city", strict: nil)
                    let json = try await answer(client, request, streams: streams)
                    #expect(json.message.content.contains(#""city""#))
                    request = user("Tell me a long story, please", model: "\(provider)-plain")
                    request.options.maxTokens = 16
                    let long = try await answer(client, request, streams: streams)
                    #expect(long.completion.finishReason == .length)
                    #expect(long.completion.rawFinishReason == "max_output_tokens")
                    let refused = try await answer(
                        client, user("x", model: "\(provider)-refusing"), streams: streams)
                    #expect(refused.completion.finishReason == .refusal && !refused.message.content.isEmpty)
                }
                var picture = user("What is this?", model: "\(provider)-plain")
                picture.messages[0].parts = [.image(Image(mimeType: "image/png", source: .data([1, 2, 3])))]
                #expect(try await client.chat(picture).message.content.contains("1 image"))
                let counted = try await client.countTokens("Hello there", model: "\(provider)-plain")
                #expect(counted.1 == .provider && counted.0 > 0)
            }
        }
    }

    @Test func faultsOfTheVendor() async throws {
        let faults = ["error-event", "no-done", "cut-after=4", "garbage-event", "status=429", "error-200"]
        try await Self.withModels(faults) { client, _ in
            for provider in Self.providers {
                for (index, fault) in faults.enumerated() {
                    let request = user("Hello", model: "\(provider)-fault\(index)")
                    let stream = await collect(client.streamChat(request))
                    #expect(stream.completion == nil && stream.error != nil, "\(fault)")
                }
                var wrong = user("Hello", model: "\(provider)-reasoning")
                wrong.options.temperature = 0.5
                let refused = await collect(client.streamChat(wrong))
                #expect(refused.error?.message.contains("temperature") == true)
            }
        }
    }
}
