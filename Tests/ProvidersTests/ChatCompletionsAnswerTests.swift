import Config
import Generation
import JSON
import Testing

@testable import Providers

/// Chat completions responses of OpenAI, Azure, Groq and compatible servers.
@Suite struct ChatCompletionsAnswerTests {
    private static func harness(_ provider: String = "openai") throws -> DialectHarness { try DialectHarness(provider) }

    private static func chunk(_ delta: String, finish: String = "null") -> String {
        #"{"id":"c","model":"m","choices":[{"index":0,"delta":\#(delta),"finish_reason":\#(finish)}]}"#
    }

    @Test func aRichStream() throws {
        let outcome = try Self.harness("azure_openai").stream(Streams.openAI)
        #expect(outcome.message.content == "Grüße 🎈 é🎈\n" && outcome.message.reasoning == "hm, ")
        #expect(outcome.message.toolCalls.map(\.id) == ["a", "b"] && outcome.arguments == [#"{"x":"é"}"#, "{}"])
        // The vendor's own finish reason is kept, but calls take precedence.
        #expect(outcome.finish == .toolCalls && outcome.completion?.rawFinishReason == "stop")
        #expect(outcome.completion?.id == "c1" && outcome.completion?.model == "gpt-x")
        let usage = try #require(outcome.usage)
        #expect(usage.source == .provider && usage.inputTokens == 7 && usage.outputTokens == 5)
        #expect(usage.totalTokens == 12 && usage.cachedInputTokens == 3 && usage.reasoningTokens == 2)
        #expect(try Self.harness().stream(Streams.openAI, reasoning: false).message.reasoning.isEmpty)
    }

