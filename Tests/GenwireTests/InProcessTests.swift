import Foundation
import Generation
import Genwire
import TestSupport
import Testing

/// The in-process API against the simulator, without a daemon.
@Suite struct InProcessTests {
    @Test func theFactoryAndItsModels() async throws {
        #expect(GenerationModelFactory.listProviders().contains("openai"))
        #expect(GenerationModelFactory.isProviderSupported("openai"))
        #expect(!GenerationModelFactory.isProviderSupported("nobody"))
        #expect(throws: GenerationError.self) {
            try GenerationModelFactory.createModel(provider: "nobody", modelName: "x")
        }
        try await Stack.with { stack in
            let model = try GenerationModelFactory.createModel(
                provider: "openai", modelName: "gpt-4o",
                parameters: .init(maxTokens: 100, temperature: 0.5, apiBase: stack.upstream + "/v1", apiKey: "sk-local")
            )
            #expect(try await model.generateContent("in process").hasPrefix("You asked: in process"))
            let sent = try await stack.lastRequest()
            #expect(sent["max_tokens"] as? Int == 100 && sent["temperature"] as? Double == 0.5)
            #expect(try await model.coinToken() == "sk-local")
            #expect(await model.validateAuthentication())
            #expect(await model.authHealthStatus().status == .healthy)
            let answers = await model.batchGenerate(["one", "two", "three"], parallel: 2)
            #expect(try answers.map { try $0.get().split(separator: " ")[2] } == ["one", "two", "three"])

            var text = ""
            for try await event in model.chatCompletionStream([Message(role: .user, content: "streamed")]) {
                if case .text(let piece) = event { text += piece }
            }
            #expect(text.hasPrefix("You asked: streamed"))

            let metrics = GenerationMetrics()
            _ = try await metrics.trackGeneration(model, prompt: "x")
            #expect(metrics.snapshot.successfulRequests == 1 && metrics.snapshot.averageLatency > 0)

            let generator = TemplateGenerator(
                model: model, template: "{context}|{history}|{query}", maxContextTokens: 5)
            let answer = try await generator.generateResponse(
                query: "why {context}?",
                contextDocuments: [
                    Document(content: "short"), Document(content: String(repeating: "long ", count: 20)),
                ],
                conversationHistory: [Message(role: .user, content: "hi")])
            #expect(answer.hasPrefix("You asked: short|user: hi|why {context}?"))
        }
    }

    @Test func leavingAStreamClosesItsUpstream() async throws {
        try await Stack.with { stack in
            let model = try GenerationModelFactory.createModel(
                provider: "openai", modelName: "gpt-4o#stall-after=3",
                parameters: .init(apiBase: stack.upstream + "/v1", apiKey: "k"))
            do {
                for try await _ in model.chatCompletionStream([Message(role: .user, content: "x y z")]) { break }
            }
            let isClosed = try await eventually { try await stack.statistic("cancelled_streams") == 1 }
            #expect(isClosed)

            let silent = try GenerationModelFactory.createModel(
                provider: "openai", modelName: "gpt-4o#never-answer",
                parameters: .init(apiBase: stack.upstream + "/v1", apiKey: "k"))
            let call = Task { try await silent.generateContent("x") }
            let isWaiting = try await eventually { try await stack.statistic("active_streams") == 1 }
            #expect(isWaiting)
            call.cancel()
            await #expect(throws: GenerationError.self) { try await call.value }
            let isFree = try await eventually { try await stack.statistic("active_streams") == 0 }
            #expect(isFree)
        }
    }

    @Test func analyticsKeepTheMeansRight() {
        let analytics = UsageAnalytics()
        analytics.recordUsage(provider: "a", tokens: 10, responseTime: 1, success: true)
        analytics.recordUsage(provider: "a", tokens: 99, responseTime: 9, success: false)
        analytics.recordUsage(provider: "a", tokens: 20, responseTime: 3, success: true)
        #expect(analytics.usage["a"]?.averageResponseTime == 2)
        #expect(analytics.usage["a"]?.tokensUsed == 30)
        #expect(analytics.usageReport().contains("\"requests\":3"))
    }

    @Test func tokensAndPrompts() {
        #expect(estimateTokens("12345678") == 2)
        #expect(fitPrompt("short", maxTokens: 10) == "short")
        #expect(fitPrompt(String(repeating: "word ", count: 100), maxTokens: 25).split(separator: " ").count == 20)
        #expect(fitPrompt("a b c d e f g h", maxTokens: 0) == "")
    }
}
