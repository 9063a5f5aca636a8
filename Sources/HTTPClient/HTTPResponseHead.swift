internal import Glibc

/// The status and headers of a response.
package struct HTTPResponseHead: Sendable {
    /// The final status code, 200 or higher.
    package let status: Int
    /// The status line and header lines as received. Parsed only on access.
    private let lines: [UInt8]

    init(status: Int, lines: [UInt8]) {
        self.status = status
        self.lines = lines
    }

    /// The value of the first header with this name, compared without case; `nil` if there is none.
    package func header(_ name: StaticString) -> String? {
        lines.withUnsafeBytes { lines in
            guard let base = lines.baseAddress else { return nil }
            var start = 0
            while start < lines.count {
                let feed = memchr(base + start, 0x0A, lines.count - start).map { UnsafeRawPointer($0) - base }
                let end = feed ?? lines.count
                let line = UnsafeRawBufferPointer(rebasing: lines[start..<end])
                if let value = Self.value(line, of: name) { return value }
                start = end + 1
            }
            return nil
        }
    }

    private static func value(_ line: UnsafeRawBufferPointer, of name: StaticString) -> String? {
        let length = name.utf8CodeUnitCount
        guard line.count > length, line[length] == UInt8(ascii: ":") else { return nil }
        for index in 0..<length where lower(line[index]) != lower(name.utf8Start[index]) { return nil }
        var start = length + 1
        var end = line.count
        while start < end, isSpace(line[start]) { start += 1 }
        while end > start, isSpace(line[end - 1]) { end -= 1 }
        return String(decoding: UnsafeRawBufferPointer(rebasing: line[start..<end]), as: UTF8.self)
    }

    private static func lower(_ byte: UInt8) -> UInt8 { byte >= 0x41 && byte <= 0x5A ? byte | 0x20 : byte }

    private static func isSpace(_ byte: UInt8) -> Bool { byte == 0x20 || byte == 0x09 || byte == 0x0D }
}
