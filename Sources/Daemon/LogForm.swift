internal import Glibc

/// Formats log lines as text or JSON. Appends bytes to a buffer, without intermediate strings.
struct LogForm: Sendable {
    let label: String
    let isJSON: Bool
    /// Whether text lines begin with a timestamp; JSON lines always have one.
    let showsTime: Bool

    /// Begins a line.
    func begin(_ level: String, _ message: String, in line: inout [UInt8]) {
        if isJSON {
            line += "{\"time\":\"".utf8
            Self.addTimestamp(to: &line)
            line += "\",\"level\":\"".utf8
            line += level.utf8
            line += "\",\"label\":".utf8
            Self.addQuoted(label, to: &line)
            line += ",\"message\":".utf8
            Self.addQuoted(message, to: &line)
        } else {
            if showsTime {
                Self.addTimestamp(to: &line)
                line.append(UInt8(ascii: " "))
            }
            line += level.utf8
            line.append(UInt8(ascii: " "))
            line += label.utf8
            line += ": ".utf8
            Self.addOneLine(message, to: &line)
        }
    }

    /// Adds a key and value. In text, control characters are replaced by spaces, and spaces are not quoted.
    func add(_ key: String, _ value: String, to line: inout [UInt8]) {
        if isJSON {
            line.append(UInt8(ascii: ","))
            Self.addQuoted(key, to: &line)
            line.append(UInt8(ascii: ":"))
            Self.addQuoted(value, to: &line)
        } else {
            line.append(UInt8(ascii: " "))
            Self.addOneLine(key, to: &line)
            line.append(UInt8(ascii: "="))
            Self.addOneLine(value, to: &line)
        }
    }

    /// Adds a string that needs no escaping; it is quoted in JSON only.
    func addPlain(_ key: StaticString, _ value: String, to line: inout [UInt8]) {
        addKey(key, to: &line)
        if isJSON { line.append(UInt8(ascii: "\"")) }
        line += value.utf8
        if isJSON { line.append(UInt8(ascii: "\"")) }
    }

    /// Adds an untrusted value, quoted and escaped where necessary: it cannot forge other keys or lines.
    func addUntrusted(_ key: StaticString, _ value: String, to line: inout [UInt8]) {
        addKey(key, to: &line)
        if isJSON || value.isEmpty || !value.utf8.allSatisfy(Self.isPlain) {
            Self.addQuoted(value, to: &line)
        } else {
            line += value.utf8
        }
    }

    /// Adds a number.
    func addNumber(_ key: StaticString, _ value: Int, to line: inout [UInt8]) {
        addKey(key, to: &line)
        Self.addNumber(value, to: &line)
    }

    /// Adds a duration in milliseconds, with three decimals.
    func addMilliseconds(_ key: StaticString, nanoseconds: UInt64, to line: inout [UInt8]) {
        addKey(key, to: &line)
        let microseconds = Int(clamping: nanoseconds / 1000)
        Self.addNumber(microseconds / 1000, to: &line)
        line.append(UInt8(ascii: "."))
        Self.addDigits(microseconds % 1000, 3, to: &line)
    }

    /// Ends a line.
    func end(_ line: inout [UInt8]) {
        if isJSON { line.append(UInt8(ascii: "}")) }
        line.append(UInt8(ascii: "\n"))
    }

    private func addKey(_ key: StaticString, to line: inout [UInt8]) {
        if isJSON {
            line += ",\"".utf8
            key.withUTF8Buffer { line += $0 }
            line += "\":".utf8
        } else {
            line.append(UInt8(ascii: " "))
            key.withUTF8Buffer { line += $0 }
            line.append(UInt8(ascii: "="))
        }
    }

    /// Appends the current time in UTC, with milliseconds (RFC 3339).
    private static func addTimestamp(to line: inout [UInt8]) {
        var now = timespec()
        clock_gettime(CLOCK_REALTIME, &now)
        var parts = tm()
        gmtime_r(&now.tv_sec, &parts)
        func add(_ separator: Unicode.Scalar, _ value: Int32) {
            line.append(UInt8(ascii: separator))
            addDigits(Int(value), 2, to: &line)
        }
        addDigits(Int(parts.tm_year) + 1900, 4, to: &line)
        add("-", parts.tm_mon + 1)
        add("-", parts.tm_mday)
        add("T", parts.tm_hour)
        add(":", parts.tm_min)
        add(":", parts.tm_sec)
        line.append(UInt8(ascii: "."))
        addDigits(now.tv_nsec / 1_000_000, 3, to: &line)
        line.append(UInt8(ascii: "Z"))
    }

    private static func addDigits(_ value: Int, _ width: Int, to line: inout [UInt8]) {
        var divisor = 1
        for _ in 1..<width { divisor *= 10 }
        while divisor > 0 {
            line.append(UInt8(ascii: "0") + UInt8(value / divisor % 10))
            divisor /= 10
        }
    }

    private static func addNumber(_ value: Int, to line: inout [UInt8]) {
        if value < 0 { line.append(UInt8(ascii: "-")) }
        let value = value.magnitude
        var divisor: UInt = 1
        while value / divisor >= 10 { divisor *= 10 }
        while divisor > 0 {
            line.append(UInt8(ascii: "0") + UInt8(value / divisor % 10))
            divisor /= 10
        }
    }

    /// Replaces control characters by spaces: newlines in a vendor's error text could forge log lines.
    private static func addOneLine(_ text: String, to line: inout [UInt8]) {
        guard text.utf8.contains(where: isControl) else {
            line += text.utf8
            return
        }
        for byte in text.utf8 { line.append(isControl(byte) ? UInt8(ascii: " ") : byte) }
    }

    private static func addQuoted(_ text: String, to line: inout [UInt8]) {
        line.append(UInt8(ascii: "\""))
        defer { line.append(UInt8(ascii: "\"")) }
        guard text.utf8.contains(where: { isControl($0) || $0 == UInt8(ascii: "\"") || $0 == UInt8(ascii: "\\") })
        else {
            line += text.utf8
            return
        }
        for byte in text.utf8 {
            switch byte {
            case UInt8(ascii: "\""): line += "\\\"".utf8
            case UInt8(ascii: "\\"): line += "\\\\".utf8
            case UInt8(ascii: "\n"): line += "\\n".utf8
            case _ where isControl(byte):
                line += "\\u00".utf8
                for digit in [byte >> 4, byte & 15] {
                    line.append(digit < 10 ? UInt8(ascii: "0") + digit : UInt8(ascii: "a") + digit - 10)
                }
            default: line.append(byte)
            }
        }
    }

    private static func isControl(_ byte: UInt8) -> Bool { byte < 0x20 || byte == 0x7F }

    private static func isPlain(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "."), UInt8(ascii: "_"), UInt8(ascii: ":"),
            UInt8(ascii: "/"), UInt8(ascii: "@"), UInt8(ascii: "-"):
            true
        default: false
        }
    }
}
