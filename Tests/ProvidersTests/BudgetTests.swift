import Generation
import HTTPClient
import JSON
import Testing

@testable import Providers

/// A vendor cannot make a call buffer more than its budget, in any field.
@Suite struct BudgetTests {
    private static let pieceBytes = 2 << 20
    private static let piece = String(repeating: "x", count: pieceBytes)

    struct Place: Sendable, CustomTestStringConvertible {
        var name: String
        var provider: String
        /// Event number `index`, with a piece of the given size.
        var event: @Sendable (_ index: Int, _ piece: String) -> String
        var testDescription: String { name }
    }

    /// A Claude event of a block: the block's start before the first piece, then the piece.
    private static func block(_ index: Int, _ block: String, _ delta: String) -> String {
        let grow = #"data: {"type":"content_block_delta","index":0,"delta":\#(delta)}"#
        return index > 0
            ? grow : #"data: {"type":"content_block_start","index":0,"content_block":\#(block)}"# + "\n\n" + grow
    }

    private static func begin(_ index: Int, _ block: String) -> String {
        #"data: {"type":"content_block_start","index":\#(index),"content_block":\#(block)}"#
    }

    private static func part(_ part: String) -> String {
        #"data: {"candidates":[{"content":{"parts":[\#(part)]}}]}"#
    }

    /// An item of a Responses stream that was not announced.
    private static func item(_ index: Int, _ item: String) -> String {
        #"data: {"type":"response.output_item.done","output_index":\#(index),"item":\#(item)}"#
    }

