/// Base64 (RFC 4648).
enum Base64 {
    private static let standard = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".utf8)
    private static let urlSafe = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_".utf8)

    /// The standard alphabet, padded: for `Authorization: Basic`.
    static func encode(_ bytes: some Collection<UInt8>) -> String { encode(bytes, standard, isPadded: true) }

    /// The alphabet for URLs, without padding: for JSON web tokens.
    static func encodeForURL(_ bytes: some Collection<UInt8>) -> String { encode(bytes, urlSafe, isPadded: false) }

    private static func encode(_ bytes: some Collection<UInt8>, _ alphabet: [UInt8], isPadded: Bool) -> String {
        var out: [UInt8] = []
        out.reserveCapacity((bytes.count + 2) / 3 * 4)
        var word: UInt32 = 0
        var count = 0
        func flush() {
            for position in 0..<4 where position <= count {
                out.append(alphabet[Int(word >> UInt32(18 - 6 * position) & 63)])
            }
            if isPadded { for _ in count..<3 { out.append(UInt8(ascii: "=")) } }
            (word, count) = (0, 0)
        }
        for byte in bytes {
            word |= UInt32(byte) << UInt32(16 - 8 * count)
            count += 1
            if count == 3 { flush() }
        }
        if count > 0 { flush() }
        return String(decoding: out, as: UTF8.self)
    }
}
