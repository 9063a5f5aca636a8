/// Base64 (RFC 4648).
package enum Base64 {
    private static let standard = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".utf8)
    private static let urlSafe = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_".utf8)

    /// Appends `bytes` in the standard alphabet, padded.
    package static func append(_ bytes: [UInt8], to out: inout [UInt8]) {
        append(bytes, standard, isPadded: true, to: &out)
    }

    /// Encodes in the standard alphabet, padded, for example for `Authorization: Basic`.
    package static func encode(_ bytes: [UInt8]) -> String {
        var out: [UInt8] = []
        append(bytes, standard, isPadded: true, to: &out)
        return String(decoding: out, as: UTF8.self)
    }

    /// Encodes in the URL-safe alphabet without padding, for example for JSON web tokens.
    package static func encodeForURL(_ bytes: some Sequence<UInt8>) -> String {
        var out: [UInt8] = []
        append(Array(bytes), urlSafe, isPadded: false, to: &out)
        return String(decoding: out, as: UTF8.self)
    }

    /// Decodes either alphabet, padded or not. Other characters are skipped.
    package static func decode(_ text: some Sequence<UInt8>) -> [UInt8] {
        var out: [UInt8] = []
        var word: UInt32 = 0
        var bits = 0
        for byte in text {
            let value: UInt8
            switch byte {
            case UInt8(ascii: "A")...UInt8(ascii: "Z"): value = byte - 65
            case UInt8(ascii: "a")...UInt8(ascii: "z"): value = byte - 71
            case UInt8(ascii: "0")...UInt8(ascii: "9"): value = byte + 4
            case UInt8(ascii: "+"), UInt8(ascii: "-"): value = 62
            case UInt8(ascii: "/"), UInt8(ascii: "_"): value = 63
            default: continue
            }
            word = word << 6 | UInt32(value)
            bits += 6
            if bits >= 8 {
                bits -= 8
                out.append(UInt8(truncatingIfNeeded: word >> UInt32(bits)))
            }
        }
        return out
    }

    private static func append(_ bytes: [UInt8], _ alphabet: [UInt8], isPadded: Bool, to out: inout [UInt8]) {
        let needed = out.count + (bytes.count + 2) / 3 * 4
        // Reserving the exact size for each of many small pieces would copy the array each time.
        if needed > out.capacity { out.reserveCapacity(max(needed, 2 * out.capacity)) }
        alphabet.withUnsafeBufferPointer { alphabet in
            var index = 0
            while index + 2 < bytes.count {
                let word = UInt32(bytes[index]) << 16 | UInt32(bytes[index + 1]) << 8 | UInt32(bytes[index + 2])
                out.append(alphabet[Int(word >> 18)])
                out.append(alphabet[Int(word >> 12 & 63)])
                out.append(alphabet[Int(word >> 6 & 63)])
                out.append(alphabet[Int(word & 63)])
                index += 3
            }
            let rest = bytes.count - index
            guard rest > 0 else { return }
            let word = UInt32(bytes[index]) << 16 | (rest == 2 ? UInt32(bytes[index + 1]) << 8 : 0)
            out.append(alphabet[Int(word >> 18)])
            out.append(alphabet[Int(word >> 12 & 63)])
            if rest == 2 { out.append(alphabet[Int(word >> 6 & 63)]) }
            if isPadded { for _ in rest..<3 { out.append(UInt8(ascii: "=")) } }
        }
    }
}
