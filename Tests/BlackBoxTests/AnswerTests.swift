import Foundation
import Generation
import GenwireClient
import Messages
import TestSupport
import Testing

/// Collects a stream: its concatenated chunks, and how it ended.
struct Collected {
    var text = ""
    var reasoning = ""
    var toolCalls: [ToolCall] = []
    var parts: [Part] = []
    var completion: AnswerTrailer?
    var chunkCount: UInt64 = 0
    var pieces = 0
    var error: ClientError?
}

func collect(_ stream: AnswerStream) async -> Collected {
    var result = Collected()
    var builder = MessageBuilder()
    do {
        for try await chunk in stream {
            switch chunk.content {
            case .event(let event):
                builder.add(event)
                result.pieces += 1
            case .completed(let completion, let count):
                result.completion = completion
                result.chunkCount = count
            }
        }
    } catch {
        result.error = error
    }
    result.text = builder.message.content
    result.reasoning = builder.message.reasoning
    result.toolCalls = builder.message.toolCalls
    result.parts = builder.message.parts
    return result
}

func user(_ text: String, model: String = "") -> ChatRequest {
    ChatRequest(model: model, messages: [Message(role: .user, content: text)])
}

/// What a user expects of a healthy vendor, through the real daemon.
@Suite struct AnswerTests {
    private static let weather = Tool(
        name: "get_weather", description: "The weather",
        parametersJSON: #"{"type":"object","properties":{"city":{"type":"string"}},"required":["city"]}"#)

    @Test func everyKindOfAnswer() async throws {
        try await Stack.with(
            configuration: Stack.configuration([
                "thinker": "o3-mini", "deep": "deepseek-r1", "declines": "gpt-refuse", "dynamic-base": "gpt-4o",
            ])
        ) { stack in
            let client = try await GenwireClient.connect(to: stack.address)

            let generated = try await client.generate("Hello there", system: "Be brief")
            #expect(generated.message.content.hasPrefix("You asked: Hello there"))
            #expect(generated.completion.finishReason == .stop)
            #expect(generated.completion.usage.source == .provider)
            #expect(generated.completion.attempts.count == 1)
            #expect(!generated.completion.providerRequestID.isEmpty)

            let streamed = await collect(client.streamChat(user("Stream\u{0} this, \"quoted\" 🦊")))
            #expect(streamed.error == nil)
            #expect(streamed.text.hasPrefix("You asked: Stream\u{0} this, \"quoted\" 🦊"))
            #expect(streamed.completion?.finishReason == .stop)
            #expect(streamed.completion?.usage.source == .provider)
            #expect(streamed.chunkCount == UInt64(streamed.pieces))
            #expect(streamed.pieces > 5)

            // A tool conversation over two turns.
            var request = user("What is the weather in Paris?")
            request.tools = [Self.weather]
            request.toolChoice = .named("get_weather")
            let call = await collect(client.streamChat(request))
            #expect(call.completion?.finishReason == .toolCalls)
            #expect(call.toolCalls.count == 1)
            let first = try #require(call.toolCalls.first)
            #expect(first.name == "get_weather" && first.argumentsJSON == #"{"city":"Paris"}"# && !first.id.isEmpty)
            request.toolChoice = nil
            request.messages.append(Message(role: .assistant, toolCalls: call.toolCalls))
            request.messages.append(Message(role: .tool, content: "18 degrees", toolCallID: first.id))
            let answer = try await client.chat(request)
            #expect(answer.message.content == "The tool says: 18 degrees")

            // Schema, image, reasoning, refusal and length limit.
            var structured = user("Give me a city as json")
            structured.options.responseFormat = .jsonSchema(
                schema: #"{"type":"object","properties":{"n":{"type":"integer"}}}"#, name: "city", strict: true)
            #expect(try await client.chat(structured).message.content == #"{"n":7}"#)
            var picture = user("Look")
            picture.messages[0].parts = [.image(Image(mimeType: "image/png", source: .data([1, 2, 3, 4])))]
            #expect(try await client.chat(picture).message.content.contains("sent 1 image"))
            let sent = try await stack.lastRequest()
            #expect("\(sent)".contains("data:image/png;base64,AQIDBA=="))

            let plain = await collect(client.streamChat(user("Think", model: "deep")))
            #expect(plain.reasoning.isEmpty && !plain.text.isEmpty)
            var thinking = user("Think", model: "deep")
            thinking.options.reasoning.include = true
            #expect(await collect(client.streamChat(thinking)).reasoning.contains("wants an answer"))
            #expect(try await client.chat(thinking).message.reasoning.contains("wants an answer"))
            #expect(try await client.chat(user("x", model: "thinker")).completion.usage.reasoningTokens > 0)

            let refusal = try await client.chat(user("x", model: "declines"))
            #expect(refusal.completion.finishReason == .refusal && refusal.message.content.hasPrefix("I'm sorry"))
            var short = user("Tell me a long story about a fox that jumps")
            short.options.maxTokens = 3
            let cut = try await client.chat(short)
            #expect(cut.completion.finishReason == .length && cut.completion.rawFinishReason == "length")

            // provider/model_name, without an entry in `models`.
            #expect(try await client.chat(user("x", model: "openai/gpt-9")).completion.model == "gpt-9")

            // The RPCs without generation.
            #expect(try await client.health().status == .serving)
            #expect(try await client.health(deep: true).providers.allSatisfy { $0.status == .healthy })
            #expect(try await client.validateAuth().allSatisfy(\.isValid))
            #expect(try await client.listModels().models.first { $0.isDefault }?.modelName == "gpt-4o-mini")
            #expect(try await client.countTokens(String(repeating: "a", count: 40)) == (10, .estimated))
            #expect(try await client.usage().reduce(0) { $0 + $1.successfulRequests } >= 10)
            #expect(try await client.hello().features.contains("cancel"))
            await client.close()
        }
    }

    @Test func wrongRequestsAreRefusedBeforeTheyCostAnything() async throws {
        try await Stack.with { stack in
            let client = try await GenwireClient.connect(to: stack.address)
            func code(_ request: ChatRequest) async -> Int32? {
                do {
                    _ = try await client.chat(request)
                    return nil
                } catch { return error.code }
            }
            #expect(await code(ChatRequest(messages: [])) == 3)
            #expect(await code(user("x", model: "nobody")) == 5)
            #expect(await code(user("x", model: "nobody/else")) == 5)
            var hot = user("x")
            hot.options.temperature = 9
            #expect(await code(hot) == 3)
            hot.options.temperature = .nan
            #expect(await code(hot) == 3)
            var tools = user("x")
            tools.tools = [Tool(name: "t", parametersJSON: "{not json")]
            #expect(await code(tools) == 3)
            tools.tools = [Tool(name: "t"), Tool(name: "t")]
            #expect(await code(tools) == 3)
            var topK = user("x")
            topK.options.reasoning.budgetTokens = 5
            #expect(await code(topK) == 12)
            topK.options.dropUnsupported = true
            #expect(try await client.chat(topK).completion.warnings.count == 1)
            // The vendor rejects what passes the gateway's own checks.
            var orphan = user("x")
            orphan.messages.append(Message(role: .tool, content: "y", toolCallID: "none"))
            #expect(await code(orphan) == 3)
            #expect(try await stack.statistic("requests") == 2)
            await client.close()
        }
    }

    @Test func manyCallersAtOnce() async throws {
        try await Stack.with { stack in
            let client = try await GenwireClient.connect(to: stack.address)
            let other = try await GenwireClient.connect(to: stack.address)
            try await withThrowingTaskGroup(of: Bool.self) { group in
                for number in 0..<200 {
                    let chosen = number % 2 == 0 ? client : other
                    group.addTask {
                        if number % 3 == 0 {
                            return try await chosen.chat(user("number \(number)")).message.content.contains(
                                "number \(number)")
                        }
                        let streamed = await collect(chosen.streamChat(user("number \(number)")))
                        return streamed.error == nil && streamed.text.contains("number \(number)")
                    }
                }
                for try await isRight in group { #expect(isRight) }
            }
            await client.close()
            await other.close()
        }
    }
}