    private static let kept: [Place] = [
        Place(name: "responses, encrypted reasoning", provider: "openai/responses") {
            item($0, #"{"type":"reasoning","encrypted_content":"\#($1)"}"#)
        },
        Place(name: "responses, reasoning", provider: "openai/responses") {
            item($0, #"{"type":"reasoning","content":[{"type":"reasoning_text","text":"\#($1)"}]}"#)
        },
        Place(name: "responses, the vendor's own tools", provider: "openai/responses") {
            item($0, #"{"type":"web_search_call","id":"\#($1)"}"#)
        },
        Place(name: "responses, citations", provider: "openai/responses") {
            item(
                $0,
                #"{"type":"message","content":[{"text":"a","annotations":[{"type":"url_citation","url":"\#($1)"}]}]}"#)
        },
        Place(name: "responses, names of calls", provider: "openai/responses") {
            item($0, #"{"type":"function_call","call_id":"c\#($0)","name":"\#($1)"}"#)
        },
        Place(name: "claude, thoughts", provider: "anthropic") {
            block($0, #"{"type":"thinking"}"#, #"{"type":"thinking_delta","thinking":"\#($1)"}"#)
        },
        Place(name: "claude, a signature", provider: "anthropic") {
            block($0, #"{"type":"thinking"}"#, #"{"type":"signature_delta","signature":"\#($1)"}"#)
        },
        Place(name: "claude, the input of the vendor's own call", provider: "anthropic") {
            block(
                $0, #"{"type":"server_tool_use","input":{}}"#, #"{"type":"input_json_delta","partial_json":"\#($1)"}"#)
        },
        Place(name: "claude, unknown blocks", provider: "anthropic") { begin($0, #"{"type":"new","data":"\#($1)"}"#) },
        Place(name: "claude, unknown blocks that end", provider: "anthropic") {
            begin($0, #"{"type":"new","data":"\#($1)"}"#)
                + "\n\ndata: {\"type\":\"content_block_stop\",\"index\":\($0)}"
        },
        Place(name: "claude, calls with their input", provider: "anthropic") {
            begin($0, #"{"type":"tool_use","id":"t\#($0)","name":"f","input":{"x":"\#($1)"}}"#)
        },
        Place(name: "claude, ids of calls", provider: "anthropic") {
            begin($0, #"{"type":"tool_use","id":"\#($0)\#($1)","name":"f"}"#)
        },
        Place(name: "claude, names of calls", provider: "anthropic") {
            begin($0, #"{"type":"tool_use","id":"t\#($0)","name":"\#($1)"}"#)
        },
        Place(name: "chat completions, arguments before a name", provider: "openai") {
            #"data: {"choices":[{"delta":{"tool_calls":[{"index":0,"id":"a","function":{"arguments":"\#($1)"}}]}}]}"#
        },
        Place(name: "chat completions, ids of calls", provider: "openai") {
            #"data: {"choices":[{"delta":{"tool_calls":[{"index":\#($0),"id":"\#($0)\#($1)","function":{"name":"f"}}]}}]}"#
        },
        Place(name: "gemini, thoughts", provider: "vertex") { part(#"{"text":"\#($1)","thought":true}"#) },
        Place(name: "gemini, signatures", provider: "vertex") { part(#"{"text":"a","thoughtSignature":"\#($1)"}"#) },
        Place(name: "gemini, unknown parts", provider: "vertex") { part(#"{"new":"\#($1)"}"#) },
        Place(name: "gemini, ids of calls", provider: "vertex") {
            part(#"{"functionCall":{"id":"\#($0)\#($1)","name":"f","args":{}}}"#)
        },
        Place(name: "gemini, names in arguments", provider: "vertex") {
            let name = $0 == 0 ? #""name":"f","# : ""
            return part(
                #"{"functionCall":{\#(name)"willContinue":true,"partialArgs":[{"jsonPath":"$.a\#($0)\#($1)","numberValue":1}]}}"#
            )
        },
    ]

    private static func limit(_ place: Place, slices: (String) -> [[UInt8]] = { [Array("\($0)\n\n".utf8)] }) throws -> (
        count: Int, error: GenerationError?
    ) {
        let parser = JSONParser()
        let model = try DialectHarness(place.provider, "m").model
        let reader = StreamReader(model, AnswerWishes(reasoning: true, extra: true), parser: parser)
        for index in 0..<40 {
            do {
                for slice in slices(place.event(index, piece)) { try reader.consume(slice) { _ in } }
            } catch {
                return (index, error as? GenerationError)
            }
        }
        return (40, nil)
    }

    @Test(arguments: kept) func whatIsKeptIsBounded(_ place: Place) throws {
        let (count, error) = try Self.limit(place)
        #expect(error?.kind == .badProviderResponse && error?.isRetryable == false, "\(String(describing: error))")
        // The budget can be used up; the last piece may lie partly beyond it.
        #expect(count >= 3 && count <= CallBudget.bytes / Self.pieceBytes, "after \(count) pieces")
    }

    private static let replaced: [Place] = [
        Place(name: "responses, text", provider: "openai/responses") { _, piece in
            #"data: {"type":"response.output_text.delta","output_index":0,"delta":"\#(piece)"}"#
        },
        Place(name: "responses, ids and models", provider: "openai/responses") { _, piece in
            #"data: {"type":"response.created","response":{"id":"\#(piece)","model":"\#(piece)"}}"#
        },
        Place(name: "responses, images", provider: "openai/responses") {
            item($0, #"{"type":"image_generation_call","result":"\#($1)"}"#)
        },
        Place(name: "text", provider: "openai") { _, piece in
            #"data: {"choices":[{"delta":{"content":"\#(piece)"}}]}"#
        },
        Place(name: "arguments", provider: "openai") { index, piece in
            #"data: {"choices":[{"delta":{"tool_calls":[{"index":0,"id":"a","function":{"name":"f","arguments":"\#(piece)"}}]}}]}"#
        },
        Place(name: "claude, text", provider: "anthropic") {
            block($0, #"{"type":"text"}"#, #"{"type":"text_delta","text":"\#($1)"}"#)
        },
        Place(name: "claude, a refusal", provider: "anthropic") { _, piece in
            #"data: {"type":"message_delta","delta":{"stop_reason":"refusal","stop_details":{"explanation":"\#(piece)"}}}"#
        },
        Place(name: "claude, ids and models", provider: "anthropic") { _, piece in
            #"data: {"type":"message_start","message":{"id":"\#(piece)","model":"\#(piece)"}}"#
        },
        Place(name: "gemini, text", provider: "vertex") { _, piece in part(#"{"text":"\#(piece)"}"#) },
        Place(name: "gemini, a finish message", provider: "vertex") { _, piece in
            #"data: {"candidates":[{"finishReason":"OTHER","finishMessage":"\#(piece)"}]}"#
        },
        Place(name: "gemini, responses and models", provider: "vertex") { _, piece in
            #"data: {"responseId":"\#(piece)","modelVersion":"\#(piece)"}"#
        },
    ]

    /// Data that is delivered at once, or replaced by the next event, is not buffered: such streams may be endless.
    @Test(arguments: replaced) func whatIsPassedOnIsNotKept(_ place: Place) throws {
        let (count, error) = try Self.limit(place)
        #expect(error == nil && count == 40, "\(String(describing: error))")
    }

    /// An event that never ends, in all its forms.
    @Test(arguments: ["data: ", "event: ", ": ", "new: ", "{", ""])
    func anEventThatNeverEnds(_ beginning: String) throws {
        for lineEnd in ["", "\n"] where !(lineEnd == "\n" && !["data: ", "event: "].contains(beginning)) {
            let place = Place(name: "", provider: "openai") { index, piece in
                (index == 0 || lineEnd == "\n" ? beginning : "") + piece + lineEnd
            }
            let (count, error) = try Self.limit(place, slices: { [Array($0.utf8)] })
            // Each name replaces the previous one.
            guard !(beginning == "event: " && lineEnd == "\n") else {
                #expect(error == nil)
                continue
            }
            #expect(error?.kind == .badProviderResponse && error?.isRetryable == false, "\(beginning)\(lineEnd)")
            #expect(count <= CallBudget.eventBytes / Self.pieceBytes, "after \(count) pieces")
        }
    }

    private static let calls: [(provider: String, call: @Sendable (Int) -> String)] = [
        ("openai", { #"{"index":\#($0),"id":"t\#($0)","function":{"name":"f","arguments":"{}"}}"# }),
        ("anthropic", { #"{"type":"tool_use","id":"t\#($0)","name":"f","input":{"x":1}}"# }),
        ("vertex", { #"{"functionCall":{"id":"t\#($0)","name":"f","args":{"x":1}}}"# }),
    ]

    private static func whole(_ provider: String, _ items: [String]) throws -> Outcome {
        let items = items.joined(separator: ",")
        let body =
            switch provider {
            case "openai": #"{"choices":[{"message":{"tool_calls":[\#(items)]},"finish_reason":"stop"}]}"#
            case "anthropic": #"{"content":[\#(items)],"stop_reason":"tool_use"}"#
            default: #"{"candidates":[{"content":{"parts":[\#(items)]},"finishReason":"STOP"}]}"#
            }
        return try DialectHarness(provider, "m").whole(body)
    }

    /// What a stream's events deliver. Each Claude event has one call; for the others, one event has all calls.
    private static func stream(_ provider: String, _ items: [String]) throws -> (count: Int, error: GenerationError?) {
        let joined = items.joined(separator: ",")
        let events =
            switch provider {
            case "openai": [#"{"choices":[{"delta":{"tool_calls":[\#(joined)]}}]}"#]
            case "anthropic": items.enumerated().map { begin($0, $1) }
            default: [#"{"candidates":[{"content":{"parts":[\#(joined)]}}]}"#]
            }
        let reader = StreamReader(
            try DialectHarness(provider, "m").model, AnswerWishes(reasoning: true, extra: true), parser: JSONParser())
        var announced = 0
        do {
            for event in events {
                try reader.consume(Array("\(event.hasPrefix("data") ? event : "data: " + event)\n\n".utf8)) {
                    if case .toolCall(let piece) = $0, !piece.id.isEmpty { announced += 1 }
                }
            }
        } catch {
            return (announced, error as? GenerationError)
        }
        return (announced, nil)
    }

    @Test(arguments: calls.indices) func callsAreCounted(_ index: Int) throws {
        let (provider, call) = Self.calls[index]
        let most = (0..<CallBudget.toolCalls).map(call)
        #expect(try Self.whole(provider, most).message.toolCalls.count == CallBudget.toolCalls)
        let fits = try Self.stream(provider, most)
        #expect(fits.error == nil && fits.count == CallBudget.toolCalls)
        let many = (0..<10_000).map(call)
        for error in [try Self.whole(provider, many).error, try Self.stream(provider, many).error] {
            #expect(error?.kind == .badProviderResponse && error?.isRetryable == false, "\(provider)")
            #expect(error?.message.hasSuffix("has more than 1024 tool calls") == true, "\(provider)")
        }
        // The excess call may be detected only after its delivery.
        #expect(try Self.stream(provider, many).count <= CallBudget.toolCalls + 1)
    }

    private static let blocks: [(provider: String, block: String)] = [
        ("openai", #"{"index":0,"function":{"name":"f","arguments":"x"}}"#), ("anthropic", "{}"),
        ("anthropic", #"{"type":"thinking","signature":"s"}"#), ("vertex", #"{"text":"a","thought":true}"#),
        ("vertex", #"{"text":"a"}"#),
    ]

    @Test(arguments: blocks.indices) func blocksAreCounted(_ index: Int) throws {
        let (provider, block) = Self.blocks[index]
        let many = Array(repeating: block, count: CallBudget.blocks + 1)
        for error in [try Self.whole(provider, many).error, try Self.stream(provider, many).error] {
            #expect(error?.kind == .badProviderResponse && error?.isRetryable == false, "\(provider) \(block)")
            #expect(error?.message.hasSuffix("has more than 16384 blocks") == true, "\(provider) \(block)")
        }
    }

    /// The opaque parts of a complete response, each of which is stored twice, are bounded while it is read.
    @Test func theBytesOfOneEventAreChecked() throws {
        let part = #"{"functionCall":{"id":"\#(String(repeating: "x", count: 1 << 16))","name":"f","args":{}}}"#
        let many = Array(repeating: part, count: 1000)
        let outcome = try Self.whole("vertex", many)
        #expect(
            outcome.error?.message.contains("\(CallBudget.bytes) bytes") == true, "\(String(describing: outcome.error))"
        )
    }
}

@Suite struct BlockOrderTests {
    @Test func callsBehindThoseLeftOutMoveUp() {
        var order = BlockOrder()
        for index in 0..<5 {
            order.opaque("{\"n\":\(index)}")
            order.call(index)
        }
        order.leaveOutCalls([0, 3])
        let kinds = order.entries.map { entry -> String in
            switch entry {
            case .call(let index): "call \(index)"
            case .opaque(let json): json
            case .text: "text"
            case .part(let index, _): "part \(index)"
            }
        }
        #expect(
            kinds == [
                "{\"n\":0}", "{\"n\":1}", "call 0", "{\"n\":2}", "call 1", "{\"n\":3}", "{\"n\":4}", "call 2",
            ])
    }
}
