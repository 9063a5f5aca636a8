import Foundation
import Generation
import Testing

@testable import GenwireClient
@testable import GenwireCommands
@testable import Messages

/// The output of `--json`. MessagesTests checks that it has every field of the contract; these tests check the rest.
@Suite struct JSONFormsTests {
    private let forms = JSONForms()

    private func parse(_ text: String) throws -> [String: Any] {
        #expect(!text.contains("\n"))
        return try #require(try JSONSerialization.jsonObject(with: Data(text.utf8)) as? [String: Any], "\(text)")
    }

    private static let completion: AnswerTrailer = {
        var completion = AnswerTrailer()
        completion.id = "i"
        completion.finishReason = .toolCalls
        completion.usage.inputTokens = 1 << 60
        completion.usage.source = .estimated
        completion.timing.queueMicroseconds = 1
        completion.timing.authMicroseconds = 2
        completion.cache.hit = true
        completion.cache.key = "ab"
        completion.attempts = [Attempt(model: "m", provider: "p", status: 429, error: "e", durationMicroseconds: 3)]
        return completion
    }()

    @Test func aGeneratedAnswer() throws {
        let message = Message(role: .assistant, content: "say \"hi\"\n\u{0}\u{1F600}")
        let object = try parse(forms.generated(ChatResponse(message: message, completion: Self.completion)))
        #expect(object["text"] as? String == "say \"hi\"\n\u{0}\u{1F600}")
        #expect(object["finish_reason"] as? String == "FINISH_TOOL_CALLS")
        let usage = try #require(object["usage"] as? [String: Any])
        // 64-bit integers are numbers, not strings.
        #expect(usage["input_tokens"] as? Int == 1 << 60)
        #expect(usage["source"] as? String == "ESTIMATED")
        let timing = try #require(object["timing"] as? [String: Int])
        #expect(
            timing == [
                "queue_us": 1, "auth_us": 2, "connect_us": 0, "first_token_us": 0, "total_us": 0, "gateway_us": 0,
            ])
        #expect((object["cache"] as? [String: Any])?["key"] as? String == "ab")
        #expect((object["attempts"] as? [[String: Any]])?.first?["status"] as? Int == 429)
        #expect((object["warnings"] as? [String]) == [])
    }

    @Test func aChatAnswerHasItsMessageAndTheShorthands() throws {
        let message = Message(
            role: .assistant, content: "c",
            toolCalls: [ToolCall(id: "i", name: "f", argumentsJSON: "{\"a\":1}", providerState: [1, 2, 255])],
            reasoning: "r", providerState: [7])
        let response = ChatResponse(message: message, completion: Self.completion)
        let object = try parse(forms.chat(response))
        #expect(object["text"] as? String == "c")
        #expect(object["reasoning"] as? String == "r")
        let told = try #require(object["message"] as? [String: Any])
        #expect(told["role"] as? String == "ROLE_ASSISTANT")
        #expect(told["content"] as? String == "c")
        #expect(told["provider_state"] as? String == Data([7]).base64EncodedString())
        let call = try #require((object["tool_calls"] as? [[String: Any]])?.first)
        #expect(call["arguments_json"] as? String == "{\"a\":1}")
        #expect(call["provider_state"] as? String == Data([1, 2, 255]).base64EncodedString())
        #expect((told["tool_calls"] as? [[String: String]])?.first == call as? [String: String])

        let plain = try parse(
            forms.chat(ChatResponse(message: Message(role: .assistant, content: ""), completion: AnswerTrailer())))
        #expect(plain["text"] as? String == "")
        #expect(plain["reasoning"] == nil && plain["tool_calls"] == nil && plain["cache"] == nil)
    }

    @Test func chunks() throws {
        let text = try parse(forms.chunk(StreamedChunk(seq: 3, content: .event(.text("x")))))
        #expect(text as NSDictionary == ["seq": 3, "text": "x"])
        let delta = ToolCallDelta(index: 0, id: "i", name: "f", argumentsJSONDelta: "{")
        let call = try parse(forms.chunk(StreamedChunk(seq: 4, content: .event(.toolCall(delta)))))
        #expect((call["tool_call"] as? [String: Any])?["index"] as? Int == 0)
        let end = try parse(forms.chunk(StreamedChunk(seq: 5, content: .completed(Self.completion, chunkCount: 5))))
        let completed = try #require(end["completed"] as? [String: Any])
        #expect(completed["chunk_count"] as? Int == 5)
        #expect((completed["timing"] as? [String: Int])?["queue_us"] == 1)
        #expect(completed["cache"] != nil)
    }

    @Test func errors() throws {
        var detail = GenerationError(.rateLimit, "slow down")
        detail.retryAfterMilliseconds = 1500
        detail.attempts = Self.completion.attempts
        detail.timeoutPhase = .firstToken
        let failed = try parse(forms.error(ClientError(code: 8, message: "slow down", detail: detail)))
        let error = try #require(failed["error"] as? [String: Any])
        #expect(error["kind"] as? String == "RATE_LIMIT")
        #expect(error["code"] as? Int == 8)
        #expect(error["message"] as? String == "slow down")
        #expect(error["retryable"] as? Bool == true)
        #expect(error["retry_after_ms"] as? Int == 1500)
        #expect(error["timeout_phase"] as? String == "first_token")
        #expect((error["attempts"] as? [[String: Any]])?.first?["error"] as? String == "e")

        let lost = try parse(forms.error(ClientError(code: 14, message: "gone")))
        #expect(lost["error"] as? NSDictionary == ["code": 14, "message": "gone", "kind": ""])
    }

    @Test func reports() throws {
        let health = HealthReport(status: .serving, version: "1", uptimeSeconds: 2.5)
        let object = try parse(forms.object { $0.describe(health, to: &$1) })
        #expect(object["uptime_seconds"] as? Double == 2.5)
        #expect((object["providers"] as? [Any])?.isEmpty == true)

        let report = AuthReport(
            model: "m", provider: "p", isValid: false, status: .failed, detail: "d", lastError: "l")
        let results = try parse(forms.object { $0.describe([report], to: &$1) })
        let result = try #require((results["results"] as? [[String: Any]])?.first)
        #expect(result["valid"] as? Bool == false)
        #expect(result["last_error"] as? String == "l")
        #expect(result["expires_in_seconds"] as? Int == 0)

        var list = ModelList()
        list.models = [.init(name: "n", provider: "p", modelName: "v", capabilities: ["chat"], isDefault: true)]
        list.providers = [.init(name: "p", capabilities: [])]
        let models = try parse(forms.object { $0.describe(list, to: &$1) })
        #expect((models["models"] as? [[String: Any]])?.first?["default"] as? Bool == true)
        #expect((models["routes"] as? [Any])?.isEmpty == true)
        #expect((models["providers"] as? [[String: Any]])?.first?["name"] as? String == "p")

        var row = UsageReport()
        row.averageLatencySeconds = 0.25
        row.requests = 4
        let usage = try parse(forms.object { $0.describe([row], to: &$1) })
        let told = try #require((usage["rows"] as? [[String: Any]])?.first)
        #expect(told["requests"] as? Int == 4)
        #expect(told["average_latency_seconds"] as? Double == 0.25)
    }
}
