internal import Config
internal import Encodings
internal import Glibc

/// The secrets that one call sends, to be removed from its response: upstreams may echo them. Shared by all loops.
///
/// Only the exact bytes of a secret are found, not encodings of them. The search protects against servers that echo
/// what they receive; it cannot stop a server that leaks a key on purpose.
final class SecretSet: Sendable {
    /// The replacement for a secret.
    static let mark = "<secret>"
    /// The shortest secret that is searched for in content, in bytes. Placeholder keys such as `ollama` are ordinary
    /// words that a response may contain; real keys have 20 bytes or more.
    private static let shortestInContent = 12
    /// The shortest credential that is searched for in errors and warnings, in bytes.
    private static let shortestInWords = 4
    /// The same for any other header, so that values such as `true` in `X-Keep-Tokens: true` stay.
    private static let shortestOfHeader = 8

    /// The secrets to search for in errors and warnings; includes all of `inContent`.
    let inWords: [Secret]
    /// The secrets to search for in a model's output, and in names and ids.
    let inContent: [Secret]

    private init(inWords: [Secret], inContent: [Secret]) {
        self.inWords = inWords
        self.inContent = inContent
    }

    /// The secrets of a section's own headers, and the newest token.
    init(token: Secret?, headers: [String: String]) {
        var words: [Secret] = []
        var content: [Secret] = []
        func add(_ secret: Secret, _ shortest: Int, isCredential: Bool) {
            if secret.count >= shortest { words.append(secret) }
            if isCredential, secret.count >= Self.shortestInContent { content.append(secret) }
        }
        for (name, value) in headers {
            let name = name.lowercased()
            let isCredential = Self.namesCredential(name)
            add(Secret(value), Self.shortestOfHeader, isCredential: isCredential)
            guard isCredential else { continue }
            let shortest = name.hasSuffix("authorization") ? Self.shortestInWords : Self.shortestOfHeader
            for part in Self.parts(of: value) { add(part, shortest, isCredential: true) }
        }
        if let token { add(token, Self.shortestInWords, isCredential: true) }
        inWords = words
        inContent = content
    }

    /// These and `others`.
    func union(_ others: SecretSet) -> SecretSet {
        SecretSet(inWords: inWords + others.inWords, inContent: inContent + others.inContent)
    }

    /// Whether the name of a header suggests that its value is secret: titles and addresses are not, and answers may
    /// have them.
    private static func namesCredential(_ header: String) -> Bool {
        ["auth", "key", "token", "secret", "cookie", "password"].contains { header.contains($0) }
    }

    /// The secret parts of a header's value: each word after a scheme such as `Bearer`, the values of `name=value`
    /// pairs as in cookies, and the decoded `Basic` credentials and their password.
    private static func parts(of value: String) -> [Secret] {
        let words = value.split { " ;,".contains($0) }
        let hasScheme = words.count > 1 && !words[0].contains("=")
        var parts: [Secret] = []
        for word in words.dropFirst(hasScheme ? 1 : 0) {
            parts.append(Secret(String(word)))
            guard let equals = word.firstIndex(of: "=") else { continue }
            let quotes: Set<Character> = ["\"", "'"]
            let bare = word[word.index(after: equals)...].drop { quotes.contains($0) }.prefix { !quotes.contains($0) }
            parts.append(Secret(String(bare)))
        }
        if words.count == 2, words[0].lowercased() == "basic" {
            let pair = Base64.decode(words[1].utf8)
            parts.append(Secret(pair))
            if let colon = pair.firstIndex(of: UInt8(ascii: ":")) { parts.append(Secret(pair[(colon + 1)...])) }
        }
        return parts
    }

    // MARK: - Searching

    /// The ranges of `secrets` in `bytes`, in order; overlapping ranges are merged.
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

    /// `text` with `secrets` replaced by `mark`.
    static func scrub(_ text: String, _ secrets: [Secret]) -> String {
        guard !secrets.isEmpty else { return text }
        var text = text
        let scrubbed = text.withUTF8 { scrub(UnsafeRawBufferPointer($0), secrets) }
        return scrubbed.map { String(decoding: $0, as: UTF8.self) } ?? text
    }

    /// `bytes` with `secrets` replaced by `mark`; `nil` if they contain none.
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
