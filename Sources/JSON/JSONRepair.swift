/// Rewrites the two kinds of invalid JSON that real servers send.
enum JSONRepair {
    /// A copy with lone surrogate escapes replaced by `\ufffd` and integers of 19 or more digits turned into doubles;
    /// `nil` if there is nothing to repair.
    static func repaired(_ bytes: UnsafeRawBufferPointer) -> [UInt8]? {
        var out: [UInt8] = []
        out.reserveCapacity(bytes.count + 16)
        var changed = false
        var index = 0
        var inString = false
        while index < bytes.count {
            let byte = bytes[index]
            if inString {
                if byte == UInt8(ascii: "\\") {
                    let unit = escapedUnit(bytes, index)
                    if let unit, (0xD800..<0xDC00).contains(unit), let low = escapedUnit(bytes, index + 6),
                        (0xDC00..<0xE000).contains(low)
                    {
                        out.append(contentsOf: bytes[index..<index + 12])
                        index += 12
                    } else if let unit, (0xD800..<0xE000).contains(unit) {
                        out.append(contentsOf: "\\ufffd".utf8)
                        changed = true
                        index += 6
                    } else {
                        out.append(contentsOf: bytes[index..<min(index + 2, bytes.count)])
                        index += 2
                    }
                    continue
                }
                if byte == UInt8(ascii: "\"") { inString = false }
                out.append(byte)
                index += 1
            } else if byte == UInt8(ascii: "-") || isDigit(byte) {
                let start = index
                index += 1
                while index < bytes.count, isDigit(bytes[index]) { index += 1 }
                out.append(contentsOf: bytes[start..<index])
                let next = index < bytes.count ? bytes[index] : 0
                let isInteger = next != UInt8(ascii: ".") && next != UInt8(ascii: "e") && next != UInt8(ascii: "E")
                if isInteger, index - start >= 19 {
                    out.append(contentsOf: "e0".utf8)
                    changed = true
                } else if !isInteger {
                    while index < bytes.count, isNumberByte(bytes[index]) {
                        out.append(bytes[index])
                        index += 1
                    }
                }
            } else {
                if byte == UInt8(ascii: "\"") { inString = true }
                out.append(byte)
                index += 1
            }
        }
        return changed ? out : nil
    }

    /// The UTF-16 code unit of a `\uXXXX` escape at `index`; `nil` if there is none.
    private static func escapedUnit(_ bytes: UnsafeRawBufferPointer, _ index: Int) -> UInt16? {
        guard index + 6 <= bytes.count, bytes[index] == UInt8(ascii: "\\"), bytes[index + 1] == UInt8(ascii: "u") else {
            return nil
        }
        var unit: UInt16 = 0
        for position in (index + 2)..<(index + 6) {
            guard let digit = Character(UnicodeScalar(bytes[position])).hexDigitValue else { return nil }
            unit = unit << 4 | UInt16(digit)
        }
        return unit
    }

    private static func isDigit(_ byte: UInt8) -> Bool { byte >= 0x30 && byte <= 0x39 }

    private static func isNumberByte(_ byte: UInt8) -> Bool {
        isDigit(byte) || byte == UInt8(ascii: ".") || byte == UInt8(ascii: "e") || byte == UInt8(ascii: "E")
            || byte == UInt8(ascii: "+") || byte == UInt8(ascii: "-")
    }
}
