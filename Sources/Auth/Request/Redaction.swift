internal import Config
internal import Encodings

/// Removes the secrets that were sent from error texts that come back: vendors echo them, completely or in part.
struct Redaction {
    /// The shortest part of a secret that is redacted, in bytes.
    private static let window = 8
    /// Longer texts are cut, in bytes.
    private static let longestText = 500

    private var secrets: [Secret] = []

    mutating func add(_ secret: Secret) { secrets.append(secret) }
    mutating func add(_ secret: String) { secrets.append(Secret(secret)) }

    /// `text` with secrets replaced by `<secret>` and control characters by spaces, cut to `longestText` bytes.
    func clean(_ text: String) -> String {
        // Search beyond the cut, so that a secret that spans it is found.
        let bytes = Array(text.utf8.prefix(Self.longestText * 4))
        var isHidden = [Bool](repeating: false, count: bytes.count)
        for secret in secrets {
            secret.withUnsafeBytes { Self.hide($0, in: bytes, &isHidden) }
            var encoded: [UInt8] = []
            secret.withUnsafeBytes { PercentEncoding.append($0, to: &encoded) }
            if encoded.count != secret.count { encoded.withUnsafeBytes { Self.hide($0, in: bytes, &isHidden) } }
        }
        var out: [UInt8] = []
        for (index, byte) in bytes.enumerated() {
            guard out.count < Self.longestText else {
                out += "…".utf8
                break
            }
            if !isHidden[index] {
                out.append(byte < 0x20 || byte == 0x7F ? UInt8(ascii: " ") : byte)
            } else if index == 0 || !isHidden[index - 1] {
                out += "<secret>".utf8
            }
        }
        return String(decoding: out, as: UTF8.self)
    }

    /// Marks every occurrence in `text` of a part of `secret` with `window` bytes, or of the whole secret if it is
    /// shorter.
    private static func hide(_ secret: UnsafeRawBufferPointer, in text: [UInt8], _ isHidden: inout [Bool]) {
        let length = min(window, secret.count)
        // Secrets under 4 bytes would match in ordinary words.
        guard length >= 4, text.count >= length else { return }
        func word(_ bytes: some RandomAccessCollection<UInt8>) -> UInt64 {
            bytes.reduce(0) { $0 << 8 | UInt64($1) }
        }
        let parts = Set((0...(secret.count - length)).map { word(secret[$0..<($0 + length)]) })
        for start in 0...(text.count - length) where parts.contains(word(text[start..<(start + length)])) {
            for index in start..<(start + length) { isHidden[index] = true }
        }
    }
}
