internal import Config
internal import Glibc

/// The secrets that one call sends, searched for in what comes back: upstreams echo them. Shared by all loops.
///
/// Only a secret's own bytes are found, not another encoding of them: this is against servers that repeat what they are
/// sent, and none is against one that wants to leak the key that it has.
final class SecretSet: Sendable {
    /// What stands for a secret.
    static let mark = "<secret>"
    /// The shortest secret that is searched for in content, in bytes. Keys that servers without keys are given, such as
    /// `ollama`, are words, and an answer may well have them; real keys have 20 bytes and more.
    private static let shortestInContent = 12
    /// The shortest one that is searched for in words about an answer.
    private static let shortestInWords = 4

    /// Those to search for in words about an answer: errors, warnings.
    let inWords: [Secret]
    /// Those to search for in what a model says, and in names and ids.
    let inContent: [Secret]

    private init(inWords: [Secret], inContent: [Secret]) {
        self.inWords = inWords
        self.inContent = inContent
    }

    /// The secrets of a section's own headers, and the newest token.
    init(token: Secret?, headers: [String: String]) {
        var words = headers.values.filter { $0.utf8.count >= 8 }.map { Secret($0) }
        var content = headers.compactMap { Self.credential(in: $1, of: $0) }
        if let token {
            words.append(token)
            content.append(token)
        }
        inWords = words.filter { $0.count >= Self.shortestInWords }
        inContent = content.filter { $0.count >= Self.shortestInContent }
    }

    /// These and `others`.
    func union(_ others: SecretSet) -> SecretSet {
        SecretSet(inWords: inWords + others.inWords, inContent: inContent + others.inContent)
    }

    /// What is secret in a header; `nil` where its name does not suggest anything: titles and addresses are no secrets,
    /// and answers may have them.
    private static func credential(in value: String, of header: String) -> Secret? {
        let name = header.lowercased()
        guard ["auth", "key", "token", "secret", "cookie", "password"].contains(where: { name.contains($0) }) else {
            return nil
        }
        // The word before it, such as Bearer, is no part of it.
        return Secret(name.hasSuffix("authorization") ? value.split(separator: " ").last.map(String.init) ?? "" : value)
    }

    // MARK: - Searching

    /// Where `secrets` are in `bytes`, in order; what overlaps is one range.
    static func ranges(of secrets: [Secret], in bytes: UnsafeRawBufferPointer) -> [Range<Int>] {
        guard let base = bytes.baseAddress else { return [] }
        var found: [Range<Int>] = []
        for secret in secrets where secret.count <= bytes.count {
            secret.withUnsafeBytes { secret in
                guard let key = secret.baseAddress else { return }
                var start = 0
                while start + secret.count <= bytes.count,
                    let hit = memchr(base + start, Int32(secret[0]), bytes.count - secret.count - start + 1)
                {
                    start = UnsafeRawPointer(hit) - base
                    if memcmp(hit, key, secret.count) == 0 {
                        found.append(start..<(start + secret.count))
                        start += secret.count
                    } else {
                        start += 1
                    }
                }
            }
        }
        guard found.count > 1, secrets.count > 1 else { return found }
        found.sort { $0.lowerBound < $1.lowerBound }
        var merged = [found[0]]
        for range in found.dropFirst() {
            let last = merged[merged.count - 1]
            if range.lowerBound < last.upperBound {
                merged[merged.count - 1] = last.lowerBound..<max(last.upperBound, range.upperBound)
            } else {
                merged.append(range)
            }
        }
        return merged
    }

    /// The longest end of `bytes` with which one of `secrets` begins and is not complete: which one, and its length.
    static func beginning(
        of secrets: [Secret], atTheEndOf bytes: UnsafeRawBufferPointer
    ) -> (index: Int, count: Int) {
        var best = (index: 0, count: 0)
        guard let base = bytes.baseAddress else { return best }
        for (index, secret) in secrets.enumerated() {
            secret.withUnsafeBytes { secret in
                guard let key = secret.baseAddress else { return }
                var start = max(0, bytes.count - (secret.count - 1))
                while bytes.count - start > best.count,
                    let hit = memchr(base + start, Int32(secret[0]), bytes.count - start)
                {
                    start = UnsafeRawPointer(hit) - base
                    let count = bytes.count - start
                    if count > best.count, memcmp(hit, key, count) == 0 { best = (index, count) }
                    start += 1
                }
            }
        }
        return best
    }

    /// `text` without `secrets`; the same text as a rule.
    static func scrub(_ text: String, _ secrets: [Secret]) -> String {
        guard !secrets.isEmpty else { return text }
        var text = text
        let scrubbed = text.withUTF8 { scrub(UnsafeRawBufferPointer($0), secrets) }
        return scrubbed.map { String(decoding: $0, as: UTF8.self) } ?? text
    }

    /// `bytes` without `secrets`; `nil` where there are none in them.
    static func scrub(_ bytes: UnsafeRawBufferPointer, _ secrets: [Secret]) -> [UInt8]? {
        let ranges = ranges(of: secrets, in: bytes)
        guard !ranges.isEmpty else { return nil }
        var out: [UInt8] = []
        var kept = 0
        for range in ranges {
            out += bytes[kept..<range.lowerBound]
            out += mark.utf8
            kept = range.upperBound
        }
        return out + bytes[kept...]
    }
}
