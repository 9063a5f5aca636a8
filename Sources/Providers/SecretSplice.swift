internal import Config

/// Takes secrets out of a text that comes in pieces, also where one is spread over several of them.
///
/// A piece goes on at once. Only where a text ends with a secret's beginning that no ordinary text has are these bytes
/// kept until more has come: 8 bytes or more after what all keys of its kind begin with, such as `sk-ant-api03-`. So no
/// more than 7 bytes of what is secret get out.
struct SecretSplice {
    /// So many bytes of a secret's beginning are kept, not counting those that are public.
    private static let shortestHeld = 8

    // The text so far ends with the first `matched` bytes of the secret at `index`; `delivered` of these have gone on.
    private var index = 0
    private var matched = 0
    private var delivered = 0

    /// Nothing is kept or remembered.
    var isIdle: Bool { matched == 0 }
    /// Bytes are kept.
    var isHolding: Bool { delivered < matched }

    /// What goes on when `text` has come: `text` itself as a rule, and nothing where all of it is kept.
    /// - Parameter secrets: the same ones for all pieces; none may be empty.
    mutating func add(_ text: String, _ secrets: [Secret]) -> String {
        guard !secrets.isEmpty, !text.isEmpty else { return text }
        var text = text
        let rewritten = text.withUTF8 { add(UnsafeRawBufferPointer($0), secrets) }
        return rewritten.map { String(decoding: $0, as: UTF8.self) } ?? text
    }

    /// What stands for the bytes that are kept, which cannot wait: they are the beginning of a secret. What continues it
    /// later is taken out too.
    mutating func flush() -> String {
        guard isHolding else { return "" }
        delivered = matched
        return SecretSet.mark
    }

    /// Whether so much of a secret's beginning is more than ordinary text has.
    private static func isHeld(_ end: (index: Int, count: Int), _ secrets: [Secret]) -> Bool {
        guard end.count >= shortestHeld else { return false }
        return end.count >= shortestHeld + secrets[end.index].withUnsafeBytes { Scrubber.publicBytes(of: $0) }
    }

    /// - Returns: `nil` where the piece goes on as it is.
    private mutating func add(_ bytes: UnsafeRawBufferPointer, _ secrets: [Secret]) -> [UInt8]? {
        guard delivered == matched, !continues(bytes[0], secrets), SecretSet.ranges(of: secrets, in: bytes).isEmpty
        else { return rewrite(bytes, secrets) }
        let end = SecretSet.beginning(of: secrets, atTheEndOf: bytes)
        guard !Self.isHeld(end, secrets) else { return rewrite(bytes, secrets) }
        (index, matched, delivered) = (end.index, end.count, end.count)
        return nil
    }

    /// Whether `byte` makes one of the secrets that the text ends with a byte longer.
    private func continues(_ byte: UInt8, _ secrets: [Secret]) -> Bool {
        guard matched > 0 else { return false }
        return secrets[index].withUnsafeBytes { text in
            let text = text[..<matched]
            return secrets.contains { secret in
                secret.withUnsafeBytes { secret in
                    (1...matched).contains { count in
                        count < secret.count && secret[count] == byte
                            && text.suffix(count).elementsEqual(secret.prefix(count))
                    }
                }
            }
        }
    }

    private mutating func rewrite(_ more: UnsafeRawBufferPointer, _ secrets: [Secret]) -> [UInt8] {
        // What the text ended with, of which the first bytes have gone on, and the piece.
        var bytes = secrets[index].withUnsafeBytes { Array($0[..<matched]) }
        let gone = delivered
        bytes += more
        return bytes.withUnsafeBytes { bytes in
            var out: [UInt8] = []
            var start = gone
            for range in SecretSet.ranges(of: secrets, in: bytes) {
                if start < range.lowerBound { out += bytes[start..<range.lowerBound] }
                out += SecretSet.mark.utf8
                start = range.upperBound
            }
            let rest = UnsafeRawBufferPointer(rebasing: bytes[start...])
            // A beginning may reach back into what has gone on.
            let whole = start == gone ? bytes : rest
            let end = SecretSet.beginning(of: secrets, atTheEndOf: whole)
            (index, matched) = (end.index, end.count)
            if !Self.isHeld(end, secrets) {
                out += rest
                delivered = matched
            } else {
                out += rest.dropLast(min(matched, rest.count))
                delivered = matched - min(matched, rest.count)
            }
            return out
        }
    }
}
