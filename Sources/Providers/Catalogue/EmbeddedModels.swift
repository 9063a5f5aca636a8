internal import CCatalogue
internal import JSON

/// The entries of the embedded models.json. The file is not parsed as a whole: it has one entry per line, sorted by the
/// bytes of the keys, and entries are found by binary search.
enum EmbeddedModels {
    private static var text: UnsafeBufferPointer<UInt8> {
        UnsafeBufferPointer(start: gw_catalogue_models, count: gw_catalogue_models_size)
    }

    /// The embedded rules.json.
    static var rules: [UInt8] { Array(UnsafeBufferPointer(start: gw_catalogue_rules, count: gw_catalogue_rules_size)) }

    /// The facts of `key`, which is `provider/name`; `nil` if there is no such entry.
    static func entry(_ key: String) -> ModelFacts.Stated? {
        let wanted = Array(key.utf8)
        let text = text
        var range = bounds(text)
        while !range.isEmpty {
            let start = startOfLine(text, range.lowerBound + range.count / 2, notBefore: range.lowerBound)
            let end = endOfLine(text, start)
            let name = Self.key(ofLine: text[start..<end])
            if name.elementsEqual(wanted) { return facts(ofLine: text[start..<end]) }
            range =
                name.lexicographicallyPrecedes(wanted)
                ? min(end + 1, range.upperBound)..<range.upperBound : range.lowerBound..<start
        }
        return nil
    }

    /// All keys, in order.
    static var keys: [String] {
        let text = text
        var keys: [String] = []
        let range = bounds(text)
        var start = range.lowerBound
        while start < range.upperBound {
            let end = endOfLine(text, start)
            keys.append(String(decoding: key(ofLine: text[start..<end]), as: UTF8.self))
            start = end + 1
        }
        return keys
    }

    /// The lines with entries: all except the first three and the last.
    private static func bounds(_ text: UnsafeBufferPointer<UInt8>) -> Range<Int> {
        var start = 0
        for _ in 0..<3 { start = endOfLine(text, start) + 1 }
        let closing = text.lastIndex(of: UInt8(ascii: "}")) ?? 0
        let end = text[..<closing].lastIndex(of: newline).map { $0 + 1 } ?? 0
        return start..<max(start, end)
    }

    private static let newline = UInt8(ascii: "\n")

    private static func startOfLine(_ text: UnsafeBufferPointer<UInt8>, _ index: Int, notBefore lowest: Int) -> Int {
        text[lowest..<index].lastIndex(of: newline).map { $0 + 1 } ?? lowest
    }

    private static func endOfLine(_ text: UnsafeBufferPointer<UInt8>, _ index: Int) -> Int {
        text[min(index, text.count)...].firstIndex(of: newline) ?? text.count
    }

    private static func key(ofLine line: Slice<UnsafeBufferPointer<UInt8>>) -> Slice<UnsafeBufferPointer<UInt8>> {
        line.dropFirst().prefix { $0 != UInt8(ascii: "\"") }
    }

    private static func facts(ofLine line: Slice<UnsafeBufferPointer<UInt8>>) -> ModelFacts.Stated? {
        guard let brace = line.firstIndex(of: UInt8(ascii: "{")) else { return nil }
        var json = Array(line[brace...])
        if json.last == UInt8(ascii: ",") { json.removeLast() }
        guard let members = try? JSONValue(parsing: json).members else { return nil }
        return Dictionary(members.map { ($0.key, $0.value) }, uniquingKeysWith: { _, last in last })
    }
}
