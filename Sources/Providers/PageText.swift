/// The readable text of a body that is not JSON, such as a proxy's HTML page without its tags.
enum PageText {
    /// The longest text, in characters.
    private static let longest = 200
    /// How much of a page is read, in bytes: scripts and styles come first.
    private static let readBytes = 64 << 10
    /// Tags that do not separate words.
    private static let inline: Set<String> = [
        "a", "abbr", "b", "code", "em", "font", "i", "small", "span", "strong", "sub", "sup", "tt", "u",
    ]
    /// Elements without readable text, and the title, which is read separately.
    private static let apart: Set<String> = ["script", "style", "svg", "template", "title"]
    private static let entities: [String: UInt8] = [
        "amp": UInt8(ascii: "&"), "lt": UInt8(ascii: "<"), "gt": UInt8(ascii: ">"), "quot": UInt8(ascii: "\""),
        "apos": UInt8(ascii: "'"), "#39": UInt8(ascii: "'"), "nbsp": 0x20,
    ]

    /// The beginning of the text of `body`; empty if there is none. Runs in linear time.
    static func beginning(_ body: [UInt8]) -> String {
        var reader = Reader(bytes: body[..<min(body.count, readBytes)])
        reader.read()
        let words = text(reader.out)
        let title = text(reader.title)
        let all = title.isEmpty || words.hasPrefix(title) ? words : words.isEmpty ? title : "\(title) \(words)"
        return String(all.prefix(longest))
    }

    private static func text(_ bytes: [UInt8]) -> String {
        String(decoding: bytes, as: UTF8.self)
            .split { $0.isWhitespace || !$0.unicodeScalars.allSatisfy { isPrintable($0) } }
            .joined(separator: " ")
    }

    private static func isPrintable(_ scalar: Unicode.Scalar) -> Bool {
        scalar.value >= 0x20 && scalar.value != 0x7F && scalar.value != 0xFFFD
    }

    private struct Reader {
        let bytes: ArraySlice<UInt8>
        var out: [UInt8] = []
        var title: [UInt8] = []
        private var position = 0

        init(bytes: ArraySlice<UInt8>) { self.bytes = bytes }

        mutating func read() {
            // Stops reading long text that would not be returned.
            while position < bytes.count, out.count < 16 * longest {
                switch bytes[position] {
                case UInt8(ascii: "<"): readTag()
                case UInt8(ascii: "&"): readEntity()
                default:
                    out.append(bytes[position])
                    position += 1
                }
            }
        }

        /// Reads a tag, a comment, or a lone `<`.
        private mutating func readTag() {
            let rest = bytes[(position + 1)...]
            if rest.starts(with: "!--".utf8) { return skip(past: "-->") }
            let isEnd = rest.first == UInt8(ascii: "/")
            let name = rest.dropFirst(isEnd ? 1 : 0).prefix { isLetter($0) || (0x30...0x39).contains($0) }
            guard let first = name.first.map({ isLetter($0) }) ?? rest.first.map({ "!?".utf8.contains($0) }), first
            else {
                out.append(bytes[position])
                position += 1
                return
            }
            let word = String(decoding: name, as: UTF8.self).lowercased()
            skip(past: ">")
            if !PageText.inline.contains(word) { out.append(0x20) }
            guard !isEnd, PageText.apart.contains(word) else { return }
            let start = position
            skip(toEndOf: Array(name))
            if word == "title", title.isEmpty { title = Array(bytes[start..<position]) }
            skip(past: ">")
        }

        /// Skips to the end tag of the element `name`, or to the end. A script may contain other end tags.
        private mutating func skip(toEndOf name: [UInt8]) {
            while position < bytes.count {
                let rest = bytes[position...]
                if rest.starts(with: "</".utf8) {
                    let tag = rest.dropFirst(2).prefix(name.count + 1)
                    let isSame = tag.prefix(name.count).elementsEqual(name) { $0 | 0x20 == $1 | 0x20 }
                    if isSame, tag.count == name.count || !isLetter(tag[tag.endIndex - 1]) { return }
                }
                position += 1
            }
        }

        /// Skips past the next `mark`, or to the end.
        private mutating func skip(past mark: StaticString) {
            let length = mark.utf8CodeUnitCount
            let words = UnsafeBufferPointer(start: mark.utf8Start, count: length)
            while position < bytes.count {
                if bytes[position] == words[0], bytes[position...].starts(with: words) {
                    position += length
                    return
                }
                position += 1
            }
        }

        private mutating func readEntity() {
            let name = bytes[(position + 1)...].prefix(8).prefix { $0 != UInt8(ascii: ";") }
            let end = position + 1 + name.count
            if end < bytes.count, bytes[end] == UInt8(ascii: ";"),
                let byte = PageText.entities[String(decoding: name, as: UTF8.self)]
            {
                out.append(byte)
                position = end + 1
            } else {
                out.append(bytes[position])
                position += 1
            }
        }

        private func isLetter(_ byte: UInt8) -> Bool { (byte | 0x20) >= 0x61 && (byte | 0x20) <= 0x7A }
    }
}
