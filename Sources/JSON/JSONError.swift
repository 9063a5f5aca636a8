/// Thrown for text that is not valid JSON.
public struct JSONError: Error, Sendable, Equatable, CustomStringConvertible {
    /// The reason, for example simdjson's message.
    public let description: String

    /// Creates an error with its reason.
    public init(_ description: String) { self.description = description }
}
