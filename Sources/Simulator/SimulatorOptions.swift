/// Options of a simulator.
package struct SimulatorOptions: Sendable {
    /// The TCP port on 127.0.0.1; 0 for a free one.
    package var port: UInt16 = 0
    /// Delay before the first byte of each response, in milliseconds.
    package var latencyMilliseconds = 0
    /// Delay between the pieces of a stream, in milliseconds.
    package var chunkIntervalMilliseconds = 0
    /// The number of words in a generated response.
    package var tokens = 24
    /// Faults that apply to every request.
    package var faults: [Fault] = []
    /// The only key to accept; `nil` accepts any.
    package var apiKey: String?
    /// How bodies are split into pieces.
    package var slicing = Slicing.whole
    /// The folder of the recordings, each in a subfolder PROVIDER/CASE.
    package var recordings: String?
    /// Scripted responses, used in order.
    package var script: Script?

    /// Options without delays, faults or key checks.
    package init() {}
}

/// How a body is split into pieces, which are sent separately.
package enum Slicing: Sendable, Equatable {
    /// Not split further than the dialect does.
    case whole
    /// Pieces of this many bytes.
    case bytes(Int)
    /// Pieces of 1 to 40 bytes.
    case random

    /// Parses `N` or `random`; `nil` for anything else.
    package init?(_ text: String) {
        if text == "random" {
            self = .random
        } else if let count = Int(text), count > 0 {
            self = .bytes(count)
        } else {
            return nil
        }
    }
}
