import Config
import Generation
import JSON
import Testing

@testable import Providers

/// OpenAI's Responses API, as OpenAI, Azure and compatible servers answer.
@Suite struct ResponsesAnswerTests {
    private static func harness(_ provider: String = "openai/responses") throws -> DialectHarness {
        try DialectHarness(provider, "gpt-5-mini")
    }

    private static func whole(_ output: String, status: String = "completed", more: String = "") -> String {
        #"{"id":"r","model":"m","status":"\#(status)","output":[\#(output)]\#(more)}"#
    }

    private static func text(_ text: String, more: String = "") -> String {
        #"{"type":"message","role":"assistant"\#(more),"content":[{"type":"output_text","text":"\#(text)"}]}"#
    }

    private static let completed = #"{"type":"response.completed","response":{"status":"completed"}}"#

    @Test func aRichStream() throws {
        let outcome = try Self.harness().stream(Streams.responses)
        #expect(outcome.error == nil && outcome.violations.isEmpty, "\(outcome)")
        #expect(outcome.message.content == "Grüße 🎈 é🎈" && outcome.message.reasoning == "hm, ")
        #expect(outcome.message.toolCalls.map(\.id) == ["a", "b"] && outcome.arguments == [#"{"x":"é"}"#, "{}"])
        #expect(outcome.finish == .toolCalls && outcome.completion?.rawFinishReason == "completed")
        #expect(outcome.completion?.id == "resp_1" && outcome.completion?.model == "gpt-x-2026")
        let usage = try #require(outcome.usage)
        #expect(usage.source == .provider && usage.inputTokens == 7 && usage.outputTokens == 5)
        #expect(usage.totalTokens == 12 && usage.cachedInputTokens == 3 && usage.reasoningTokens == 2)
        #expect(usage.cacheWriteInputTokens == 2)
        // The vendor counts characters, the contract bytes.
        #expect(
            outcome.completion?.citations == [Citation(url: "https://example.org/a", title: "A", start: 8, end: 12)])
        #expect(outcome.message.parts == [.image(Image(mimeType: "image/webp", source: .data([1, 2, 3])))])
        #expect(try Self.harness().stream(Streams.responses, reasoning: false).message.reasoning.isEmpty)
    }

    /// A stream gives the same as its items in one piece.
    @Test func aWholeAnswer() throws {
        let items = Streams.responses.split(separator: "\n").compactMap { line -> String? in
            guard line.hasPrefix("data: "), let event = try? JSONValue(parsing: String(line.dropFirst(6))),
                event["type"]?.string == "response.output_item.done"
            else { return nil }
            return event["item"]?.text
        }
        let whole = try Self.harness().whole(Self.whole(items.joined(separator: ",")))
        let stream = try Self.harness().stream(Streams.responses)
        #expect(whole.message == stream.message && whole.completion?.citations == stream.completion?.citations)
    }

    @Test(arguments: [
        ("completed", "", FinishReason.stop, "completed"), ("complete", "", .stop, "complete"),
        ("incomplete", #","incomplete_details":{"reason":"max_output_tokens"}"#, .length, "max_output_tokens"),
        ("incomplete", #","incomplete_details":{"reason":"content_filter"}"#, .contentFilter, "content_filter"),
        ("incomplete", #","incomplete_details":{"reason":"new"}"#, .other, "new"),
        ("cancelled", "", .other, "cancelled"), ("in_progress", "", .other, "in_progress"),
    ])
    func endsOfAnswers(_ status: String, _ more: String, _ reason: FinishReason, _ raw: String) throws {
        let outcome = try Self.harness().whole(Self.whole(Self.text("x"), status: status, more: more))
        #expect(outcome.finish == reason && outcome.completion?.rawFinishReason == raw)
        let response = Self.whole("", status: status, more: more)
        let events = [
            #"{"type":"response.output_text.delta","output_index":0,"delta":"x"}"#,
            #"{"type":"response.\#(status == "complete" ? "completed" : "incomplete")","response":\#(response)}"#,
        ]
        let stream = try Self.harness().stream(events: events)
        #expect(stream.finish == reason && stream.message.content == "x")
        // A call in an answer that is not complete keeps the answer's reason.
        let call = #"{"type":"function_call","call_id":"c","name":"f","arguments":"{}"}"#
        let called = try Self.harness().whole(Self.whole(call, status: status, more: more))
        #expect(called.finish == (reason == .stop ? .toolCalls : reason))
    }

    @Test func aTruncatedCallIsLeftOut() throws {
        let call = #"{"type":"function_call","call_id":"c","name":"f","status":"incomplete","arguments":"{\"x"}"#
        let more = #","incomplete_details":{"reason":"max_output_tokens"}"#
        let outcome = try Self.harness().whole(Self.whole(call, status: "incomplete", more: more))
        #expect(outcome.message.toolCalls.isEmpty && outcome.finish == .length)
        #expect(outcome.completion?.warnings.count == 1)
    }

    @Test func refusals() throws {
        let item = #"{"type":"message","content":[{"type":"refusal","refusal":"no"}]}"#
        let whole = try Self.harness().whole(Self.whole(item))
        #expect(whole.finish == .refusal && whole.message.content == "no")
        let stream = try Self.harness().stream(events: [
            #"{"type":"response.refusal.delta","output_index":0,"delta":"no"}"#, Self.completed,
        ])
        #expect(stream.finish == .refusal && stream.message.content == "no")
    }

    @Test(arguments: [
        (#"{"type":"response.failed","response":{"status":"failed","error":{"code":"CODE","message":"m"}}}"#),
        (#"{"type":"error","code":"CODE","message":"m","param":null}"#),
        (#"{"type":"error","error":{"type":"","code":"CODE","message":"m"}}"#),
    ])
    func errorsInsideStreams(_ event: String) throws {
        let kinds: [(code: String, kind: GenerationError.Kind)] = [
            ("rate_limit_exceeded", .rateLimit), ("context_length_exceeded", .contextLength),
            ("server_error", .providerUnavailable), ("insufficient_quota", .quotaExhausted),
            ("model_not_found", .unknownModel), ("invalid_prompt", .invalidRequest),
        ]
        for (code, kind) in kinds {
            let outcome = try Self.harness().stream(events: [
                #"{"type":"response.output_text.delta","output_index":0,"delta":"x"}"#,
                event.replacing("CODE", with: code), Self.completed,
            ])
            #expect(outcome.error?.kind == kind && outcome.error?.message == "m", "\(code): \(outcome)")
            #expect(outcome.error?.providerCode == code && outcome.message.content == "x")
        }
    }

    @Test func aFailedAnswer() throws {
        let failed = Self.whole("", status: "failed", more: #","error":{"code":"server_error","message":"m"}"#)
        #expect(try Self.harness().whole(failed).error?.kind == .providerUnavailable)
        #expect(try Self.harness().whole(Self.whole("", status: "failed")).error != nil)
        #expect(try Self.harness().whole("{}").error?.kind == .badProviderResponse)
    }

    @Test func aStreamWithoutItsEndIsInterrupted() throws {
        let delta = #"{"type":"response.output_text.delta","output_index":0,"delta":"x"}"#
        #expect(try Self.harness().stream(events: [delta, "[DONE]"]).error?.kind == .streamInterrupted)
        #expect(try Self.harness().stream(events: ["[DONE]"]).error?.kind == .badProviderResponse)
    }

    /// Servers leave out deltas, announcements, indexes, or everything but the end.
    @Test func streamsThatLeaveThingsOut() throws {
        let message = Self.text("x")
        let call = #"{"type":"function_call","call_id":"c","name":"f","arguments":"{\"a\":1}"}"#
        let variants = [
            [
                #"{"type":"response.output_item.done","output_index":0,"item":\#(message)}"#,
                #"{"type":"response.output_item.done","output_index":1,"item":\#(call)}"#, Self.completed,
            ],
            [
                #"{"type":"response.output_item.added","item":{"type":"message"}}"#,
                #"{"type":"response.output_text.delta","delta":"x"}"#,
                #"{"type":"response.output_item.done","item":\#(message)}"#,
                #"{"type":"response.output_item.added","item":{"type":"function_call","call_id":"c","name":"f"}}"#,
                #"{"type":"response.function_call_arguments.delta","delta":"{\"a\":"}"#,
                #"{"type":"response.function_call_arguments.delta","delta":"1}"}"#, Self.completed,
            ],
            [#"{"type":"response.completed","response":\#(Self.whole(message + "," + call))}"#],
        ]
        for events in variants {
            let outcome = try Self.harness().stream(events: events)
            #expect(outcome.message.content == "x" && outcome.arguments == [#"{"a":1}"#], "\(outcome)")
            #expect(outcome.finish == .toolCalls && outcome.error == nil && outcome.violations.isEmpty)
        }
    }

    @Test func reasoningIsTheSummaryElseTheWords() throws {
        let both = #"{"type":"reasoning","summary":[{"text":"s1"},{"text":"s2"}],"content":[{"text":"raw"}]}"#
        #expect(try Self.harness().whole(Self.whole(both)).message.reasoning == "s1s2")
        let raw = #"{"type":"reasoning","summary":[],"content":[{"text":"raw"}]}"#
        #expect(try Self.harness().whole(Self.whole(raw)).message.reasoning == "raw")
        let stream = try Self.harness().stream(events: [
            #"{"type":"response.output_item.added","output_index":0,"item":{"type":"reasoning"}}"#,
            #"{"type":"response.reasoning_text.delta","output_index":0,"delta":"ra"}"#,
            #"{"type":"response.reasoning_text.delta","output_index":0,"delta":"w"}"#,
            #"{"type":"response.output_item.done","output_index":0,"item":\#(raw)}"#, Self.completed,
        ])
        #expect(stream.message.reasoning == "raw")
    }

    /// What the contract has no name for is delivered on request, and never in place of what it has.
    @Test func furtherFields() throws {
        let message =
            #"{"type":"message","content":[{"type":"output_text","text":"x","logprobs":[{"token":"x"}],"annotations":[{"type":"new"}]}]}"#
        let items = message + #",{"type":"web_search_call","id":"a"},{"type":"web_search_call","id":"b"}"#
        let body = Self.whole(items, more: #","service_tier":"flex","temperature":1,"moderation":null"#)
        let outcome = try Self.harness().whole(body, extra: true)
        let extra = try JSONValue(parsing: try #require(outcome.completion).extraJSON)
        let expected: JSONValue = [
            "logprobs": [["token": "x"]],
            "output": [["type": "web_search_call", "id": "a"], ["type": "web_search_call", "id": "b"]],
            "service_tier": "flex",
        ]
        #expect(extra == expected, "\(extra.text)")
        #expect(outcome.completion?.warnings.count == 1)
        #expect(try Self.harness().whole(body).completion?.extraJSON == "")
    }
}
