import Config
import Generation
import JSON
import Testing

@testable import Providers

/// generateContent responses of Vertex AI and the Gemini API.
@Suite struct GeminiAnswerTests {
    private static func harness() throws -> DialectHarness { try DialectHarness("vertex", "gemini-2.5-flash") }

    private static func event(_ parts: String, _ more: String = "") -> String {
        #"{"candidates":[{"content":{"role":"model","parts":\#(parts)}\#(more)}]}"#
    }
    private static let stop = #"{"candidates":[{"finishReason":"STOP"}]}"#

    @Test func aRichStream() throws {
        let outcome = try Self.harness().stream(Streams.gemini)
        #expect(outcome.message.content == "Grüße 🎈" && outcome.message.reasoning == "hm, ")
        #expect(outcome.message.toolCalls.map(\.name) == ["f", "f", "g"])
        #expect(
            outcome.arguments == [
                #"{"x":"é","n":[1,2.5,{"y":null}]}"#, "{}", #"{"a":[{"b":"one two","c":3},false],"d":null}"#,
            ])
        // The vendor reports STOP; the gateway assigns the ids.
        #expect(outcome.finish == .toolCalls && outcome.completion?.rawFinishReason == "STOP")
        #expect(Set(outcome.message.toolCalls.map(\.id)).count == 3)
        #expect(outcome.completion?.id == "r1" && outcome.completion?.model == "gemini-x")
        let usage = try #require(outcome.usage)
        #expect(usage.inputTokens == 7 && usage.outputTokens == 26 && usage.totalTokens == 33)
        #expect(usage.reasoningTokens == 21 && usage.cachedInputTokens == 3 && usage.source == .provider)
    }

    /// Some servers count thoughts among the candidates' tokens; the total tells.
    @Test func thoughtsThatAreCountedAlready() throws {
        let events = [
            Self.event(#"[{"text":"x"}]"#, #","finishReason":"STOP""#),
            #"{"usageMetadata":{"promptTokenCount":7,"candidatesTokenCount":26,"thoughtsTokenCount":21,"totalTokenCount":33}}"#,
        ]
        let usage = try #require(try Self.harness().stream(events: events).usage)
        #expect(usage.outputTokens == 26 && usage.reasoningTokens == 21 && usage.totalTokens == 33)
        // What tools read is in the total only.
        let tools =
            #"{"candidates":[{"content":{"parts":[{"text":"x"}]},"finishReason":"STOP"}],"usageMetadata":{"promptTokenCount":7,"candidatesTokenCount":5,"thoughtsTokenCount":21,"toolUsePromptTokenCount":100,"totalTokenCount":133}}"#
        #expect(try Self.harness().whole(tools).usage?.outputTokens == 26)
        let bare = tools.replacing(#","totalTokenCount":133"#, with: "")
        #expect(try Self.harness().whole(bare).usage?.outputTokens == 26)
    }

    @Test func whatComesBackGoesOutUnchanged() throws {
        let harness = try Self.harness()
        let outcome = harness.stream(Streams.gemini, reasoning: false)
        let calls = outcome.message.toolCalls
        let body = try harness.body(
            ChatRequest(messages: [
                Message(role: .user, content: "hi"), outcome.message,
                // In a different order from the calls.
                Message(role: .tool, content: "three", toolCallID: calls[2].id),
                Message(role: .tool, content: #"{"n":1}"#, toolCallID: calls[0].id),
                Message(role: .tool, content: "[2]", toolCallID: calls[1].id),
            ]))
        let contents = try #require(body["contents"]?.array)
        let expected: JSONValue = [
            ["text": "hm, ", "thought": true], ["text": "Grüße 🎈"],
            [
                "functionCall": ["name": "f", "args": ["x": "é", "n": [1, 2.5, ["y": nil]]]],
                "thoughtSignature": "c2ln",
            ],
            ["functionCall": ["name": "f", "args": .object([])]],
            [
                "functionCall": [
                    "name": "g", "args": ["a": [["b": "one two", "c": 3], false], "d": nil],
                ]
            ], ["text": "", "thoughtSignature": "bGFzdA=="],
        ]
        #expect(contents.count == 3 && contents[1]["role"] == "model")
        #expect(contents[1]["parts"] == expected, "\(contents[1].text)")
        // One content, in the order of the calls, objects only.
        let results: JSONValue = [
            ["functionResponse": ["name": "f", "response": ["n": 1]]],
            ["functionResponse": ["name": "f", "response": ["result": [2]]]],
            ["functionResponse": ["name": "g", "response": ["result": "three"]]],
        ]
        #expect(contents[2]["role"] == "user" && contents[2]["parts"] == results, "\(contents[2].text)")
    }

    @Test func idsOfTheVendorsOwnGoBackToIt() throws {
        let harness = try Self.harness()
        let outcome = harness.stream(events: [
            Self.event(#"[{"functionCall":{"id":"v1","name":"f","args":{}}},{"functionCall":{"id":"v1","name":"g"}}]"#),
            Self.stop,
        ])
        #expect(outcome.message.toolCalls[0].id == "v1" && outcome.message.toolCalls[1].id != "v1")
        let body = try harness.body(
            ChatRequest(messages: [
                outcome.message, Message(role: .tool, content: "x", toolCallID: outcome.message.toolCalls[1].id),
            ]))
        let contents = try #require(body["contents"]?.array)
        #expect(contents[0]["parts"]?[1]?["functionCall"]?["id"] == "v1")
        #expect(contents[1]["parts"]?[0]?["functionResponse"]?["id"] == "v1")
    }

    @Test func aThoughtThatIsACall() throws {
        let outcome = try Self.harness().stream(events: [
            Self.event(#"[{"thought":true,"functionCall":{"name":"f","args":{"a":1}}}]"#), Self.stop,
        ])
        #expect(outcome.arguments == [#"{"a":1}"#] && outcome.message.reasoning.isEmpty)
    }

    @Test(arguments: [
        // No closing piece: the next name, or the end of the stream, closes the call.
        [
            #"{"name":"f","willContinue":true}"#,
            #"{"partialArgs":[{"jsonPath":"$.a","numberValue":1}],"willContinue":true}"#,
        ],
        // The last piece closes the call itself.
        [#"{"name":"f","willContinue":true}"#, #"{"partialArgs":[{"jsonPath":"$.a","numberValue":1}]}"#],
        // All arguments in one piece.
        [#"{"name":"f","partialArgs":[{"jsonPath":"$.a","numberValue":1}]}"#],
        // An empty object means that no arguments have arrived yet.
        [
            #"{"name":"f","args":{},"willContinue":true}"#,
            #"{"partialArgs":[{"jsonPath":"$.a","numberValue":1}],"willContinue":true}"#, "{}",
        ],
        // A piece that only announces its value.
        [
            #"{"name":"f","willContinue":true}"#,
            #"{"partialArgs":[{"jsonPath":"$.a","willContinue":true}],"willContinue":true}"#,
            #"{"partialArgs":[{"jsonPath":"$.a","numberValue":1}],"willContinue":true}"#, "{}",
        ],
    ])
    func argumentsInPieces(_ calls: [String]) throws {
        let pieces = calls.map { Self.event(#"[{"functionCall":\#($0)}]"#) }
        let harness = try Self.harness()
        let alone = harness.stream(events: pieces + [Self.stop])
        #expect(alone.arguments == [#"{"a":1}"#] && alone.violations.isEmpty, "\(alone)")
        let next = Self.event(#"[{"functionCall":{"name":"g","willContinue":true}},{"functionCall":{}}]"#)
        #expect(harness.stream(events: pieces + [next, Self.stop]).arguments == [#"{"a":1}"#, "{}"])
    }

    /// The total of the gaps in a call's arrays is bounded, however small each gap is.
    @Test func gapsAreBoundedTogether() throws {
        func arguments(_ gaps: Int) throws -> Outcome {
            let pieces = (0..<gaps).map { #"{"jsonPath":"$.a[\#(2 * $0 + 1)]","numberValue":1}"# }.joined(
                separator: ",")
            return try Self.harness().stream(events: [
                Self.event(#"[{"functionCall":{"name":"f","partialArgs":[\#(pieces)]}}]"#), Self.stop,
            ])
        }
        #expect(try arguments(64).error == nil)
        #expect(try arguments(65).error?.kind == .badProviderResponse)
    }

    @Test func piecesCannotBlowUpTheirText() throws {
        let pieces = (1...2000).map { #"{"jsonPath":"$.a[\#($0 * 1000)]","numberValue":1}"# }.joined(separator: ",")
        let outcome = try Self.harness().stream(events: [
            Self.event(#"[{"functionCall":{"name":"f","partialArgs":[\#(pieces)]}}]"#), Self.stop,
        ])
        #expect(outcome.error?.kind == .badProviderResponse)
    }

    @Test(arguments: [
        ("STOP", FinishReason.stop), ("MAX_TOKENS", .length), ("SAFETY", .contentFilter),
        ("RECITATION", .contentFilter),
        ("BLOCKLIST", .contentFilter), ("PROHIBITED_CONTENT", .contentFilter), ("SPII", .contentFilter),
        ("MODEL_ARMOR", .contentFilter), ("LANGUAGE", .contentFilter), ("IMAGE_SAFETY", .contentFilter),
        ("MALFORMED_FUNCTION_CALL", .other), ("UNEXPECTED_TOOL_CALL", .other), ("OTHER", .other), ("NEW", .other),
    ])
    func finishReasons(_ raw: String, _ expected: FinishReason) throws {
        let body = #"{"candidates":[{"finishReason":"\#(raw)","finishMessage":"words"}]}"#
        for outcome in [try Self.harness().whole(body), try Self.harness().stream(events: [body])] {
            #expect(outcome.finish == expected && outcome.completion?.rawFinishReason == raw)
            #expect(outcome.completion?.warnings == ["words"] && outcome.message.content.isEmpty)
        }
    }

    @Test func blockedPromptsAndAnswers() throws {
        let harness = try Self.harness()
        let prompt = #"{"promptFeedback":{"blockReason":"MODEL_ARMOR"},"usageMetadata":{"trafficType":"ON_DEMAND"}}"#
        for outcome in [harness.whole(prompt), harness.stream(events: [prompt])] {
            #expect(outcome.error?.kind == .contentFiltered && outcome.error?.providerCode == "MODEL_ARMOR")
        }
        for content in [#""content":{},"#, "", #""content":{"parts":null},"#, #""content":{"role":"model"},"#] {
            let answer = harness.whole(#"{"candidates":[{\#(content)"finishReason":"SAFETY","safetyRatings":[]}]}"#)
            #expect(answer.finish == .contentFilter && answer.error == nil)
        }
    }

    @Test func usageIsASumAndMayBeMissing() throws {
        let harness = try Self.harness()
        let outcome = harness.stream(events: [
            #"{"usageMetadata":{"trafficType":"x"},"candidates":[{"content":{"parts":[{"text":"a"}]}}]}"#,
            #"{"usageMetadata":{"promptTokenCount":5,"candidatesTokenCount":3,"totalTokenCount":8}}"#,
            #"{"usageMetadata":{"promptTokenCount":5,"candidatesTokenCount":9,"toolUsePromptTokenCount":4,"totalTokenCount":18},"candidates":[{"finishReason":"STOP"}]}"#,
            #"{"usageMetadata":{"trafficType":"x"}}"#,
        ])
        // Input of the vendor's own tools counts only in the total.
        #expect(outcome.usage?.inputTokens == 5 && outcome.usage?.outputTokens == 9 && outcome.usage?.totalTokens == 18)
        #expect(harness.stream(events: [Self.event(#"[{"text":"a"}]"#), Self.stop]).usage?.source == .absent)
        let huge = 9_223_372_036_854_775_807
        let hostile = harness.whole(
            #"{"candidates":[{"finishReason":"STOP"}],"usageMetadata":{"promptTokenCount":\#(huge),"candidatesTokenCount":\#(huge),"thoughtsTokenCount":\#(huge)}}"#
        )
        #expect((hostile.usage?.totalTokens ?? 0) > 0)
        let negative = harness.whole(
            #"{"candidates":[{"finishReason":"STOP"}],"usageMetadata":{"promptTokenCount":-1,"thoughtsTokenCount":-7,"cachedContentTokenCount":-2,"totalTokenCount":-9}}"#
        )
        let usage = try #require(negative.usage)
        #expect(
            [usage.inputTokens, usage.outputTokens, usage.reasoningTokens, usage.cachedInputTokens, usage.totalTokens]
                .allSatisfy { $0 == 0 })
    }

    @Test func errorsInsideStreams() throws {
        let harness = try Self.harness()
        let text = Self.event(#"[{"text":"a"}]"#)
        let error = #"{"error":{"code":503,"message":"m {\"x\"}","status":"UNAVAILABLE"}}"#
        #expect(harness.stream(events: [text, error]).error?.kind == .overloaded)
        #expect(harness.stream(events: [text, "[\(error)]"]).error?.kind == .overloaded)
        let pretty = """
            data: \(text)

            {
              "error": {
                "code": 503,
                "message": "m {\\"x\\"}",
                "status": "UNAVAILABLE",
                "details": [
                  {
                    "retryDelay": "34.4s"
                  }
                ]
              }
            }
            """
        for bare in [
            pretty, pretty + "\n", pretty.replacing("\n", with: "\r\n"),
            pretty.replacing("{\n  \"error", with: "[{\n  \"error") + "\n]\n",
        ] {
            let outcome = harness.stream(bare)
            #expect(outcome.error?.kind == .overloaded && outcome.error?.message == #"m {"x"}"#, "\(outcome)")
            #expect(outcome.error?.retryAfterMilliseconds == 34_400 && outcome.message.content == "a")
        }
        // Noise between the lines of a valid stream is skipped.
        let noise = "{\n}\n}}\n[1]\n\"x\n*\n"
        #expect(harness.stream("\(noise)data: \(text)\n\n\(noise)data: \(Self.stop)\n\n").error == nil)
    }

    @Test func manyBareLinesCostLittle() throws {
        let line = "{\"a\": 1,\n}\n"
        let text = String(repeating: line, count: 20_000) + "data: \(Self.stop)\n\n"
        #expect(try Self.harness().stream(text).error == nil)
    }

    @Test func arraysOfEvents() throws {
        let harness = try Self.harness()
        let (one, two) = (Self.event(#"[{"text":"a"}]"#), Self.event(#"[{"text":"b"}]"#))
        let whole = harness.whole("[\(one)\n,\n\(two),\(Self.stop)]")
        #expect(whole.message.content == "ab" && whole.finish == .stop)
        #expect(harness.whole("[\(one),{\"error\":{\"code\":429,\"message\":\"m\"}}]").error?.kind == .rateLimit)
        #expect(harness.whole("[\(one),\(two)]").error?.kind == .streamInterrupted, "no end")
        for body in ["[]", "{}", "null", "[null]", "[[]]", #"{"candidates":[]}"#, #"{"candidates":[{}]}"#] {
            #expect(harness.whole(body).error?.kind == .badProviderResponse, "\(body)")
        }
    }

    @Test func endsOfStreams() throws {
        let harness = try Self.harness()
        let text = Self.event(#"[{"text":"a"}]"#)
        #expect(harness.stream("").error?.kind == .badProviderResponse)
        #expect(harness.stream(events: [text]).error?.kind == .streamInterrupted)
        #expect(
            harness.stream(events: [text, Self.stop, #"{"usageMetadata":{"promptTokenCount":1}}"#]).usage?.inputTokens
                == 1)
        // Some proxies add the end marker of another dialect.
        #expect(harness.stream(events: [text, Self.stop, "[DONE]"]).error == nil)
        #expect(harness.stream(events: [text, "[DONE]"]).error?.kind == .streamInterrupted)
        #expect(harness.stream(events: [text, "nonsense"]).error?.kind == .badProviderResponse)
    }

    @Test func onlyTheFirstCandidateAndWordsOnMedia() throws {
        let outcome = try Self.harness().stream(events: [
            #"{"candidates":[{"index":1,"content":{"parts":[{"text":"no"}]}},{"index":0,"content":{"parts":[{"text":"yes"},{"inlineData":{"mimeType":"image/png","data":"AA=="}},{"executableCode":{"code":"1"}},{}]}}]}"#,
            Self.stop,
        ])
        #expect(outcome.message.content == "yes" && outcome.completion?.warnings.count == 1)
        #expect(outcome.stateText.contains("executableCode"))
    }
}
