internal import Glibc

/// The wall clock, and its times in the issuers' format.
enum WallClock {
    /// Seconds since the Unix epoch.
    static func seconds() -> Int { time(nil) }

    /// Formats seconds since the Unix epoch as RFC 3339.
    static func text(_ seconds: Int) -> String {
        var seconds = seconds
        var parts = tm()
        gmtime_r(&seconds, &parts)
        var buffer = [CChar](repeating: 0, count: 64)
        let count = strftime(&buffer, buffer.count, "%Y-%m-%dT%H:%M:%SZ", &parts)
        return String(decoding: buffer[..<count].map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }
}
