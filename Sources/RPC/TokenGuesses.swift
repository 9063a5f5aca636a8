internal import EventLoop
internal import Glibc

/// Slows down whoever guesses tokens, by address: after a few wrong tokens, further connections from there wait before
/// they are read. A caller with the right token waits as well, else an attacker would only watch who is quick.
struct TokenGuesses {
    /// Where wrong tokens came from: an IPv4 address, or an IPv6 network of 64 bits, which is what one subscriber has.
    struct Origin: Hashable, Sendable {
        private let bits: UInt64
        private let isIPv6: Bool

        /// The peer of a connected TCP socket; `nil` for any other.
        init?(descriptor: Int32) {
            var storage = sockaddr_storage()
            var length = socklen_t(MemoryLayout<sockaddr_storage>.size)
            let isKnown = withUnsafeMutablePointer(to: &storage) { pointer in
                pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                    getpeername(descriptor, $0, &length) == 0
                }
            }
            guard isKnown else { return nil }
            let words = withUnsafeBytes(of: &storage) { raw -> (v4: UInt32, high: UInt64, low: UInt64) in
                (
                    raw.loadUnaligned(fromByteOffset: 4, as: UInt32.self).bigEndian,
                    raw.loadUnaligned(fromByteOffset: 8, as: UInt64.self).bigEndian,
                    raw.loadUnaligned(fromByteOffset: 16, as: UInt64.self).bigEndian
                )
            }
            switch Int32(storage.ss_family) {
            case AF_INET: self.init(ipv4: words.v4)
            case AF_INET6 where words.high == 0 && words.low >> 32 == 0xFFFF:
                self.init(ipv4: UInt32(truncatingIfNeeded: words.low))
            case AF_INET6: self.init(bits: words.high, isIPv6: true)
            default: return nil
            }
        }

        init(ipv4 address: UInt32) { self.init(bits: UInt64(address), isIPv6: false) }

        private init(bits: UInt64, isIPv6: Bool) {
            self.bits = bits
            self.isIPv6 = isIPv6
        }
    }

    private struct Record {
        var count: Int
        var lastAt: Instant
    }

    /// Wrong tokens of one address that cost nothing: a typing mistake, a service with last week's token.
    private static let freeGuesses = 3
    /// The first wait, which doubles with each further wrong token.
    private static let firstDelay = TimeAmount.milliseconds(250)
    /// The longest wait.
    private static let longestDelay = TimeAmount.seconds(1)
    /// After so long without a wrong token an address is forgotten.
    private static let memory = TimeAmount.seconds(60)
    /// The most addresses that are remembered.
    private static let capacity = 1024

    private var records: [Origin: Record] = [:]

    /// How many addresses are remembered.
    var count: Int { records.count }

    /// Notes a wrong token.
    mutating func failed(_ origin: Origin, now: Instant) {
        if records[origin] == nil, records.count >= Self.capacity {
            records = records.filter { now < $0.value.lastAt + Self.memory }
            if records.count >= Self.capacity, let oldest = records.min(by: { $0.value.lastAt < $1.value.lastAt }) {
                records[oldest.key] = nil
            }
        }
        let before = records[origin].map { now < $0.lastAt + Self.memory ? $0.count : 0 } ?? 0
        records[origin] = Record(count: min(before + 1, 64), lastAt: now)
    }

    /// How long a new connection waits before it is read.
    func delay(_ origin: Origin, now: Instant) -> TimeAmount {
        guard let record = records[origin], now < record.lastAt + Self.memory, record.count >= Self.freeGuesses else {
            return .zero
        }
        return min(Self.firstDelay * (1 << UInt64(min(record.count - Self.freeGuesses, 8))), Self.longestDelay)
    }
}
