internal import Glibc

/// An IP address of a host.
package struct RemoteAddress: Sendable, Equatable {
    /// 4 bytes for IPv4, 16 for IPv6; empty for any other family, which is never allowed.
    private let bytes: [UInt8]

    init(_ address: UnsafeRawPointer, length: Int) {
        let raw = UnsafeRawBufferPointer(start: address, count: length)
        let family = length >= 2 ? Int32(raw.loadUnaligned(as: sa_family_t.self)) : AF_UNSPEC
        bytes =
            switch family {
            case AF_INET where length >= 8: Array(raw[4..<8])
            case AF_INET6 where length >= 24: Array(raw[8..<24])
            default: []
            }
    }

    /// Parses an IPv4 or IPv6 address, for example `::1`; `nil` for any other text.
    package init?(_ text: String) {
        var bytes = [UInt8](repeating: 0, count: 16)
        if inet_pton(AF_INET, text, &bytes) == 1 {
            self.bytes = Array(bytes[..<4])
        } else if inet_pton(AF_INET6, text, &bytes) == 1 {
            self.bytes = bytes
        } else {
            return nil
        }
    }

    /// Whether the address is on the public Internet: not loopback, private, link-local (cloud metadata services) or
    /// otherwise reserved by IANA's special-purpose address registries.
    package var isPublic: Bool {
        switch bytes.count {
        case 4: Self.isPublic(v4: bytes[...])
        case 16: isPublicV6
        default: false
        }
    }

    private var isPublicV6: Bool {
        // IPv4 embedded in IPv6: mapped addresses and NAT64.
        let mapped: [UInt8] = [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xFF, 0xFF]
        let translated: [UInt8] = [0, 0x64, 0xFF, 0x9B, 0, 0, 0, 0, 0, 0, 0, 0]
        if bytes.starts(with: mapped) || bytes.starts(with: translated) { return Self.isPublic(v4: bytes[12...]) }
        // Global unicast without its reserved ranges.
        guard bytes[0] & 0xE0 == 0x20 else { return false }
        let start = UInt32(bytes[0]) << 24 | UInt32(bytes[1]) << 16 | UInt32(bytes[2]) << 8 | UInt32(bytes[3])
        let isReserved =
            start & 0xFFFF_FE00 == 0x2001_0000 || start == 0x2001_0DB8 || start >> 16 == 0x2002
            || start & 0xFFFF_F000 == 0x3FFF_0000
        return !isReserved
    }

    /// IPv4 networks that are not public: first address and prefix length.
    private static let reserved: [(network: UInt32, length: UInt32)] = [
        (0x0000_0000, 8), (0x0A00_0000, 8), (0x6440_0000, 10), (0x7F00_0000, 8), (0xA9FE_0000, 16),
        (0xAC10_0000, 12), (0xC000_0000, 24), (0xC000_0200, 24), (0xC058_6300, 24), (0xC0A8_0000, 16),
        (0xC612_0000, 15), (0xC633_6400, 24), (0xCB00_7100, 24), (0xE000_0000, 3),
        // Azure's service for its virtual machines, on an address that is public elsewhere.
        (0xA83F_8110, 32),
    ]

    private static func isPublic(v4 bytes: ArraySlice<UInt8>) -> Bool {
        let address = bytes.reduce(UInt32(0)) { $0 << 8 | UInt32($1) }
        return !reserved.contains { address >> (32 - $0.length) == $0.network >> (32 - $0.length) }
    }
}
