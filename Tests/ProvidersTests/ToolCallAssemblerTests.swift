import Encodings
import Generation
import Testing

@testable import Providers

@Suite struct ToolCallAssemblerTests {
    typealias Piece = (index: Int?, id: String, name: String, arguments: String)

    private static func assemble(_ pieces: [Piece]) -> [ToolCall] {
        var assembler = ToolCallAssembler()
        var calls: [ToolCall] = []
        func take(_ delta: ToolCallDelta?) {
            guard let delta else { return }
            if delta.index == calls.count { calls.append(ToolCall(id: delta.id, name: delta.name, argumentsJSON: "")) }
            calls[delta.index].argumentsJSON += delta.argumentsJSONDelta
        }
        for piece in pieces {
            take(assembler.piece(index: piece.index, id: piece.id, name: piece.name, arguments: piece.arguments))
        }
        assembler.remaining().forEach(take)
        return calls
    }

    @Test func theUsualForm() {
        let calls = Self.assemble([(0, "a", "f", ""), (0, "", "", "{\"x\""), (0, "", "", ":1}"), (1, "b", "g", "{}")])
        #expect(
            calls == [
                ToolCall(id: "a", name: "f", argumentsJSON: "{\"x\":1}"),
                ToolCall(id: "b", name: "g", argumentsJSON: "{}"),
            ])
    }

    @Test func indexesThatBeginAnywhereOrAreMissing() {
        #expect(Self.assemble([(1, "a", "f", ""), (1, "", "", "{}")]).map(\.id) == ["a"])
        #expect(Self.assemble([(nil, "a", "f", "{}"), (nil, "b", "g", "{}")]).map(\.id) == ["a", "b"])
        #expect(Self.assemble([(nil, "a", "f", "{"), (nil, "", "", "}")]).map(\.argumentsJSON) == ["{}"])
    }

    @Test func idsThatAreMissingRepeatedOrReplaced() {
        let missing = Self.assemble([(0, "", "f", "{}"), (1, "", "g", "{}")])
        #expect(missing.count == 2 && Set(missing.map(\.id)).count == 2 && missing.allSatisfy { !$0.id.isEmpty })
        #expect(Self.assemble([(0, "a", "f", "{"), (0, "a", "f", "}")]).map(\.argumentsJSON) == ["{}"])
        let replaced = Self.assemble([(0, "a", "f", "{}"), (0, "b", "g", "{}")])
        #expect(replaced.map(\.name) == ["f", "g"])
        let same = Self.assemble([(0, "a", "f", "{}"), (1, "a", "g", "{}")])
        #expect(Set(same.map(\.id)).count == 2)
    }

    /// Two calls under one index without ids: the first is whole when the second begins.
    @Test func aWholeCallIsFollowedByAnother() {
        let calls = Self.assemble([
            (0, "", "f", #"{"x":1}"#), (0, "", "g", "{}"), (0, "", "g", #"{"y":"#), (0, "", "", "2}"),
        ])
        #expect(calls.map(\.name) == ["f", "g", "g"])
        #expect(calls.map(\.argumentsJSON) == [#"{"x":1}"#, "{}", #"{"y":2}"#])
        #expect(Set(calls.map(\.id)).count == 3)
        // A name that comes with every piece.
        let repeated = Self.assemble([(0, "", "f", ""), (0, "", "f", #"{"x":"#), (0, "", "f", "1}"), (0, "", "f", "")])
        #expect(repeated.map(\.argumentsJSON) == [#"{"x":1}"#])
    }

    @Test func argumentsBeforeTheName() {
        #expect(
            Self.assemble([(0, "a", "", "{"), (0, "", "f", "}")]) == [ToolCall(id: "a", name: "f", argumentsJSON: "{}")]
        )
        #expect(Self.assemble([(0, "a", "", "{}")]) == [ToolCall(id: "a", name: "", argumentsJSON: "{}")])
    }

    @Test(arguments: 0..<30)
    func anyInterleavingKeepsEachCallWhole(_ seed: UInt64) {
        var state = seed &+ 1
        func next(_ limit: Int) -> Int {
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return Int(state >> 33) % limit
        }
        let count = 1 + next(5)
        var queues = (0..<count).map { call in
            [(index: Int?.some(call + 3), id: "id\(call)", name: "f\(call)", arguments: "")]
                + (0..<next(6)).map { piece in
                    (index: Int?.some(call + 3), id: "", name: "", arguments: "<\(call).\(piece)>")
                }
        }
        let expected = queues.map { $0.map(\.arguments).joined() }
        var pieces: [Piece] = []
        // The first pieces arrive in the order of the vendor's indexes.
        for call in 0..<count { pieces.append(queues[call].removeFirst()) }
        while queues.contains(where: { !$0.isEmpty }) {
            let call = next(count)
            if !queues[call].isEmpty { pieces.append(queues[call].removeFirst()) }
        }
        let calls = Self.assemble(pieces)
        #expect(calls.map(\.argumentsJSON) == expected)
        #expect(calls.map(\.id) == (0..<count).map { "id\($0)" })
    }
}

@Suite struct Base64DecodingTests {
    @Test(arguments: ["", "a", "ab", "abc", "any \u{FF}\u{1F388} text >>>???"])
    func whatWasEncodedIsDecoded(_ text: String) {
        let bytes = Array(text.utf8)
        #expect(Base64.decode(Base64.encode(bytes).utf8) == bytes)
        #expect(Base64.decode(Base64.encodeForURL(bytes).utf8) == bytes)
        #expect(Base64.decode(Base64.encode(bytes).map { "\($0)\r\n" }.joined().utf8) == bytes)
    }
}

@Suite struct ScrubberTests {
    @Test func keysAreTakenOutAndWordsStay() {
        #expect(Scrubber.scrub("key sk-abcdef0123456789 is wrong") == "key sk-<secret> is wrong")
        #expect(Scrubber.scrub("Bearer abcdefghijklmnop.qrs") == "Bearer <secret>")
        #expect(Scrubber.scrub("risk-free sk-1 eyJ") == "risk-free sk-1 eyJ")
        #expect(Scrubber.scrub("sk-aaaaaaaaaaaaaaaa sk-bbbbbbbbbbbbbbbb") == "sk-<secret> sk-<secret>")
        #expect(Scrubber.scrub("bad-key-**********test") == "bad-key-**********test")
        #expect(Scrubber.scrub("risk-assessment-of-loans-v2") == "risk-assessment-of-loans-v2")
        #expect(Scrubber.scrub("key=sk-abcdef0123456789") == "key=sk-<secret>")
    }
}

@Suite struct Base64Tests {
    @Test(arguments: [
        ("", ""), ("f", "Zg=="), ("fo", "Zm8="), ("foo", "Zm9v"), ("foob", "Zm9vYg=="), ("foobar", "Zm9vYmFy"),
    ])
    func vectorsOfTheStandard(_ text: String, _ expected: String) {
        var out: [UInt8] = []
        Base64.append(Array(text.utf8), to: &out)
        #expect(String(decoding: out, as: UTF8.self) == expected)
    }
}
