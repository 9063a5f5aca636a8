/// How a simulator behaves.
public struct SimulatorOptions: Sendable {
    /// The TCP port on 127.0.0.1; 0 for a free one.
    public var port: UInt16 = 0
    /// Milliseconds before the first byte of each answer.
    public var latencyMilliseconds = 0
    /// Milliseconds between the pieces of a stream.
    public var chunkIntervalMilliseconds = 0
    /// How many words a made-up answer has.
    public var tokens = 24
    /// Faults of every request.
    public var faults: [Fault] = []
    /// The only key that is taken; `nil` takes any.
    public var apiKey: String?
    /// How bodies are cut into pieces.
    public var slicing = Slicing.whole
    /// Where recordings are: a folder of PROVIDER/CASE.
    public var recordings: String?
    /// Steps that are answered in order.
    public var script: Script?

    /// A friendly vendor.
    public init() {}
}

/// How a body is cut into pieces, each of which arrives on its own.
public enum Slicing: Sendable, Equatable {
    /// As it was made.
    case whole
    /// Pieces of so many bytes.
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
