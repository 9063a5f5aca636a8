import HTTPClient
import Testing

@Suite struct SSEParserTests {
    /// The events of `slices` as `name|data`, stray lines as `!line`.
    private static func events(_ slices: [[UInt8]], finish: Bool = true) throws -> [String] {
        var parser = SSEParser(maximumEventBytes: 1000)
        var seen: [String] = []
        let note: (SSEEvent) -> Void = { event in
            let data = String(decoding: event.data, as: UTF8.self)
            seen.append(event.isStray ? "!" + data : String(decoding: event.name, as: UTF8.self) + "|" + data)
        }
        for slice in slices { try slice.withUnsafeBytes { try parser.consume($0, note) } }
        if finish { parser.finish(note) }
        return seen
    }

    private static let stream =
        "\u{FEFF}: comment\r\ndata: one\r\n\r\nevent: error\ndata:two\ndata:  three\nid: 7\nretry: 5\nunknown: x\n\n"
        + "data\n\ndata: fünf 🦊\r\rdata: x\r\n\n\n\nevent: lonely\n\n{\"error\": {\n}}\ndata: last"

    private static let expected = [
        "|one", "error|two\n three", "|", "|fünf 🦊", "|x", "!{\"error\": {", "!}}", "|last",
    ]

    @Test func everyLineEndAndField() throws {
        #expect(try Self.events([Array(Self.stream.utf8)]) == Self.expected)
    }

    @Test func everySlicing() throws {
        let bytes = Array(Self.stream.utf8)
        #expect(try Self.events(bytes.map { [$0] }) == Self.expected)
        for cut in 0...bytes.count {
            #expect(try Self.events([Array(bytes[..<cut]), Array(bytes[cut...])]) == Self.expected, "cut at \(cut)")
        }
        for step in 2..<9 {
            let slices = stride(from: 0, to: bytes.count, by: step).map {
                Array(bytes[$0..<min($0 + step, bytes.count)])
            }
            #expect(try Self.events(slices) == Self.expected, "steps of \(step)")
        }
    }

    @Test func anEventIsNotHeldBack() throws {
        #expect(try Self.events([Array("data: a\n\n".utf8)], finish: false) == ["|a"])
        #expect(try Self.events([Array("data: a\r\r".utf8)], finish: false) == ["|a"])
    }

    @Test func hugeEventsAreRefusedBeforeTheyAreWhole() {
        #expect(throws: SSEError.self) {
            try Self.events([Array("data: ".utf8), [UInt8](repeating: 0x78, count: 1001)], finish: false)
        }
        #expect(throws: SSEError.self) {
            try Self.events((0..<200).map { _ in Array("data: 12345\n".utf8) }, finish: false)
        }
    }
}