    /// Mistral's content is a list of thoughts and texts; OpenRouter has the reasoning in a list of its own.
    @Test(arguments: [
        #""content":[{"type":"thinking","thinking":[{"type":"text","text":"hm, "},{"type":"text","text":"so"}],"closed":true},{"type":"text","text":"Hi"}]"#,
        #""content":[{"type":"thinking","thinking":"hm, so"},{"type":"text","text":"Hi"}]"#,
        #""content":"Hi","reasoning_details":[{"type":"reasoning.text","text":"hm, "},{"type":"reasoning.summary","summary":"so"},{"type":"reasoning.encrypted","data":"eA=="}]"#,
        #""content":"Hi","reasoning":"hm, so","reasoning_details":[{"type":"reasoning.text","text":"hm, so"}]"#,
    ])
    func reasoningInLists(_ content: String) throws {
        let whole = #"{"choices":[{"message":{\#(content)},"finish_reason":"stop"}]}"#
        let events = [Self.chunk("{\(content)}"), Self.chunk("{}", finish: #""stop""#), "[DONE]"]
        for outcome in [try Self.harness().whole(whole), try Self.harness().stream(events: events)] {
            #expect(outcome.message.reasoning == "hm, so" && outcome.message.content == "Hi", "\(outcome)")
        }
        let quiet = try Self.harness().whole(whole, reasoning: false)
        #expect(quiet.message.reasoning.isEmpty && quiet.message.content == "Hi")
    }

    @Test func cacheHitsAsDeepSeekCountsThem() throws {
        func cached(_ usage: String) throws -> Int? {
            try Self.harness().whole(
                #"{"choices":[{"message":{"content":"x"},"finish_reason":"stop"}],"usage":{"prompt_tokens":9,"completion_tokens":1,\#(usage)}}"#
            ).usage?.cachedInputTokens
        }
        #expect(try cached(#""prompt_cache_hit_tokens":6,"prompt_cache_miss_tokens":3"#) == 6)
        #expect(try cached(#""prompt_cache_hit_tokens":6,"prompt_tokens_details":{"cached_tokens":5}"#) == 5)
    }

    @Test func missingUsageIsNotZero() throws {
        let outcome = try Self.harness().stream(events: [Self.chunk(#"{"content":"x"}"#, finish: #""stop""#), "[DONE]"])
        #expect(outcome.usage?.source == .absent && outcome.finish == .stop)
    }

    @Test func usageIsTakenFromTheLastPlaceThatHasIt() throws {
        let events = [
            Self.chunk(#"{"content":"x"}"#),
            #"{"id":"c","choices":[{"index":0,"delta":{},"finish_reason":"stop"}],"x_groq":{"id":"r","usage":{"prompt_tokens":4,"completion_tokens":6}},"usage":{"prompt_tokens":4,"completion_tokens":6,"total_tokens":10}}"#,
            "[DONE]",
        ]
        let usage = try #require(try Self.harness("groq").stream(events: events).usage)
        #expect(usage.inputTokens == 4 && usage.outputTokens == 6 && usage.totalTokens == 10)
    }

    @Test func hugeNegativeAndFractionalUsage() throws {
        let huge = 9_223_372_036_854_775_807
        let body = #"{"choices":[{"message":{"content":"x"},"finish_reason":"stop"}],"usage":\#("{}")}"#
        for usage in [
            #"{"prompt_tokens":\#(huge),"completion_tokens":\#(huge)}"#,
            #"{"prompt_tokens":-5,"completion_tokens":-5,"total_tokens":-10,"prompt_tokens_details":{"cached_tokens":-1}}"#,
            #"{"prompt_tokens":1e30,"completion_tokens":2}"#, #"{"prompt_tokens":1.5,"completion_tokens":2}"#,
        ] {
            let text = body.replacing(#""usage":{}"#, with: #""usage":\#(usage)"#)
            let found = try #require(try Self.harness().whole(text).usage)
            for number in [found.inputTokens, found.outputTokens, found.totalTokens, found.cachedInputTokens] {
                #expect(number >= 0 && number <= 2 * Int(Int32.max), "\(usage)")
            }
        }
    }

    @Test func cachedTokensBeyondTheInputAreNotSubtracted() throws {
        let text =
            #"{"choices":[{"message":{"content":"x"},"finish_reason":"stop"}],"usage":{"prompt_tokens":7,"completion_tokens":1,"prompt_tokens_details":{"cached_tokens":161}}}"#
        let usage = try #require(try Self.harness().whole(text).usage)
        #expect(usage.inputTokens == 7 && usage.cachedInputTokens == 161)
    }

    @Test func refusalsAndFilters() throws {
        let harness = try Self.harness()
        let refusal = harness.whole(
            #"{"choices":[{"message":{"role":"assistant","content":null,"refusal":"I cannot."},"finish_reason":"stop"}]}"#
        )
        #expect(refusal.finish == .refusal && refusal.message.content == "I cannot.")
        let streamed = harness.stream(events: [
            Self.chunk(#"{"refusal":"I "}"#), Self.chunk(#"{"refusal":"cannot."}"#),
            Self.chunk("{}", finish: #""stop""#),
            "[DONE]",
        ])
        #expect(streamed.finish == .refusal && streamed.message.content == "I cannot.")
        let filtered = harness.whole(#"{"choices":[{"index":0,"finish_reason":"content_filter"}]}"#)
        #expect(filtered.finish == .contentFilter && filtered.error == nil)
    }

    @Test(arguments: [
        ("stop", FinishReason.stop), ("length", .length), ("tool_calls", .toolCalls), ("function_call", .toolCalls),
        ("content_filter", .contentFilter), ("something_new", .other),
    ])
    func finishReasons(_ raw: String, _ expected: FinishReason) throws {
        let outcome = try Self.harness().stream(events: [
            Self.chunk(#"{"content":"x"}"#), Self.chunk("{}", finish: "\"\(raw)\""), "[DONE]",
        ])
        #expect(outcome.finish == expected && outcome.completion?.rawFinishReason == raw)
    }

    @Test(arguments: [
        #"{"choices":[]}"#, "{}", "[]", "null", "3", #""x""#, #"{"choices":null}"#, #"{"choices":[null]}"#,
        #"{"choices":[{"index":0}]}"#, #"{"choices":{"index":0}}"#, "", "<html>",
    ])
    func answersThatAreNone(_ body: String) throws {
        #expect(try Self.harness().whole(body).error?.kind == .badProviderResponse)
    }

    @Test func oddFormsOfCompatibleServers() throws {
        let harness = try Self.harness()
        let plain = harness.whole(
            #"{"id":null,"choices":[{"message":{"role":null,"content":[{"type":"text","text":"a"},{"type":"text","text":"b"}],"tool_calls":[]},"finish_reason":"stop"}],"error":null}"#
        )
        #expect(plain.message.content == "ab" && plain.finish == .stop && plain.completion?.id.isEmpty == false)
        // Objects instead of text, no index, no id, the same id twice.
        let calls = harness.whole(
            #"{"choices":[{"message":{"content":"","tool_calls":[{"function":{"name":"f","arguments":{"a":1}}},{"id":"x","function":{"name":"g","arguments":""}},{"id":"x","index":0,"function":{"name":"h"}}]},"finish_reason":"stop"}]}"#
        )
        #expect(calls.arguments == [#"{"a":1}"#, "{}", "{}"] && calls.finish == .toolCalls)
        #expect(Set(calls.message.toolCalls.map(\.id)).count == 3)
        // Empty error members are not errors.
        for empty in ["null", "{}", #""""#, "false", "[]"] {
            let outcome = harness.whole(
                #"{"error":\#(empty),"choices":[{"message":{"content":"x"},"finish_reason":"stop"}]}"#)
            #expect(outcome.message.content == "x", "error: \(empty)")
        }
    }

    @Test func aStreamedCallWithoutArgumentsHasAnEmptyObject() throws {
        let outcome = try Self.harness().stream(events: [
            Self.chunk(#"{"tool_calls":[{"index":0,"id":"a","function":{"name":"now","arguments":""}}]}"#),
            Self.chunk(#"{"tool_calls":[{"index":1,"id":"b","function":{"name":"then"}}]}"#),
            Self.chunk(#"{"tool_calls":[{"index":2,"id":"c","function":{"name":"f","arguments":"{}"}}]}"#),
            Self.chunk("{}", finish: #""tool_calls""#), "[DONE]",
        ])
        #expect(outcome.arguments == ["{}", "{}", "{}"] && outcome.violations.isEmpty)
    }

    @Test func argumentsThatAreNoJSONAreHandedOn() throws {
        let outcome = try Self.harness().stream(events: [
            Self.chunk(#"{"tool_calls":[{"index":0,"id":"a","function":{"name":"f","arguments":"{\"x\": nope"}}]}"#),
            Self.chunk("{}", finish: #""length""#), "[DONE]",
        ])
        #expect(outcome.arguments == [#"{"x": nope"#] && outcome.completion?.rawFinishReason == "length")
    }

    @Test func errorsInsideStreams() throws {
        let harness = try Self.harness()
        func kind(_ data: String, event: String = "") -> GenerationError.Kind? {
            let head = event.isEmpty ? "" : "event: \(event)\n"
            return harness.stream("data: \(Self.chunk(#"{"content":"x"}"#))\n\n\(head)data: \(data)\n\n").error?.kind
        }
        #expect(kind(#"{"error":{"message":"m","type":"server_error"}}"#) == .providerUnavailable)
        #expect(kind(#"{"error":{"message":"m","code":429}}"#) == .rateLimit)
        #expect(kind(#"{"error":{"message":"m","code":"429"}}"#) == .rateLimit)
        #expect(kind(#"{"error":{"message":"m","code":"401"}}"#) == .authentication)
        #expect(kind(#"{"error":{"message":"m","code":502,"metadata":{}}}"#) == .providerUnavailable)
        #expect(kind(#"{"error":{"code":"content_filter","message":"m"}}"#) == .contentFiltered)
        #expect(kind(#"{"error":"text"}"#) == .providerUnavailable)
        #expect(kind(#"{"message":"text"}"#, event: "error") == .providerUnavailable)
        #expect(kind("upstream connect error", event: "error") == .providerUnavailable)
        #expect(
            kind(
                #"{"error":{"message":"m","type":"invalid_request_error","code":"tool_use_failed","status_code":400}}"#)
                == .invalidRequest)
        #expect(kind(#"{"object":"error","message":"m","code":40303}"#) == .providerUnavailable)
        // An error inside a choice.
        #expect(
            kind(
                #"{"choices":[{"index":0,"delta":{"content":""},"finish_reason":"error","error":{"code":502,"message":"m"}}]}"#
            )
                == .providerUnavailable)
        #expect(
            harness.whole(
                #"{"choices":[{"message":{"content":""},"finish_reason":"error","error":{"code":429,"message":"m"}}]}"#
            ).error?.kind == .rateLimit)
    }

    @Test func groqSaysWhyItStopped() throws {
        let outcome = try Self.harness("groq").stream(events: [
            Self.chunk(#"{"content":"x"}"#),
            #"{"id":"c","choices":[],"x_groq":{"id":"r","error":"over capacity"}}"#, "[DONE]",
        ])
        #expect(outcome.error?.kind == .providerUnavailable && outcome.error?.message == "over capacity")
    }

    /// A bare error over several lines, in the middle of a stream.
    @Test func errorsThatAreNoEvents() throws {
        let text = """
            data: \(Self.chunk(#"{"content":"x"}"#))

            {
              "error": {
                "code": 429,
                "message": "slow {down}",
                "status": "RESOURCE_EXHAUSTED"
              }
            }

            """
        let outcome = try Self.harness().stream(text)
        #expect(outcome.error?.kind == .rateLimit && outcome.error?.message == "slow {down}")
    }

    @Test func endsOfStreams() throws {
        let harness = try Self.harness()
        let text = Self.chunk(#"{"content":"x"}"#)
        #expect(harness.stream("").error?.kind == .badProviderResponse)
        #expect(harness.stream("data: [DONE]\n\n").error == nil)
        #expect(harness.stream(events: [text]).error?.kind == .streamInterrupted)
        #expect(harness.stream(events: [text, "[DONE] "]).error == nil)
        // Everything after the end is ignored.
        #expect(harness.stream(events: [text, "[DONE]", "nonsense", text]).message.content == "x")
        #expect(harness.stream(events: [text, "nonsense"]).error?.kind == .badProviderResponse)
    }
}
