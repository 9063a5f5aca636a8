import JSON
import Testing

struct SplitMix: RandomNumberGenerator {
    private var state: UInt64
    init(seed: UInt64) { state = seed &* 0x9E37_79B9_7F4A_7C15 &+ 1 }
    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var z = state
        z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
        return z ^ (z >> 31)
    }
}

@Suite struct JSONTests {
    private static func random(_ depth: Int, _ random: inout SplitMix) -> JSONValue {
        switch random.next() % (depth > 0 ? 8 : 6) {
        case 0: return .null
        case 1: return .bool(random.next() % 2 == 0)
        case 2: return .int(Int(truncatingIfNeeded: random.next() >> 1))
        case 3: return .double(Double(Int64(truncatingIfNeeded: random.next()) % 1_000_000) / 64)
        case 4, 5:
            let scalars: [Character] = ["a", "\"", "\\", "\n", "\u{0}", "\u{1F}", "é", "🦊", "\u{2028}", "/", "<"]
            return .string(String((0..<Int(random.next() % 12)).map { _ in scalars[Int(random.next() % 11)] }))
        case 6: return .array((0..<Int(random.next() % 5)).map { _ in Self.random(depth - 1, &random) })
        default:
            return .object(
                (0..<Int(random.next() % 5)).map { (key: "k\($0)\"é", value: Self.random(depth - 1, &random)) })
        }
    }

    @Test(arguments: 0..<50)
    func whatIsWrittenReadsBackTheSame(_ seed: UInt64) throws {
        var random = SplitMix(seed: seed)
        for _ in 0..<50 {
            let value = Self.random(4, &random)
            #expect(try JSONValue(parsing: value.text) == value)
        }
    }

    /// An object survives being split and reassembled.
    @Test(arguments: 0..<20)
    func membersAreCopiedAsTheyAre(_ seed: UInt64) throws {
        var random = SplitMix(seed: seed)
        for _ in 0..<50 {
            let members = (0..<Int(random.next() % 6)).map {
                (key: "k\($0)\\\"é\n", value: Self.random(4, &random))
            }
            let value = JSONValue.object(members)
            var text = value.text
            if random.next() % 2 == 0 { text = " { " + text.dropFirst().dropLast().replacing(":", with: " : ") + "\n}" }
            let source = try JSONValue(parsing: text)
            var writer = JSONWriter()
            writer.beginObject()
            Array(text.utf8).withUnsafeBufferPointer { buffer in
                JSONMembers.forEach(of: buffer) { key, value in
                    writer.key(key)
                    writer.raw(value)
                }
            }
            writer.endObject()
            #expect(try JSONValue(parsing: writer.bytes) == source)
        }
    }

    @Test(arguments: ["", "[1,2]", "null", "{", "{\"a", "{\"a\":", "{\"a\":[", "{\"a\":\"\\", "{\"a\" 1", "{\"a\":1,"])
    func whatIsNoObjectHasNoEndlessMembers(_ text: String) {
        var count = 0
        Array(text.utf8).withUnsafeBufferPointer { JSONMembers.forEach(of: $0) { _, _ in count += 1 } }
        #expect(count <= 1)
    }

    @Test func everyByteIsEscapedAsItMustBe() throws {
        let all = String(String.UnicodeScalarView((0..<0x80).compactMap { Unicode.Scalar($0) }))
        for text in [all, all + all, String(repeating: "\u{1}", count: 100), "a\"" + String(repeating: "x", count: 40)]
        {
            var writer = JSONWriter()
            writer.string(text)
            #expect(writer.bytes.allSatisfy { $0 >= 0x20 })
            #expect(try JSONValue(parsing: writer.bytes).string == text)
        }
        var writer = JSONWriter()
        writer.string("\u{1F}\t\"\\/")
        #expect(String(decoding: writer.bytes, as: UTF8.self) == #""\u001f\t\"\\/""#)
    }

    @Test(arguments: 0..<20)
    func noDamageCrashesTheReader(_ seed: UInt64) {
        var random = SplitMix(seed: seed)
        let parser = JSONParser()
        for _ in 0..<200 {
            var bytes = Array(Self.random(4, &random).text.utf8)
            for _ in 0..<Int(random.next() % 4) where !bytes.isEmpty {
                bytes[Int(random.next() % UInt64(bytes.count))] = UInt8(truncatingIfNeeded: random.next())
            }
            if random.next() % 2 == 0 { bytes.removeLast(Int(random.next() % UInt64(bytes.count + 1))) }
            withExtendedLifetime(parser) {
                if let root = try? parser.parse(bytes) { _ = JSONValue(root).text }
            }
        }
    }

    @Test func whatServersReallySend() throws {
        #expect(try JSONValue(parsing: #"{"a":"\ud83d"}"#)["a"]?.string == "\u{FFFD}")
        #expect(try JSONValue(parsing: #"{"a":"\ud83e\udd8a \udc00 x"}"#)["a"]?.string == "🦊 \u{FFFD} x")
        #expect(try JSONValue(parsing: "[12479678939117453000]")[0] != nil)
        #expect(try JSONValue(parsing: "[123456789012345678901234567890]")[0]?.double == 1.2345678901234568e29)
        #expect(try JSONValue(parsing: #""a\u0000b""#).string == "a\u{0}b")
        #expect(try JSONValue(parsing: #"{"a":null}"#)["a"]?.isNull == true)
        let parser = JSONParser()
        let isAbsent = try withExtendedLifetime(parser) { try parser.parse(#"{"a":null}"#)["a"] == nil }
        #expect(isAbsent)
    }

    @Test(arguments: ["", " ", "{", "[1,]", "{\"a\":}", "nul", "\"\\x\"", "[1] 2", "\u{FEFF}"])
    func whatIsNoJSONIsAnError(_ text: String) {
        #expect(throws: JSONError.self) { try JSONValue(parsing: text) }
    }

    @Test func hostileInput() {
        #expect(throws: JSONError.self) { try JSONValue(parsing: String(repeating: "[", count: 100_000)) }
        #expect(throws: JSONError.self) { try JSONValue(parsing: [0x22, 0xFF, 0xFE, 0x22]) }
    }

    @Test func aParserIsAsGoodAfterAHugeDocument() throws {
        let parser = JSONParser()
        let huge = "[\"" + String(repeating: "x", count: 5 << 20) + "\"]"
        let counts = try withExtendedLifetime(parser) {
            let first = try parser.parse(huge).first?.string?.count
            let second = try parser.parse("[1]").first?.int
            let broken = try? parser.parse("[")
            let last = try parser.parse("{\"a\":[true]}")["a"]?.first?.bool
            return (first, second, broken == nil, last)
        }
        #expect(counts == (5 << 20, 1, true, true))
    }

    @Test func numbersAreWrittenShort() {
        var writer = JSONWriter()
        writer.beginArray()
        for value in [0.7, 1, -0.5, 1e21, 0.1 + 0.2, .nan, .infinity] { writer.double(value) }
        writer.endArray()
        #expect(String(decoding: writer.bytes, as: UTF8.self) == "[0.7,1,-0.5,1e+21,0.30000000000000004,null,null]")
    }
}
