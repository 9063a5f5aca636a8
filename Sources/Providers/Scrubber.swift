/// Removes anything that looks like a credential from a vendor's message.
enum Scrubber {
    /// Prefixes of well-known keys. A prefix is removed with the key characters after it if there are at least 12 of
    /// them, but not in the middle of a word such as `risk-assessment-of-loans`.
    private static let beginnings = ["sk-", "gsk_", "ya29.", "AIza", "eyJ", "Bearer "].map { Array($0.utf8) }
    private static let shortest = 12

    /// Public prefixes, which only name the kind of a key. Of two with a common beginning, the longer comes first.
    private static let publicBeginnings = [
        "Bearer ", "bearer ", "Basic ", "basic ", "sk-ant-admin01-", "sk-ant-api03-", "sk-ant-oat01-", "sk-ant-",
        "sk-svcacct-", "sk-service-", "sk-admin-", "sk-proj-", "sk-or-v1-", "sk-", "gsk_", "ya29.", "AIza",
    ].map { Array($0.utf8) }

    /// How many of the first bytes of `key` are public: the prefix of all keys of its kind, or the header of a JSON Web
    /// Token.
    static func publicBytes(of key: UnsafeRawBufferPointer) -> Int {
        var count = 0
        // A scheme and then a key: at most two prefixes.
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

    // Asterisks are the vendor's own masking and may be shown.
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
