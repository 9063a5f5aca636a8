/// Writes JSON text into a byte array and inserts commas. The caller must balance `begin…` and `end…` calls.
package struct JSONWriter {
    /// The text written so far.
    package private(set) var bytes: [UInt8] = []
    /// Whether the next value or key must be preceded by a comma.
    private var needsComma = false

    /// Creates a writer with initial space for `capacity` bytes.
    package init(capacity: Int = 256) { bytes.reserveCapacity(capacity) }

    /// Writes `{`.
    package mutating func beginObject() {
        separate()
        bytes.append(UInt8(ascii: "{"))
        needsComma = false
    }

    /// Writes `}`.
    package mutating func endObject() {
        bytes.append(UInt8(ascii: "}"))
        needsComma = true
    }

    /// Writes `[`.
    package mutating func beginArray() {
        separate()
        bytes.append(UInt8(ascii: "["))
        needsComma = false
    }

    /// Writes `]`.
    package mutating func endArray() {
        bytes.append(UInt8(ascii: "]"))
        needsComma = true
    }

    /// Writes a member's name that needs no escapes.
    package mutating func key(_ name: StaticString) {
        separate()
        bytes.append(UInt8(ascii: "\""))
        name.withUTF8Buffer { bytes.append(contentsOf: $0) }
        bytes.append(UInt8(ascii: "\""))
        bytes.append(UInt8(ascii: ":"))
        needsComma = false
    }

    /// Writes a member's name, with escapes.
    package mutating func key(_ name: String) {
        separate()
        quote(name)
        bytes.append(UInt8(ascii: ":"))
        needsComma = false
    }

    /// Writes a string, with escapes.
    package mutating func string(_ text: String) {
        separate()
        quote(text)
        needsComma = true
    }

    /// Writes a string from bytes that `append` adds. They must be UTF-8 that needs no escapes, for example Base64.
    package mutating func plainString(prefix: String = "", _ append: (inout [UInt8]) -> Void) {
        separate()
        bytes.append(UInt8(ascii: "\""))
        bytes.append(contentsOf: prefix.utf8)
        append(&bytes)
        bytes.append(UInt8(ascii: "\""))
        needsComma = true
    }

    /// Writes an integer.
    package mutating func int(_ value: some BinaryInteger) {
        separate()
        bytes.append(contentsOf: String(value).utf8)
        needsComma = true
    }

    /// Writes a number in the shortest form that parses to the same value. NaN and infinity, which JSON lacks, become
    /// `null`.
    package mutating func double(_ value: Double) {
        guard value.isFinite else { return null() }
        separate()
        if value == value.rounded(), abs(value) < 1e15 {
            bytes.append(contentsOf: String(Int64(value)).utf8)
        } else {
            bytes.append(contentsOf: value.description.utf8)
        }
        needsComma = true
    }

    /// Writes `true` or `false`.
    package mutating func bool(_ value: Bool) {
        separate()
        bytes.append(contentsOf: (value ? "true" : "false").utf8)
        needsComma = true
    }

    /// Writes `null`.
    package mutating func null() {
        separate()
        bytes.append(contentsOf: "null".utf8)
        needsComma = true
    }

    /// Writes a value that is already JSON text. It is not validated.
    package mutating func raw(_ json: String) {
        separate()
        bytes.append(contentsOf: json.utf8)
        needsComma = true
    }

    /// Writes a value that is already JSON text in UTF-8. It is not validated.
    package mutating func raw(_ json: UnsafeBufferPointer<UInt8>) {
        separate()
        bytes.append(contentsOf: json)
        needsComma = true
    }

    private mutating func separate() {
        if needsComma { bytes.append(UInt8(ascii: ",")) }
    }

    private mutating func quote(_ text: String) {
        bytes.append(UInt8(ascii: "\""))
        var text = text
        text.withUTF8 { utf8 in
            var index = 0
            while index < utf8.count {
                let start = index
                while index < utf8.count, !Self.needsEscape(utf8[index]) { index += 1 }
                if index > start { bytes.append(contentsOf: utf8[start..<index]) }
                guard index < utf8.count else { break }
                let end = min(index + Self.escapedBlock, utf8.count)
                appendEscaped(UnsafeBufferPointer(rebasing: utf8[index..<end]))
                index = end
            }
        }
        bytes.append(UInt8(ascii: "\""))
    }

    /// Bytes per block with escapes: a byte that needs an escape is often close to others.
    private static let escapedBlock = 16
    private static let hexDigits: StaticString = "0123456789abcdef"

    @inline(__always)
    private static func needsEscape(_ byte: UInt8) -> Bool {
        byte < 0x20 || byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "\\")
    }

    /// Appends a block of at most `escapedBlock` bytes, some of which need an escape.
    private mutating func appendEscaped(_ block: UnsafeBufferPointer<UInt8>) {
        withUnsafeTemporaryAllocation(of: UInt8.self, capacity: 6 * Self.escapedBlock) { out in
            var count = 0
            func put(_ byte: UInt8) {
                out[count] = byte
                count += 1
            }
            for byte in block {
                guard Self.needsEscape(byte) else {
                    put(byte)
                    continue
                }
                put(UInt8(ascii: "\\"))
                switch byte {
                case UInt8(ascii: "\""), UInt8(ascii: "\\"): put(byte)
                case 0x0A: put(UInt8(ascii: "n"))
                case 0x0D: put(UInt8(ascii: "r"))
                case 0x09: put(UInt8(ascii: "t"))
                default:
                    for digit in "u00".utf8 { put(digit) }
                    put(Self.hexDigits.utf8Start[Int(byte >> 4)])
                    put(Self.hexDigits.utf8Start[Int(byte & 15)])
                }
            }
            bytes.append(contentsOf: UnsafeMutableBufferPointer(rebasing: out[..<count]))
        }
    }
}
