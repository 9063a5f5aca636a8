/// Takes what looks like a credential out of a vendor's words, whoever's it is.
enum Scrubber {
    /// Beginnings of well-known keys; a run of at least 12 key characters after one is taken out. In the middle of a word,
    /// such as `risk-assessment-of-loans`, they begin nothing.
    private static let beginnings = ["sk-", "gsk_", "ya29.", "AIza", "eyJ", "Bearer "].map { Array($0.utf8) }
    private static let shortest = 12

    static func scrub(_ text: String) -> String {
        let bytes = Array(text.utf8)
        var out: [UInt8] = []
        var kept = 0
        var position = 0
        while position < bytes.count {
            let isInWord = position > 0 && isLetterOrDigit(bytes[position - 1])
            guard !isInWord, let beginning = beginnings.first(where: { bytes[position...].starts(with: $0) }) else {
                position += 1
                continue
            }
            let start = position + beginning.count
            var end = start
            while end < bytes.count, isKeyByte(bytes[end]) { end += 1 }
            guard end - start >= shortest else {
                position += 1
                continue
            }
            out.append(contentsOf: bytes[kept..<start])
            out.append(contentsOf: SecretSet.mark.utf8)
            kept = end
            position = end
        }
        guard kept > 0 else { return text }
        out.append(contentsOf: bytes[kept...])
        return String(decoding: out, as: UTF8.self)
    }

    // Asterisks are the vendor's own masking, which may well be shown.
    private static func isKeyByte(_ byte: UInt8) -> Bool { isLetterOrDigit(byte) || "-_.=/+".utf8.contains(byte) }

    private static func isLetterOrDigit(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"):
            true
        default: false
        }
    }
}
