import Foundation
import Generation
import GenwireClient
import TestSupport
import Testing

/// Upstreams that echo the key they received, in every field of a response.
@Suite struct EchoTests {
    /// The key of `RecordingTests.section`.
    private static let key = "sk-planted-secret-0123456789"

    /// A vendor's response, unary and streamed.
    private struct Echo {
        let provider: String
        /// The name of its section, if not the provider's.
        var section: String?
        let whole: String
        let events: [String]
    }

    private static let echoes = [
        Echo(
            provider: "openai", section: "responses",
            whole:
                #"{"id":"KEY","model":"KEY","status":"KEY","incomplete_details":{"reason":"KEY"},"output":[{"id":"KEY","type":"reasoning","summary":[{"text":"KEY"}],"encrypted_content":"KEY"},{"type":"new","KEY":"KEY"},{"type":"message","phase":"KEY","content":[{"type":"output_text","text":"a KEY","annotations":[{"type":"url_citation","url":"KEY","title":"KEY"}]},{"type":"refusal","refusal":"KEY"}]},{"type":"function_call","call_id":"KEY","name":"KEY","arguments":"{\"x\":\"KEY\"}"}]}"#,
            events: [
                #"{"type":"response.created","response":{"id":"KEY","model":"KEY"}}"#,
                #"{"type":"response.output_item.added","output_index":0,"item":{"type":"reasoning"}}"#,
                #"{"type":"response.reasoning_summary_text.delta","output_index":0,"delta":"KEY"}"#,
                #"{"type":"response.output_item.done","output_index":0,"item":{"id":"KEY","type":"reasoning","encrypted_content":"KEY"}}"#,
                #"{"type":"response.output_item.done","output_index":1,"item":{"type":"new","KEY":"KEY"}}"#,
                #"{"type":"response.output_text.delta","output_index":2,"delta":"a sk-planted-se"}"#,
                #"{"type":"response.output_text.delta","output_index":2,"delta":"cret-0123456789"}"#,
                #"{"type":"response.output_item.done","output_index":2,"item":{"type":"message","phase":"KEY","content":[{"type":"output_text","text":"a KEY","annotations":[{"type":"url_citation","url":"KEY","title":"KEY"}]}]}}"#,
                #"{"type":"response.output_item.added","output_index":3,"item":{"type":"function_call","call_id":"KEY","name":"KEY"}}"#,
                #"{"type":"response.function_call_arguments.delta","output_index":3,"delta":"{\"x\":\"sk-plant"}"#,
                #"{"type":"response.function_call_arguments.delta","output_index":3,"delta":"ed-secret-0123456789\"}"}"#,
                #"{"type":"response.incomplete","response":{"status":"KEY","incomplete_details":{"reason":"KEY"},"KEY":"KEY"}}"#,
            ]),
        Echo(
            provider: "openai",
            whole:
                #"{"id":"KEY","model":"KEY","choices":[{"message":{"content":"a KEY","reasoning":"KEY","refusal":"no KEY","tool_calls":[{"id":"KEY","function":{"name":"KEY","arguments":"{\"x\":\"KEY\"}"}}]},"finish_reason":"KEY"}]}"#,
            events: [
                #"{"id":"KEY","model":"KEY","choices":[{"delta":{"content":"a KEY","reasoning":"KEY"}}]}"#,
                #"{"choices":[{"delta":{"content":"b sk-planted-se"}}]}"#,
                #"{"choices":[{"delta":{"content":"cret-0123456789"}}]}"#,
                #"{"choices":[{"delta":{"refusal":"KEY","tool_calls":[{"index":0,"id":"KEY","function":{"name":"KEY","arguments":"{\"x\":\"sk-plant"}}]}}]}"#,
                #"{"choices":[{"delta":{"tool_calls":[{"index":0,"function":{"arguments":"ed-secret-0123456789\"}"}}]}}]}"#,
                #"{"choices":[{"delta":{"content":"KE"},"finish_reason":"KEY"}]}"#, "[DONE]",
            ]),
        Echo(
            provider: "anthropic",
            whole:
                #"{"id":"KEY","model":"KEY","content":[{"type":"thinking","thinking":"KEY","signature":"KEY"},{"type":"new","KEY":"KEY"},{"type":"text","text":"a KEY"},{"type":"tool_use","id":"KEY","name":"KEY","input":{"KEY":"KEY"}},{"type":"text","text":"b"}],"stop_reason":"refusal","stop_details":{"category":"KEY","explanation":"KEY"}}"#,
            events: [
                #"{"type":"message_start","message":{"id":"KEY","model":"KEY"}}"#,
                #"{"type":"content_block_start","index":0,"content_block":{"type":"thinking","thinking":"KEY","signature":"KEY"}}"#,
                #"{"type":"content_block_stop","index":0}"#,
                #"{"type":"content_block_start","index":1,"content_block":{"type":"new","KEY":"KEY"}}"#,
                #"{"type":"content_block_start","index":2,"content_block":{"type":"text","text":"a KEY"}}"#,
                #"{"type":"content_block_start","index":3,"content_block":{"type":"tool_use","id":"KEY","name":"KEY","input":{"KEY":"KEY"}}}"#,
                #"{"type":"message_delta","delta":{"stop_reason":"refusal","stop_details":{"category":"KEY","explanation":"KEY"}}}"#,
                #"{"type":"message_stop"}"#,
            ]),
        Echo(
            provider: "gemini",
            whole:
                #"{"responseId":"KEY","modelVersion":"KEY","candidates":[{"content":{"parts":[{"text":"KEY","thought":true,"thoughtSignature":"KEY"},{"text":"a KEY","thoughtSignature":"KEY"},{"functionCall":{"id":"KEY","name":"KEY","args":{"KEY":"KEY"}},"thoughtSignature":"KEY"},{"new":"KEY"}]},"finishReason":"KEY","finishMessage":"KEY"}]}"#,
            events: [
                #"{"responseId":"KEY","modelVersion":"KEY","candidates":[{"content":{"parts":[{"text":"KEY","thought":true,"thoughtSignature":"KEY"},{"text":"a KEY","thoughtSignature":"KEY"}]}}]}"#,
                #"{"candidates":[{"content":{"parts":[{"functionCall":{"id":"KEY","name":"KEY","args":{"KEY":"KEY"}},"thoughtSignature":"KEY"},{"new":"KEY"}]}}]}"#,
                #"{"candidates":[{"content":{"parts":[{"functionCall":{"name":"f","partialArgs":[{"jsonPath":"$.a","stringValue":"sk-planted-s"},{"jsonPath":"$.a","stringValue":"ecret-0123456789"}]}}]}}]}"#,
                #"{"candidates":[{"finishReason":"KEY","finishMessage":"KEY"}]}"#,
            ]),
    ]

