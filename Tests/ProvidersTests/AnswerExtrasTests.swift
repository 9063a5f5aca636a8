import Generation
import JSON
import Testing

@testable import Providers

/// What vendors return beyond text and calls: nothing of it is lost without a word.
@Suite struct AnswerExtrasTests {
    private static let image = Part.image(Image(mimeType: "image/png", source: .data([1, 2, 3])))

    /// The part of the message's text that a citation is about.
    private static func cited(_ outcome: Outcome) -> [String] {
        let text = Array(outcome.message.content.utf8)
        return (outcome.completion?.citations ?? []).map { String(decoding: text[$0.start..<$0.end], as: UTF8.self) }
    }

    // MARK: - Chat completions

    /// A whole answer and the same as a stream of one delta.
    private static func both(_ message: String, extra: Bool = false) throws -> [Outcome] {
        let harness = try DialectHarness("openai")
        return [
            harness.whole(#"{"choices":[{"message":\#(message),"finish_reason":"stop"}]}"#, extra: extra),
            harness.stream(
                events: [
                    #"{"choices":[{"index":0,"delta":\#(message)}]}"#,
                    #"{"choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}"#, "[DONE]",
                ], extra: extra),
        ]
    }

    @Test func imagesBecomeParts() throws {
        let message = #"""
            {"content":"Look","images":[{"type":"image_url","image_url":{"url":"data:image/png;base64,AQID"}},
            {"type":"image_url","image_url":{"url":"https://x/i.png"}}]}
            """#
        for outcome in try Self.both(message.filter { $0 != "\n" }) {
            #expect(outcome.message.content == "Look")
            #expect(
                outcome.message.parts == [Self.image, .image(Image(mimeType: "", source: .url("https://x/i.png")))])
        }
    }

    @Test func soundBecomesAPart() throws {
        let harness = try DialectHarness("openai")
        let outcome = harness.stream(events: [
            #"{"choices":[{"delta":{"audio":{"id":"a","transcript":"Hel"}}}]}"#,
            #"{"choices":[{"delta":{"audio":{"data":"SUQz"}}}]}"#,
            #"{"choices":[{"delta":{"audio":{"data":"BAA=","transcript":"lo"}}}]}"#,
            #"{"choices":[{"delta":{},"finish_reason":"stop"}]}"#, "[DONE]",
        ])
        #expect(outcome.message.content == "Hello")
        #expect(
            outcome.message.parts == [.audio(Audio(mimeType: "audio/mpeg", source: .data([0x49, 0x44, 0x33, 4, 0])))])
    }

    /// The vendor counts characters; the contract counts bytes.
    @Test func annotationsBecomeCitations() throws {
        let message = #"""
            {"content":"Größe: 🦊 sieben. Ende","annotations":[{"type":"url_citation","url_citation":{"url":"https://a",
            "title":"A","start_index":7,"end_index":15}},{"type":"file_citation","file_citation":{"file_id":"f1",
            "filename":"b.txt"}},{"type":"document_citation","document_citation":{"document_id":"d","start_index":0,
            "end_index":5}},{"type":"url_citation","url_citation":{"url":"https://b","start_index":17,"end_index":999}}]}
            """#
        for outcome in try Self.both(message.filter { $0 != "\n" }) {
            #expect(Self.cited(outcome) == ["🦊 sieben", "", "Größe", "Ende"])
            let citations = outcome.completion?.citations ?? []
            #expect(citations.map(\.url) == ["https://a", "", "", "https://b"])
            #expect(citations.map(\.documentID) == ["", "f1", "d", ""])
            #expect(citations.map(\.title) == ["A", "b.txt", "", ""])
            #expect(outcome.completion?.warnings == [])
        }
        for outcome in try Self.both(#"{"content":"x","annotations":[{"type":"new"}]}"#) {
            #expect(outcome.completion?.warnings.first?.contains("annotations") == true)
        }
    }

    @Test func thoughtsInEveryForm() throws {
        let forms = [
            #"{"content":[{"type":"thinking","thinking":[{"type":"text","text":"hm"}]},{"type":"text","text":"Yes"}]}"#,
            #"{"content":"Yes","reasoning_details":[{"type":"reasoning.text","text":"hm","signature":"s"}]}"#,
            #"{"content":"Yes","reasoning":"hm","reasoning_details":[{"type":"reasoning.text","text":"hm"}]}"#,
            #"{"content":"Yes","reasoning_details":[{"type":"reasoning.summary","summary":"hm"}]}"#,
        ]
        for form in forms {
            for outcome in try Self.both(form) {
                #expect(outcome.message.reasoning == "hm" && outcome.message.content == "Yes", "\(form)")
            }
        }
        for outcome in try Self.both(#"{"content":[{"type":"hologram","data":"x"},{"type":"text","text":"a"}]}"#) {
            #expect(outcome.message.content == "a" && outcome.completion?.warnings.count == 1)
        }
    }

    @Test func theOlderFormOfACall() throws {
        for outcome in try Self.both(#"{"content":null,"function_call":{"name":"f","arguments":"{\"a\":1}"}}"#) {
            #expect(outcome.message.toolCalls.map(\.name) == ["f"] && outcome.arguments == [#"{"a":1}"#])
            #expect(outcome.finish == .toolCalls && outcome.message.toolCalls.first?.id.isEmpty == false)
        }
        let stream = try DialectHarness("openai").stream(events: [
            #"{"choices":[{"delta":{"function_call":{"name":"f","arguments":""}}}]}"#,
            #"{"choices":[{"delta":{"function_call":{"arguments":"{\"a\""}}}]}"#,
            #"{"choices":[{"delta":{"function_call":{"arguments":":1}"}},"finish_reason":"function_call"}]}"#,
            "[DONE]",
        ])
        #expect(stream.arguments == [#"{"a":1}"#] && stream.finish == .toolCalls)
    }

    /// A tool whose argument is not JSON, which the contract has no name for.
    @Test func customCallsAreOnlyExtra() throws {
        let message = #"{"tool_calls":[{"index":0,"id":"c","type":"custom","custom":{"name":"m","input":"4 + 4"}}]}"#
        for outcome in try Self.both(message, extra: true) {
            #expect(outcome.message.toolCalls.isEmpty && outcome.completion?.warnings.count == 1)
            let extra = try JSONValue(parsing: outcome.completion?.extraJSON ?? "")
            #expect(extra["custom_tool_calls"]?[0]?["custom"]?["input"] == "4 + 4")
        }
    }

    /// What the vendor's own tools did goes back to it in the provider's state; a caller sees it on request.
    @Test func blocksOfTheVendorsTools() throws {
        let claude = try DialectHarness("anthropic").whole(
            #"""
            {"content":[{"type":"server_tool_use","id":"s","name":"web_search","input":{"query":"q"}},
            {"type":"text","text":"a"}],"stop_reason":"end_turn"}
            """#, extra: true)
        let gemini = try DialectHarness("gemini").whole(
            #"""
            {"candidates":[{"content":{"parts":[{"executableCode":{"language":"PYTHON","code":"1"}},
            {"codeExecutionResult":{"outcome":"OUTCOME_OK"}},{"text":"a"}]},"finishReason":"STOP"}]}
            """#, extra: true)
        let first = try JSONValue(parsing: claude.completion?.extraJSON ?? "")
        #expect(first["blocks"]?[0]?["input"] == ["query": "q"])
        let second = try JSONValue(parsing: gemini.completion?.extraJSON ?? "")
        #expect(second["blocks"]?.array?.count == 2 && second["blocks"]?[0]?["executableCode"] != nil)
    }

    @Test func callsUnderOneIndexWithoutIDs() throws {
        func stream(_ pieces: [String]) throws -> Outcome {
            try DialectHarness("openai").stream(
                events: pieces.map { #"{"choices":[{"delta":{"tool_calls":[{"index":0,"function":\#($0)}]}}]}"# } + [
                    #"{"choices":[{"delta":{},"finish_reason":"tool_calls"}]}"#, "[DONE]",
                ])
        }
        let whole = try stream([
            #"{"name":"f","arguments":"{\"a\":1}"}"#, #"{"name":"f","arguments":"{\"a\":2}"}"#,
            #"{"name":"g","arguments":""}"#, #"{"arguments":"{}"}"#,
        ])
        #expect(whole.message.toolCalls.map(\.name) == ["f", "f", "g"])
        #expect(whole.arguments == [#"{"a":1}"#, #"{"a":2}"#, "{}"])
        // A name that only comes again begins nothing.
        let repeated = try stream([
            #"{"name":"f","arguments":"{\"a\""}"#, #"{"name":"f","arguments":":1}"}"#, #"{"name":"f","arguments":""}"#,
        ])
        #expect(repeated.arguments == [#"{"a":1}"#])
    }

    @Test func cachesInTheUsage() throws {
        let harness = try DialectHarness("openai")
        func usage(_ json: String) -> Usage? {
            harness.whole(#"{"choices":[{"message":{"content":"x"},"finish_reason":"stop"}],"usage":\#(json)}"#).usage
        }
        let deepSeek = usage(#"{"prompt_tokens":9,"completion_tokens":1,"prompt_cache_hit_tokens":8}"#)
        #expect(deepSeek?.cachedInputTokens == 8)
        let written = usage(
            #"{"prompt_tokens":9,"completion_tokens":1,"prompt_tokens_details":{"cached_tokens":2,"cache_write_tokens":5}}"#
        )
        #expect(written?.cachedInputTokens == 2 && written?.cacheWriteInputTokens == 5)
    }

    @Test func furtherFieldsOnRequest() throws {
        let harness = try DialectHarness("groq")
        let events = [
            #"{"id":"i","system_fingerprint":"fp","choices":[{"delta":{"content":"a"},"logprobs":{"content":[{"token":"a"}]}}]}"#,
            #"{"id":"i","system_fingerprint":"fp","choices":[{"delta":{"content":"b","executed_tools":[{"index":0}]},"#
                + #""logprobs":{"content":[{"token":"b"}]}}]}"#,
            #"{"id":"i","service_tier":"flex","choices":[{"delta":{},"finish_reason":"stop"}]}"#, "[DONE]",
        ]
        #expect(harness.stream(events: events).completion?.extraJSON == "")
        let extra = try JSONValue(parsing: harness.stream(events: events, extra: true).completion?.extraJSON ?? "")
        #expect(
            extra == [
                "system_fingerprint": "fp", "service_tier": "flex", "executed_tools": [["index": 0]],
                "logprobs": ["content": [["token": "a"], ["token": "b"]]],
            ])
        let whole = harness.whole(
            #"{"choices":[{"index":0,"message":{"content":"a"},"finish_reason":"stop"},{"index":1,"message":{"content":"b"}}]}"#
        )
        #expect(whole.completion?.warnings.first?.contains("more than one choice") == true)
    }

    /// The work grows with the number of pieces, not with its square, which would take minutes.
    @Test(.timeLimit(.minutes(5))) func manyPiecesOfAField() throws {
        let parser = JSONParser()
        var extra = ExtraFields(isWanted: true)
        let count = 100_000
        for index in 0..<count {
            extra.append("\(index)", to: "output")
            extra.keep(try parser.parse(#"{"k\#(index)":[\#(index)],"content":[{"token":"t"}]}"#), as: "logprobs")
        }
        let joined = try JSONValue(parsing: extra.text)
        #expect(joined["output"]?.array?.count == count && joined["output"]?[count - 1] == .int(count - 1))
        #expect(joined["logprobs"]?["content"]?.array?.count == count)
        #expect(joined["logprobs"]?.members?.count == count + 1)
    }

    /// A report costs what it says, not what the ones before it said.
    @Test(.timeLimit(.minutes(5))) func manyReportsOfSources() throws {
        let count = 16_000
        let sources = Array(repeating: #"{"web":{"uri":"u"}}"#, count: count).joined(separator: ",")
        let events =
            [#"{"candidates":[{"groundingMetadata":{"groundingChunks":[\#(sources)]}}]}"#]
            + Array(repeating: #"{"candidates":[{"groundingMetadata":{}}]}"#, count: 60_000)
            + [#"{"candidates":[{"content":{"parts":[{"text":"x"}]},"finishReason":"STOP"}]}"#]
        let outcome = try DialectHarness("gemini").stream(events: events)
        #expect(outcome.completion?.citations.count == count)
    }

    // MARK: - Claude

    @Test func claudesCitations() throws {
        let harness = try DialectHarness("anthropic")
        let whole = harness.whole(
            #"""
            {"content":[{"type":"text","text":"Ünd: "},{"type":"text","text":"it is so","citations":[
            {"type":"char_location","cited_text":"so it is","document_index":1,"document_title":"facts"},
            {"type":"search_result_location","source":"https://s","title":"S","cited_text":"q"}]}],
            "stop_reason":"end_turn","usage":{"input_tokens":1,"cache_creation_input_tokens":7,"output_tokens":2}}
            """#)
        #expect(Self.cited(whole) == ["it is so", "it is so"])
        #expect(
            whole.completion?.citations.first
                == Citation(documentID: "1", title: "facts", quote: "so it is", start: 6, end: 14))
        #expect(whole.completion?.citations.last?.url == "https://s")
        #expect(whole.usage?.cacheWriteInputTokens == 7 && whole.usage?.inputTokens == 8)
        let stream = harness.stream(
            events: [
                #"{"type":"message_start","message":{"id":"m","container":{"id":"c"},"usage":{"input_tokens":1}}}"#,
                #"{"type":"content_block_start","index":0,"content_block":{"type":"text","text":"Ünd: "}}"#,
                #"{"type":"content_block_stop","index":0}"#,
                #"{"type":"content_block_start","index":1,"content_block":{"type":"text","text":"","citations":[]}}"#,
                #"{"type":"content_block_delta","index":1,"delta":{"type":"citations_delta","citation":{"type":"#
                    + #""web_search_result_location","cited_text":"q","url":"https://w","title":"W","encrypted_index":"e"}}}"#,
                #"{"type":"content_block_delta","index":1,"delta":{"type":"text_delta","text":"it is "}}"#,
                #"{"type":"content_block_delta","index":1,"delta":{"type":"text_delta","text":"so"}}"#,
                #"{"type":"content_block_delta","index":1,"delta":{"type":"hum_delta","hum":"so"}}"#,
                #"{"type":"content_block_stop","index":1}"#,
                #"{"type":"message_delta","delta":{"stop_reason":"end_turn"},"usage":{"output_tokens":3}}"#,
                #"{"type":"message_stop"}"#,
            ], extra: true)
        #expect(Self.cited(stream) == ["it is so"])
        #expect(
            stream.completion?.citations == [Citation(url: "https://w", title: "W", quote: "q", start: 6, end: 14)])
        #expect(stream.completion?.warnings.count == 1)
        let extra = try JSONValue(parsing: stream.completion?.extraJSON ?? "")
        #expect(extra["container"] == ["id": "c"] && extra["usage"] == ["output_tokens": 3])
        #expect(extra["content"] == nil && extra["stop_reason"] == nil)
    }

    // MARK: - Gemini

    @Test func geminisGrounding() throws {
        let metadata = #"""
            "groundingMetadata":{"groundingChunks":[{"web":{"uri":"https://a","title":"A"}},{"retrievedContext":
            {"uri":"gs://b","title":"B","text":"words","documentName":"docs/1"}}],"groundingSupports":[{"segment":
            {"startIndex":6,"endIndex":14,"text":"it is so"},"groundingChunkIndices":[0,1,9]}],"webSearchQueries":["so?"]}
            """#.filter { $0 != "\n" }
        let harness = try DialectHarness("gemini")
        let whole = harness.whole(
            #"{"candidates":[{"content":{"parts":[{"text":"Ünd: it is so"}]},"finishReason":"STOP",\#(metadata)}]}"#,
            extra: true)
        let stream = harness.stream(
            events: [
                #"{"candidates":[{"content":{"parts":[{"text":"Ünd: "}]}}]}"#,
                #"{"candidates":[{"content":{"parts":[{"text":"it is "},{"text":"so"}]},"finishReason":"STOP",\#(metadata)}]}"#,
            ], extra: true)
        for outcome in [whole, stream] {
            #expect(Self.cited(outcome) == ["it is so", "it is so"])
            #expect(
                outcome.completion?.citations == [
                    Citation(url: "https://a", title: "A", start: 6, end: 14),
                    Citation(documentID: "docs/1", url: "gs://b", title: "B", quote: "words", start: 6, end: 14),
                ])
            let extra = try JSONValue(parsing: outcome.completion?.extraJSON ?? "")
            #expect(extra["groundingMetadata"]?["webSearchQueries"] == ["so?"])
            #expect(extra["content"] == nil && extra["candidates"] == nil)
        }
        // A segment may count from its own part, and a source may support nothing in particular.
        let second = harness.whole(
            #"""
            {"candidates":[{"content":{"parts":[{"text":"One. "},{"text":"Two."}]},"finishReason":"STOP",
            "groundingMetadata":{"groundingChunks":[{"web":{"uri":"u"}}],"groundingSupports":[{"segment":{"partIndex":1,
            "endIndex":3},"groundingChunkIndices":[0]}]}}]}
            """#)
        #expect(Self.cited(second) == ["Two"])
        let loose = harness.whole(
            #"""
            {"candidates":[{"content":{"parts":[{"text":"One."}]},"finishReason":"STOP","citationMetadata":{"citations":[
            {"startIndex":0,"endIndex":99,"uri":"v"}]},"groundingMetadata":{"groundingChunks":[{"web":{"uri":"u"}}]}}]}
            """#)
        #expect(loose.completion?.citations == [Citation(url: "u"), Citation(url: "v", start: 0, end: 4)])
    }

    @Test func geminisMediaBecomeParts() throws {
        let harness = try DialectHarness("vertex")
        let content = #"""
            {"parts":[{"text":"Look"},{"inlineData":{"mimeType":"image/png","data":"AQID"}},
            {"fileData":{"mimeType":"video/mp4","fileUri":"gs://v"}},{"inlineData":{"mimeType":"audio/wav","data":"AQ=="}},
            {"thought":true,"inlineData":{"mimeType":"image/png","data":"AQID"}}]}
            """#.filter { $0 != "\n" }
        let candidate = #"{"candidates":[{"content":\#(content),"finishReason":"STOP"}]}"#
        for outcome in [harness.whole(candidate), harness.stream(events: [candidate])] {
            #expect(
                outcome.message.parts == [
                    Self.image, .file(File(mimeType: "video/mp4", source: .url("gs://v"))),
                    .audio(Audio(mimeType: "audio/wav", source: .data([1]))),
                ])
            #expect(outcome.completion?.warnings.count == 1)
        }
        // An image alone is an answer.
        let alone = harness.whole(
            #"{"candidates":[{"content":{"parts":[{"inlineData":{"mimeType":"image/png","data":"AQID"}}]}}]}"#)
        #expect(alone.message.parts == [Self.image] && alone.error == nil)
    }

    @Test func geminisUsageCountsThoughtsOnce() throws {
        let harness = try DialectHarness("gemini")
        func usage(_ json: String) -> [Int?] {
            let usage = harness.whole(
                #"{"candidates":[{"content":{"parts":[{"text":"x"}]},"finishReason":"STOP"}],"usageMetadata":\#(json)}"#
            ).usage
            return [usage?.outputTokens, usage?.reasoningTokens, usage?.totalTokens]
        }
        let apart = #"{"promptTokenCount":7,"candidatesTokenCount":5,"thoughtsTokenCount":21,"totalTokenCount":33}"#
        #expect(usage(apart) == [26, 21, 33])
        let included = #"{"promptTokenCount":7,"candidatesTokenCount":26,"thoughtsTokenCount":21,"totalTokenCount":33}"#
        #expect(usage(included) == [26, 21, 33])
        let tools =
            #"{"promptTokenCount":7,"candidatesTokenCount":26,"thoughtsTokenCount":21,"toolUsePromptTokenCount":9,"totalTokenCount":42}"#
        #expect(usage(tools) == [26, 21, 42])
    }

    // MARK: - Budgets

    /// What is kept for the end counts, whatever it is.
    @Test func whatIsKeptIsBounded() throws {
        let big = String(repeating: "x", count: 3 << 20)
        let openAI = [
            #"{"choices":[{"delta":{"annotations":[{"type":"url_citation","url_citation":{"url":"\#(big)"}}]}}]}"#,
            #"{"choices":[{"delta":{"audio":{"data":"\#(big)"}}}]}"#,
            #"{"choices":[{"delta":{"content":"a"},"logprobs":{"content":["\#(big)"]}}]}"#,
        ]
        for event in openAI {
            let outcome = try DialectHarness("openai").stream(
                events: [String](repeating: event, count: 9) + ["[DONE]"], extra: true)
            #expect(outcome.error?.kind == .badProviderResponse, "\(event.prefix(60))")
        }
        let claude =
            [#"{"type":"content_block_start","index":0,"content_block":{"type":"text","text":""}}"#]
            + [String](
                repeating:
                    #"{"type":"content_block_delta","index":0,"delta":{"type":"citations_delta","citation":{"url":"\#(big)"}}}"#,
                count: 9)
        #expect(try DialectHarness("anthropic").stream(events: claude).error?.kind == .badProviderResponse)
        // Of a field that is sent again and again, only the newest counts.
        let replaced = #"{"system_fingerprint":"\#(big)","choices":[{"delta":{"content":"a"},"finish_reason":"stop"}]}"#
        let outcome = try DialectHarness("openai").stream(
            events: [String](repeating: replaced, count: 9) + ["[DONE]"], extra: true)
        #expect(outcome.error == nil && (outcome.completion?.extraJSON.utf8.count ?? 0) < 4 << 20)
    }

    @Test func placesInATextThatComesInPieces() {
        var offsets = ScalarOffsets()
        let text = "aß🦊b한국어c"
        for scalar in text.unicodeScalars { offsets.add(String(scalar)) }
        var byte = 0
        for (index, scalar) in text.unicodeScalars.enumerated() {
            #expect(offsets.byte(ofScalar: index) == byte)
            byte += UTF8.width(scalar)
        }
        #expect(offsets.byte(ofScalar: 99) == text.utf8.count && offsets.byte(ofScalar: -1) == 0)
        // Memory goes by the changes of width, not by the length.
        offsets.add(String(repeating: "한", count: 100_000))
        #expect(offsets.keptBytes < 1000)
    }
}
