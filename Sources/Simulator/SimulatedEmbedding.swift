internal import Encodings

/// A generated vector of length 1, the same for equal texts.
struct SimulatedEmbedding {
    let numbers: [Float]

    init(_ text: String, dimensions: Int) {
        var state: UInt64 = 0xcbf2_9ce4_8422_2325
        for byte in text.utf8 { state = (state ^ UInt64(byte)) &* 0x100_0000_01b3 }
        var numbers: [Float] = []
        numbers.reserveCapacity(dimensions)
        for _ in 0..<dimensions {
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            numbers.append(Float(Int32(truncatingIfNeeded: state >> 32)) / Float(Int32.max))
        }
        let length = numbers.reduce(0) { $0 + $1 * $1 }.squareRoot()
        self.numbers = length == 0 ? numbers : numbers.map { $0 / length }
    }

    /// The components as little-endian 32-bit floats, encoded in Base64.
    var base64: String {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(numbers.count * 4)
        for number in numbers { withUnsafeBytes(of: number.bitPattern.littleEndian) { bytes += $0 } }
        return Base64.encode(bytes)
    }

    /// An estimate of the number of tokens of a text.
    static func tokens(_ text: String) -> Int { max(1, text.count / 4) }
}
