/// Lines of a stream that are no fields, put together again until their brackets balance: in the middle of a stream
/// Google sends its errors so, pretty-printed and without `data:`.
struct StrayText {
    /// An error that is larger is not one.
    private static let maximumBytes = 64 << 10

    private var bytes: [UInt8] = []
    private var depth = 0

    /// Takes a line. Returns the text that it completes.
    mutating func add(_ line: UnsafeRawBufferPointer) -> [UInt8]? {
        if depth == 0 {
            let first = line.first { $0 > 0x20 }
            guard first == UInt8(ascii: "{") || first == UInt8(ascii: "[") else { return nil }
        }
        guard bytes.count + line.count < Self.maximumBytes else {
            self = StrayText()
            return nil
        }
        bytes.append(contentsOf: line)
        bytes.append(0x0A)
        count(line)
        guard depth <= 0 else { return nil }
        defer { self = StrayText() }
        return bytes
    }

    /// No text goes over the end of a line, so only the depth lives longer.
    private mutating func count(_ line: UnsafeRawBufferPointer) {
        var isInText = false
        var isEscaped = false
        for byte in line {
            if isEscaped {
                isEscaped = false
            } else if isInText {
                isEscaped = byte == UInt8(ascii: "\\")
                isInText = byte != UInt8(ascii: "\"")
            } else {
                switch byte {
                case UInt8(ascii: "\""): isInText = true
                case UInt8(ascii: "{"), UInt8(ascii: "["): depth += 1
                case UInt8(ascii: "}"), UInt8(ascii: "]"): depth -= 1
                default: break
                }
            }
        }
    }
}
