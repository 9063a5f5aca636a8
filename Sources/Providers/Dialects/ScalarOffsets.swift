/// Converts positions in a streamed text from Unicode scalars to UTF-8 bytes, without keeping the text.
struct ScalarOffsets {
    /// Consecutive scalars with the same number of bytes.
    private struct Run {
        let scalar: Int
        let byte: Int
        let width: Int
    }

    private var runs: [Run] = []
    private var scalars = 0
    /// The length of the text so far, in bytes.
    private(set) var bytes = 0

    /// Memory used, in bytes.
    var keptBytes: Int { runs.count * MemoryLayout<Run>.stride }

    mutating func add(_ text: String) {
        for scalar in text.unicodeScalars {
            let width = UTF8.width(scalar)
            if runs.last?.width != width { runs.append(Run(scalar: scalars, byte: bytes, width: width)) }
            scalars += 1
            bytes += width
        }
    }

    /// The byte position of the scalar at `index`, or the end of the text if `index` is beyond it.
    func byte(ofScalar index: Int) -> Int {
        guard index > 0 else { return 0 }
        guard index < scalars else { return bytes }
        var (low, high) = (0, runs.count - 1)
        while low < high {
            let middle = (low + high + 1) / 2
            if runs[middle].scalar <= index { low = middle } else { high = middle - 1 }
        }
        return runs[low].byte + (index - runs[low].scalar) * runs[low].width
    }
}
