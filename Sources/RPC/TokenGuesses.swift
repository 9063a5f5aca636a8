internal import EventLoop
internal import Glibc

/// Slows down token guessing per address: after a few invalid tokens, the server delays reading new connections from
/// that address. Callers with a valid token wait as well; otherwise the delay would reveal which tokens are valid.
struct TokenGuesses {
    /// The source of invalid tokens: an IPv4 address, or an IPv6 /64 network, which is what one subscriber usually has.
    struct Origin: Hashable, Sendable {
        private let bits: UInt64
        private let isIPv6: Bool

        /// Reads the peer of a connected TCP socket; `nil` for any other descriptor.
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

    /// Invalid tokens per address without a delay, for typing mistakes and services with an outdated token.
    private static let freeGuesses = 3
    /// The first delay; it doubles with each further invalid token.
    private static let firstDelay = TimeAmount.milliseconds(250)
    /// The longest delay.
    private static let longestDelay = TimeAmount.seconds(1)
    /// An address without an invalid token for this long is forgotten.
    private static let memory = TimeAmount.seconds(60)
    /// The maximum number of remembered addresses.
    private static let capacity = 1024

    private var records: [Origin: Record] = [:]

    /// The number of remembered addresses.
    var count: Int { records.count }

    /// Counts an invalid token.
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

    /// Returns how long a new connection from this address must wait before it is read.
    func delay(_ origin: Origin, now: Instant) -> TimeAmount {
        guard let record = records[origin], now < record.lastAt + Self.memory, record.count >= Self.freeGuesses else {
            return .zero
        }
        return min(Self.firstDelay * (1 << UInt64(min(record.count - Self.freeGuesses, 8))), Self.longestDelay)
    }
}
