internal import Config

/// Removes secrets from a text that arrives in pieces, even if a secret spans several pieces.
///
/// A piece is passed on at once, unless the text ends with the beginning of a secret that ordinary text does not
/// contain: 8 bytes or more after the public prefix, such as `sk-ant-api03-`. These bytes are held until more arrive.
/// So at most 7 secret bytes are delivered.
struct SecretSplice {
    /// The number of bytes from which on the beginning of a secret is held, without its public prefix.
    private static let shortestHeld = 8

    // The text so far ends with the first `matched` bytes of the secret at `index`; `delivered` of these were
    // delivered.
    private var index = 0
    private var matched = 0
    private var delivered = 0

    /// Whether the text does not end with the beginning of a secret.
    var isIdle: Bool { matched == 0 }
    /// Whether bytes are held.
    var isHolding: Bool { delivered < matched }

    /// The bytes to deliver after `text` arrives: usually `text` itself, nothing if all of it is held.
    /// - Parameter secrets: the same ones for all pieces; none may be empty.
    mutating func add(_ text: String, _ secrets: [Secret]) -> String {
        guard !secrets.isEmpty, !text.isEmpty else { return text }
        var text = text
        let rewritten = text.withUTF8 { add(UnsafeRawBufferPointer($0), secrets) }
        return rewritten.map { String(decoding: $0, as: UTF8.self) } ?? text
    }

    /// The replacement for the held bytes, when they must be delivered now. A continuation of the secret that arrives
    /// later is removed too.
    mutating func flush() -> String {
        guard isHolding else { return "" }
        delivered = matched
        return SecretSet.mark
    }

    /// Whether the beginning of a secret is long enough to be held.
    private static func isHeld(_ end: (index: Int, count: Int), _ secrets: [Secret]) -> Bool {
        guard end.count >= shortestHeld else { return false }
        return end.count >= shortestHeld + secrets[end.index].withUnsafeBytes { Scrubber.publicBytes(of: $0) }
    }

    /// - Returns: `nil` if the piece is delivered unchanged.
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