    /// Custom headers, with the forms in which an upstream may echo their secrets; each secret contains `planted`.
    private static let headers: [(line: String, forms: [String])] = [
        (
            #"Authorization: "Bearer planted-key-0123456789""#,
            ["planted-key-0123456789", "Bearer planted-key-0123456789"]
        ),
        (
            #"Authorization: "Basic dXNlcjpwbGFudGVkLXBhc3N3b3Jk""#,
            ["dXNlcjpwbGFudGVkLXBhc3N3b3Jk", "Basic dXNlcjpwbGFudGVkLXBhc3N3b3Jk", "planted-password"]
        ),
        (#"Cookie: "session=planted-session-key; x=1""#, ["planted-session-key", "session=planted-session-key; x=1"]),
        (#"X-Auth-Token: "Bearer planted-token-key""#, ["planted-token-key", "Bearer planted-token-key"]),
    ]

    private static let errors = [
        #"{"error":{"message":"wrong: KEY","code":"KEY","type":"KEY"}}"#,
        #"{"error":{"code":400,"message":"wrong: KEY","status":"KEY","details":[{"reason":"KEY"}]}}"#,
        #"{"promptFeedback":{"blockReason":"KEY","blockReasonMessage":"wrong: KEY"}}"#, "<p>wrong: KEY</p>",
    ]

    /// A step of the simulator's script.
    private static func step(_ status: Int = 200, body: String? = nil, events: [String] = []) -> [String: Any] {
        let names = ["x-request-id", "request-id", "apim-request-id", "x-goog-request-id", "location", "x-other"]
        var step: [String: Any] = [
            "status": status, "headers": Dictionary(uniqueKeysWithValues: names.map { ($0, "https://h/?k=\(key)") }),
        ]
        func planted(_ text: String) -> String { text.replacing("KEY", with: key) }
        if let body { step["body"] = planted(body) }
        if !events.isEmpty { step["events"] = events.map(planted) }
        return step
    }

    /// Runs `body` with a vendor that responds with `steps`, one per request.
    private static func withVendor(
        _ steps: [[String: Any]], _ body: (GenwireClient, Stack) async throws -> Void
    ) async throws {
        try await withTemporaryFolder { folder in
            let script = folder + "/script.json"
            try JSONSerialization.data(withJSONObject: steps).write(to: URL(fileURLWithPath: script))
            try await Stack.with(
                simulator: ["--script", script],
                configuration: { upstream, folder in
                    var text = "server: {listen: [\"unix:\(folder)/g.sock\"]}\nretry: {max_attempts: 1}\nmodels:\n"
                    for echo in echoes {
                        let model = echo.provider == "anthropic" ? "claude-sonnet-4-5" : "m"
                        text += RecordingTests.section(
                            echo.section ?? echo.provider, echo.provider, model, upstream,
                            more: echo.section == "responses" ? ", api: responses" : "")
                    }
                    for (index, header) in headers.enumerated() {
                        text += RecordingTests.section("headers\(index)", "openai", "m", upstream)
                            .replacing("api_key:", with: "extra_headers: {\(header.line)}, api_key:")
                    }
                    return text
                }
            ) { stack in
                let client = try await GenwireClient.connect(to: stack.address)
                try await body(client, stack)
                await client.close()
            }
        }
    }

    private static func request(_ echo: Echo) -> ChatRequest {
        var request = user("x", model: echo.section ?? echo.provider)
        request.options.reasoning.include = true
        return request
    }

    /// Everything that a value says, bytes as text.
    private static func said(_ value: some Any, _ message: Message?, _ completion: AnswerTrailer?) -> String {
        let states =
            (message?.toolCalls.map(\.providerState) ?? []) + [
                message?.providerState ?? [], completion?.providerState ?? [],
            ]
        return "\(value)" + states.map { String(decoding: $0, as: UTF8.self) }.joined(separator: " ")
    }

    @Test func aKeyNeverComesBackInAnAnswer() async throws {
        let steps = Self.echoes.flatMap { [Self.step(body: $0.whole), Self.step(events: $0.events)] }
        try await Self.withVendor(steps) { client, _ in
            for echo in Self.echoes {
                let answer = try await client.chat(Self.request(echo))
                let said = Self.said(answer, answer.message, answer.completion)
                #expect(!said.contains("planted-secret"), "\(echo.provider): \(said)")
                // The response is complete, except for the key.
                #expect(answer.message.content.hasPrefix("a <secret>"), "\(echo.provider): \(said)")
                #expect(answer.message.toolCalls.count == 1 && answer.completion.providerRequestID.contains("<secret>"))
                let stream = await collect(client.streamChat(Self.request(echo)))
                let streamed =
                    Self.said(stream, nil, stream.completion)
                    + stream.toolCalls.map { String(decoding: $0.providerState, as: UTF8.self) }.joined()
                #expect(stream.completion != nil && stream.error == nil, "\(echo.provider): \(streamed)")
                #expect(!streamed.contains("planted-secret"), "\(echo.provider): \(streamed)")
                #expect(stream.text.hasPrefix("a <secret>"), "\(echo.provider): \(streamed)")
            }
        }
    }

    @Test func aKeyNeverComesBackInAnError() async throws {
        var steps: [[String: Any]] = []
        for body in Self.errors {
            for status in [400, 302, 200] { steps += [Self.step(status, body: body), Self.step(status, body: body)] }
        }
        let errorEvents = [#"{"choices":[{"delta":{"content":"a"}}]}"#, Self.errors[0]]
        let nonsense = [#"{"choices":[{"delta":{"content":"a"}}]}"#, "KEY KEY"]
        steps += [Self.step(events: errorEvents), Self.step(events: nonsense)]
        try await Self.withVendor(steps) { client, stack in
            for (index, step) in steps.enumerated() {
                var said = ""
                let isStream = index % 2 == 1 || index >= steps.count - 2
                if isStream {
                    let result = await collect(client.streamChat(user("x", model: "openai")))
                    #expect(result.completion == nil, "\(step)")
                    said = "\(result)"
                } else {
                    do {
                        _ = try await client.chat(user("x", model: "openai"))
                        Issue.record("it must fail: \(step)")
                    } catch { said = "\(error) \(String(describing: (error as? ClientError)?.detail))" }
                }
                #expect(!said.contains("planted-secret"), "\(said)")
            }
            #expect(!stack.daemon.log.contains("planted-secret"))
        }
    }

    @Test func noHeaderComesBackInAnyForm() async throws {
        let answer = #"{"id":"FORM","choices":[{"message":{"content":"a FORM"},"finish_reason":"stop"}]}"#
        let error = #"{"error":{"message":"wrong: FORM","code":"FORM"}}"#
        let forms = Self.headers.flatMap(\.forms)
        let steps = forms.flatMap { form in
            [answer, error].enumerated().map {
                Self.step($0.offset == 0 ? 200 : 400, body: $0.element.replacing("FORM", with: form))
            }
        }
        try await Self.withVendor(steps) { client, stack in
            for (index, header) in Self.headers.enumerated() {
                for form in header.forms {
                    let answer = try await client.chat(user("x", model: "headers\(index)"))
                    #expect(answer.message.content == "a <secret>", "\(form)")
                    #expect(answer.completion.id == "<secret>", "\(form)")
                    let error = await #expect(throws: (any Error).self) {
                        _ = try await client.chat(user("x", model: "headers\(index)"))
                    }
                    let said = "\(String(describing: error)) \(String(describing: (error as? ClientError)?.detail))"
                    #expect(said.contains("wrong: <secret>") && !said.contains(form), "\(said)")
                }
            }
            for form in forms { #expect(!stack.daemon.log.contains(form)) }
        }
    }

    /// The text received before a stream breaks off is delivered, except for the secret in it.
    @Test(arguments: [("a sk-plant", "a sk-plant"), ("a sk-planted-se", "a <secret>")])
    func aBrokenStreamDeliversWhatArrived(_ sent: String, _ text: String) async throws {
        let event = #"{"choices":[{"delta":{"content":"\#(sent)"}}]}"#
        try await Self.withVendor([Self.step(events: [event])]) { client, _ in
            let stream = await collect(client.streamChat(user("x", model: "openai")))
            #expect(stream.text == text && stream.completion == nil)
            #expect(stream.error?.detail?.kind == .streamInterrupted, "\(stream)")
        }
    }

    @Test func aKeyNeverComesBackFromAQuestion() async throws {
        let steps = Self.errors.flatMap { body in [Self.step(401, body: body), Self.step(200, body: body)] }
        try await Self.withVendor(steps) { client, _ in
            for _ in Self.errors {
                // The vendors count tokens for Claude and Gemini; Gemini's credential is checked the same way.
                for model in ["gemini", "anthropic"] {
                    do {
                        _ = try await client.countTokens("x", model: model)
                        Issue.record("it must fail")
                    } catch { #expect(!"\(error)".contains("planted-secret"), "\(error)") }
                }
            }
            let reports = try await client.validateAuth()
            #expect(!"\(reports)".contains("planted-secret"), "\(reports)")
        }
    }
}
