/// Takes what looks like a credential out of a vendor's words, whoever's it is.
enum Scrubber {
    /// Beginnings of well-known keys; a run of at least 12 key characters after one is taken out. In the middle of a word,
    /// such as `risk-assessment-of-loans`, they begin nothing.
    private static let beginnings = ["sk-", "gsk_", "ya29.", "AIza", "eyJ", "Bearer "].map { Array($0.utf8) }
    private static let shortest = 12

    /// What may stand before a key and says no more than whose or what it is. The longer of two that begin the same way
    /// comes first.
    private static let publicBeginnings = [
        "Bearer ", "bearer ", "Basic ", "basic ", "sk-ant-admin01-", "sk-ant-api03-", "sk-ant-oat01-", "sk-ant-",
        "sk-svcacct-", "sk-service-", "sk-admin-", "sk-proj-", "sk-or-v1-", "sk-", "gsk_", "ya29.", "AIza",
    ].map { Array($0.utf8) }

    /// How many of the first bytes of `key` anybody may know and write: those that all keys of its kind begin with, of a
    /// JSON web token its header.
    static func publicBytes(of key: UnsafeRawBufferPointer) -> Int {
        var count = 0
        // A scheme and then a key: two beginnings at most.
        for _ in 0..<2 {
            let rest = key[count...]
            count += publicBeginnings.first { rest.starts(with: $0) }?.count ?? 0
        }
        let rest = key[count...]
        guard rest.starts(with: "eyJ".utf8), let end = rest.firstIndex(of: UInt8(ascii: ".")) else { return count }
        return end + 1
    }

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
