import HTTPClient
import Testing

@Suite struct SSEParserTests {
    private struct Event: Equatable {
        var name = ""
        var data = ""
        var isStray = false
    }

    /// Parses `bytes` cut at the given positions.
    private func parse(_ bytes: [UInt8], cuts: [Int] = [], limit: Int = 1 << 20) throws -> [Event] {
        var parser = SSEParser(maximumEventBytes: limit)
        var events: [Event] = []
        let take = { (event: SSEEvent) in
            events.append(
                Event(
                    name: String(decoding: event.name, as: UTF8.self),
                    data: String(decoding: event.data, as: UTF8.self),
                    isStray: event.isStray))
        }
        var start = 0
        for end in cuts + [bytes.count] {
            // A separate copy, freed after the call: the parser must not keep pointers into it.
            try Array(bytes[start..<end]).withUnsafeBytes { slice in try parser.consume(slice, take) }
            start = end
        }
        parser.finish(take)
        return events
    }

    private func parse(_ text: String, cuts: [Int] = []) throws -> [Event] { try parse(Array(text.utf8), cuts: cuts) }

    private static let stream = [
        "\u{FEFF}: a comment", "data: {\"a\":1}", "", "event: delta", "data: first", "data:second", "data", "id: 7",
        "retry: 10", "", "event: lost", "", "", "data:  two spaces, gr\u{fc}n \u{1F600}", "", "dataset: no",
        "data-x: no",
        "eventual: no", "{\"error\":{\"code\":429}}", "  ]", "data: [DONE]", "", "event: last", "data: unfinished",
    ]
    private static let events = [
        Event(data: "{\"a\":1}"), Event(name: "delta", data: "first\nsecond\n"),
        Event(data: " two spaces, gr\u{fc}n \u{1F600}"), Event(data: "{\"error\":{\"code\":429}}", isStray: true),
        Event(data: "  ]", isStray: true), Event(data: "[DONE]"), Event(name: "last", data: "unfinished"),
    ]

    @Test(arguments: ["\n", "\r\n", "\r"])
    func anyCutGivesTheSame(_ lineEnd: String) throws {
        let bytes = Array(Self.stream.joined(separator: lineEnd).utf8)
        #expect(try parse(bytes) == Self.events)
        for cut in 0...bytes.count { #expect(try parse(bytes, cuts: [cut]) == Self.events, "cut at \(cut)") }
        #expect(try parse(bytes, cuts: Array(0..<bytes.count)) == Self.events)
        var random = SplitMix(seed: 42)
        for _ in 0..<300 {
            let cuts = (0..<Int.random(in: 0...12, using: &random)).map { _ in
                Int.random(in: 0...bytes.count, using: &random)
            }
            #expect(try parse(bytes, cuts: cuts.sorted()) == Self.events, "cut at \(cuts.sorted())")
        }
    }

    @Test func randomStreamsWithMixedLineEnds() throws {
        var random = SplitMix(seed: 3)
        for round in 0..<300 {
            var text = ""
            var expected: [Event] = []
            for _ in 0..<Int.random(in: 0...8, using: &random) {
                var lineEnd: String { ["\n", "\r\n", "\r"].randomElement(using: &random)! }
                let lines = (0..<Int.random(in: 1...3, using: &random)).map { _ in
                    String(
                        (0..<Int.random(in: 0...20, using: &random)).map { _ in
                            "ab: {}\u{e9}".randomElement(using: &random)!
                        })
                }
                let name = Bool.random(using: &random) ? "n" : ""
                if !name.isEmpty { text += "event:\(name)" + lineEnd }
                for line in lines { text += "data: \(line)" + lineEnd }
                // A CR and an LF of its own would be one line end.
                text += text.last == "\r" ? "\r" : lineEnd
                expected.append(Event(name: name, data: lines.joined(separator: "\n")))
            }
            let bytes = Array(text.utf8)
            let cuts = (0..<Int.random(in: 0...6, using: &random)).map { _ in
                Int.random(in: 0...bytes.count, using: &random)
            }
            #expect(try parse(bytes, cuts: cuts.sorted()) == expected, "round \(round)")
        }
    }

    @Test func edges() throws {
        #expect(try parse("") == [])
        #expect(try parse("\n\n\r\r\n") == [])
        #expect(try parse("data") == [Event()])
        #expect(try parse("data:\n\n") == [Event()])
        #expect(try parse("data:\ndata:\n\n") == [Event(data: "\n")])
        #expect(try parse("data: a\0b\n\n") == [Event(data: "a\0b")])
        #expect(try parse("event: x\nevent: y\ndata: z\n\n") == [Event(name: "y", data: "z")])
        #expect(try parse("data: a\n\ndata: b\n") == [Event(data: "a"), Event(data: "b")])
        // Invalid UTF-8 passes unchanged; here it shows as replacement characters.
        #expect(try parse(Array("data: ".utf8) + [0xFF, 0x0A, 0x0A]) == [Event(data: "\u{FFFD}")])
        // The byte order mark counts only at the very beginning.
        #expect(try parse("data: \u{FEFF}a\n\n") == [Event(data: "\u{FEFF}a")])
    }

    @Test(arguments: ["\n\n", "\r\r", "\r\n\r"])
    func anEventIsNotHeldBack(_ end: String) throws {
        var parser = SSEParser()
        var count = 0
        try Array("data: a\(end)".utf8).withUnsafeBytes { slice in try parser.consume(slice) { _ in count += 1 } }
        #expect(count == 1)
    }

    @Test func aWholeEventIsHandedOutInPlace() throws {
        var parser = SSEParser()
        let bytes = Array("data: in place\n\n".utf8)
        var pointer: UnsafeRawPointer?
        try bytes.withUnsafeBytes { slice in
            try parser.consume(slice) { pointer = $0.data.baseAddress }
            #expect(pointer == slice.baseAddress! + 6)
        }
    }

    @Test func hugeEventsAreRefused() {
        let long = Array("data: \(String(repeating: "x", count: 5000))\n\n".utf8)
        let many = Array(String(repeating: "data: x\n", count: 5000).utf8)
        let endless = Array(String(repeating: "x", count: 5000).utf8)
        for bytes in [long, many, endless] {
            for step in [1, 100, 10_000] {
                let cuts = Array(stride(from: step, to: bytes.count, by: step))
                #expect(throws: SSEError.self) { try parse(bytes, cuts: cuts, limit: 1000) }
            }
        }
    }
}
