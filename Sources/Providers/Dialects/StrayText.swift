/// Joins lines of a stream that are not fields until their brackets balance: within a stream, Google sends errors as
/// pretty-printed JSON without `data:`.
struct StrayText {
    /// The maximum length of an error, in bytes.
    private static let maximumBytes = 64 << 10

    private var bytes: [UInt8] = []
    private var balance = JSONBalance()

    /// The bytes held here.
    var keptBytes: Int { bytes.count }

    /// Adds a line; returns the text if the line completes it.
    mutating func add(_ line: UnsafeRawBufferPointer) -> [UInt8]? {
        if balance.depth == 0 {
            let first = line.first { $0 > 0x20 }
            guard first == UInt8(ascii: "{") || first == UInt8(ascii: "[") else { return nil }
        }
        guard bytes.count + line.count < Self.maximumBytes else {
            self = StrayText()
            return nil
        }
        bytes.append(contentsOf: line)
        bytes.append(0x0A)
        balance.add(line)
        balance.endLine()
        guard balance.depth <= 0 else { return nil }
        defer { self = StrayText() }
        return bytes
    }
}
