/// How a simulator behaves.
package struct SimulatorOptions: Sendable {
    /// The TCP port on 127.0.0.1; 0 for a free one.
    package var port: UInt16 = 0
    /// Milliseconds before the first byte of each answer.
    package var latencyMilliseconds = 0
    /// Milliseconds between the pieces of a stream.
    package var chunkIntervalMilliseconds = 0
    /// The number of words in a generated response.
    package var tokens = 24
    /// Faults that apply to every request.
    package var faults: [Fault] = []
    /// The only key to accept; `nil` accepts any.
    package var apiKey: String?
    /// How bodies are cut into pieces.
    package var slicing = Slicing.whole
    /// The folder with recordings, in PROVIDER/CASE.
    package var recordings: String?
    /// Steps that are answered in order.
    package var script: Script?

    /// Options without delays, faults or key checks.
    package init() {}
}

/// How a body is cut into pieces, each sent separately.
package enum Slicing: Sendable, Equatable {
    /// As it was made.
    case whole
    /// Pieces of this many bytes.
    case bytes(Int)
    /// Pieces of 1 to 40 bytes.
    case random

    /// Reads `N` or `random`.
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
