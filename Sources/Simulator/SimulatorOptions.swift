/// How a simulator behaves.
public struct SimulatorOptions: Sendable {
    /// The TCP port on 127.0.0.1; 0 for a free one.
    public var port: UInt16 = 0
    /// Milliseconds before the first byte of each answer.
    public var latencyMilliseconds = 0
    /// Milliseconds between the pieces of a stream.
    public var chunkIntervalMilliseconds = 0
    /// The number of words in a generated response.
    public var tokens = 24
    /// Faults that apply to every request.
    public var faults: [Fault] = []
    /// The only key to accept; `nil` accepts any.
    public var apiKey: String?
    /// How bodies are cut into pieces.
    public var slicing = Slicing.whole
    /// The folder with recordings, in PROVIDER/CASE.
    public var recordings: String?
    /// Steps that are answered in order.
    public var script: Script?

    /// Options without delays, faults or key checks.
    public init() {}
}

/// How a body is cut into pieces, each sent separately.
public enum Slicing: Sendable, Equatable {
    /// As it was made.
    case whole
    /// Pieces of this many bytes.
    case bytes(Int)
    /// Pieces of 1 to 40 bytes.
    case random

    /// Reads `N` or `random`.
    public init?(_ text: String) {
        if text == "random" {
            self = .random
        } else if let count = Int(text), count > 0 {
            self = .bytes(count)
        } else {
            return nil
        }
    }
}
