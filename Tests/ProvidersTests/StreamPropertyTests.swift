import Config
import Generation
import JSON
import Testing

@testable import Providers

/// Invariants of every stream in every dialect, however it is sliced, truncated or damaged.
@Suite struct StreamPropertyTests {
    /// A provider of each dialect with its sample stream, and the marker of that stream's end.
    static let all: [(provider: String, model: String, text: String, end: String)] = [
        ("openai", "gpt-4o", Streams.openAI, #""finish_reason":"stop""#),
        ("anthropic_vertex", "claude-sonnet-4-5", Streams.claude, #""stop_reason":"tool_use""#),
        ("vertex", "gemini-2.5-flash", Streams.gemini, #""finishReason":"STOP""#),
        ("openai/responses", "gpt-5-mini", Streams.responses, #""type":"response.completed""#),
    ]

    @Test(arguments: all.indices)
    func slicesChangeNothing(_ index: Int) throws {
        let (provider, model, text, _) = Self.all[index]
        let harness = try DialectHarness(provider, model)
        let bytes = Array(text.utf8)
        let expected = harness.stream([bytes])
        #expect(expected.error == nil && expected.violations.isEmpty, "\(expected)")
        // A sample of cut positions; below, the stream is cut everywhere at once.
        for cut in stride(from: index, through: bytes.count, by: 7) {
            let outcome = harness.stream([Array(bytes[..<cut]), Array(bytes[cut...])])
            try #require(outcome == expected, "cut at \(cut)")
        }
        #expect(harness.stream(bytes.map { [$0] }) == expected, "byte by byte")
    }

    @Test(arguments: all.indices)
    func lineEndsChangeNothing(_ index: Int) throws {
        let (provider, model, text, _) = Self.all[index]
        let harness = try DialectHarness(provider, model)
        let plain = text.replacing("\r\n", with: "\n")
        let expected = harness.stream(plain)
        #expect(harness.stream(plain.replacing("\n", with: "\r\n")) == expected)
        #expect(harness.stream(plain.replacing("\n", with: "\r")) == expected)
        #expect(harness.stream("\u{FEFF}" + plain) == expected)
        #expect(harness.stream(plain.replacing("\n\n", with: "\n\n: keep-alive\n\n")) == expected)
        #expect(harness.stream(plain.replacing("\n\n", with: "\nid: 7\nretry: 10\n\n")) == expected)
        // Some servers keep a connection alive with empty events.
        #expect(harness.stream(plain.replacing("\n\n", with: "\n\ndata:\n\n")) == expected)
    }

    /// A truncated stream never looks like a success, and what it delivers is a prefix of the complete stream's output.
    @Test(arguments: all.indices)
    func aCutStreamIsNoSuccess(_ index: Int) throws {
        let (provider, model, text, end) = Self.all[index]
        let harness = try DialectHarness(provider, model)
        let bytes = Array(text.utf8)
        let whole = harness.stream([bytes])
        for cut in stride(from: index, to: bytes.count, by: 3) {
            let outcome = harness.stream([Array(bytes[..<cut])])
            try #require(outcome.violations.isEmpty, "cut at \(cut): \(outcome.violations)")
            try #require(whole.message.content.hasPrefix(outcome.message.content), "cut at \(cut)")
            guard outcome.error == nil else { continue }
            let arrived = String(decoding: bytes[..<cut], as: UTF8.self)
            try #require(arrived.contains(end), "a success without an end, cut at \(cut)")
            try #require(outcome.message.toolCalls.count == whole.message.toolCalls.count)
        }
    }

    /// Values of the wrong type in any place: nothing traps, and the delivered chunks keep the contract.
    @Test(arguments: all.indices)
    func valuesOfAnotherKindAreSurvived(_ index: Int) throws {
        let (provider, model, text, _) = Self.all[index]
        let harness = try DialectHarness(provider, model)
        let events = text.replacing("\r\n", with: "\n").split(separator: "\n").compactMap { line in
            line.hasPrefix("data: ") ? try? JSONValue(parsing: String(line.dropFirst(6))) : nil
        }
        for seed in 0..<200 {
            var random = SeededNumbers(UInt64(seed))
            var changed = events
            for _ in 0..<Int.random(in: 1...3, using: &random) {
                let event = Int.random(in: changed.indices, using: &random)
                changed[event] = Damage.one(changed[event], &random)
            }
            if Bool.random(using: &random) { changed.shuffle(using: &random) }
            let outcome = harness.stream(events: changed.map(\.text))
            #expect(outcome.violations.isEmpty, "seed \(seed): \(outcome.violations)")
            if let error = outcome.error { #expect(!error.message.isEmpty) }
        }
    }

    /// The same for complete responses; what such a response delivers can be sent back to the vendor.
    @Test(arguments: Streams.whole.indices)
    func wholeAnswersOfAnotherKindAreSurvived(_ index: Int) throws {
        let (provider, model, body) = Streams.whole[index]
        let harness = try DialectHarness(provider, model)
        #expect(harness.whole(body).message.toolCalls.isEmpty == false)
        let value = try JSONValue(parsing: body)
        for seed in 0..<300 {
            var random = SeededNumbers(UInt64(seed))
            var changed = value
            for _ in 0..<Int.random(in: 1...3, using: &random) { changed = Damage.one(changed, &random) }
            let outcome = harness.whole(changed.text)
            let calls = outcome.message.toolCalls
            #expect(calls.allSatisfy { !$0.id.isEmpty } && Set(calls.map(\.id)).count == calls.count, "seed \(seed)")
            guard outcome.error == nil, calls.allSatisfy({ !$0.name.isEmpty }) else { continue }
            let results = calls.map { Message(role: .tool, content: "x", toolCallID: $0.id) }
            let user = Message(role: .user, content: "x")
            _ = try harness.body(ChatRequest(messages: [user, outcome.message] + results))
        }
    }

    /// Bytes changed in transit.
    @Test(arguments: all.indices)
    func damagedBytesAreSurvived(_ index: Int) throws {
        let (provider, model, text, _) = Self.all[index]
        let harness = try DialectHarness(provider, model)
        for seed in 0..<200 {
            var random = SeededNumbers(UInt64(seed))
            var bytes = Array(text.utf8)
            for _ in 0..<Int.random(in: 1...4, using: &random) {
                let position = Int.random(in: bytes.indices, using: &random)
                switch Int.random(in: 0..<3, using: &random) {
                case 0: bytes[position] = UInt8.random(in: 0...255, using: &random)
                case 1: bytes.remove(at: position)
                default: bytes.insert(bytes.randomElement(using: &random) ?? 0, at: position)
                }
            }
            #expect(harness.stream([bytes]).violations.isEmpty, "seed \(seed)")
        }
    }
}

/// Puts values of unexpected types into events.
enum Damage {
    static let values: [JSONValue] = [
        .null, true, "", "text", 0, -1, .int(.max), .int(.min), 1e300, 0.5, [], .object([]), [.null], [[]], ["x"],
        ["type": "error"], ["error": "x"],
    ]

    /// Returns `value` with one part changed.
    static func one(_ value: JSONValue, _ random: inout SeededNumbers) -> JSONValue {
        let isHere = Int.random(in: 0..<4, using: &random) == 0
        switch value {
        case .array(var elements) where !elements.isEmpty && !isHere:
            let index = Int.random(in: elements.indices, using: &random)
            if Int.random(in: 0..<5, using: &random) == 0 {
                elements.append(elements[index])
            } else {
                elements[index] = one(elements[index], &random)
            }
            return .array(elements)
        case .object(var members) where !members.isEmpty && !isHere:
            let index = Int.random(in: members.indices, using: &random)
            if Int.random(in: 0..<6, using: &random) == 0 {
                members.remove(at: index)
            } else {
                members[index].value = one(members[index].value, &random)
            }
            return .object(members)
        default: return values.randomElement(using: &random) ?? .null
        }
    }
}
