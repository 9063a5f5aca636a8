/// The subset of Protobuf that the envelopes need. Other targets encode and decode messages with protobuf-c.
enum Protobuf {
    /// Returns the size of `value` as a varint, in bytes.
    @inline(__always)
    static func varintSize(_ value: UInt64) -> Int { (70 - (value | 1).leadingZeroBitCount) / 7 }

    /// Writes `value` as a varint and returns its size.
    @inline(__always)
    static func write(varint value: UInt64, to out: UnsafeMutableRawBufferPointer, at offset: Int) -> Int {
        var value = value
        var position = offset
        while value >= 0x80 {
            out[position] = UInt8(truncatingIfNeeded: value) | 0x80
            value >>= 7
            position += 1
        }
        out[position] = UInt8(value)
        return position + 1 - offset
    }

    static func append(varint value: UInt64, to out: inout [UInt8]) {
        var value = value
        while value >= 0x80 {
            out.append(UInt8(truncatingIfNeeded: value) | 0x80)
            value >>= 7
        }
        out.append(UInt8(value))
    }

    /// Appends a length-delimited field.
    static func append(field: UInt64, _ bytes: some Collection<UInt8>, to out: inout [UInt8]) {
        append(varint: field << 3 | 2, to: &out)
        append(varint: UInt64(bytes.count), to: &out)
        out.append(contentsOf: bytes)
    }
}

/// Reads the fields of a message in order. On an error, `next` returns `nil` and `isMalformed` is set.
struct ProtobufReader {
    enum Value {
        case varint(UInt64)
        case bytes(UnsafeRawBufferPointer)
        /// A fixed32 or fixed64 field, skipped because the envelopes have none.
        case fixed
    }

    private let bytes: UnsafeRawBufferPointer
    private var position = 0
    private(set) var isMalformed = false

    init(_ bytes: UnsafeRawBufferPointer) { self.bytes = bytes }

    @inline(__always)
    mutating func next() -> (field: UInt64, value: Value)? {
        guard position < bytes.count, !isMalformed else { return nil }
        guard let tag = varint(), tag >> 3 > 0 else { return fail() }
        switch tag & 7 {
        case 0:
            guard let value = varint() else { return fail() }
            return (tag >> 3, .varint(value))
        case 1:
            guard skip(8) else { return fail() }
            return (tag >> 3, .fixed)
        case 2:
            guard let length = varint(), length <= UInt64(bytes.count - position) else { return fail() }
            let start = position
            position += Int(length)
            return (tag >> 3, .bytes(UnsafeRawBufferPointer(rebasing: bytes[start..<position])))
        case 5:
            guard skip(4) else { return fail() }
            return (tag >> 3, .fixed)
        default:
            return fail()
        }
    }

    private mutating func fail() -> (field: UInt64, value: Value)? {
        isMalformed = true
        return nil
    }

    private mutating func skip(_ count: Int) -> Bool {
        guard bytes.count - position >= count else { return false }
        position += count
        return true
    }

    @inline(__always)
    private mutating func varint() -> UInt64? {
        var result: UInt64 = 0
        var shift: UInt64 = 0
        while position < bytes.count, shift < 64 {
            let byte = bytes[position]
            position += 1
            result |= UInt64(byte & 0x7F) << shift
            if byte < 0x80 { return result }
            shift += 7
        }
        return nil
    }
}
