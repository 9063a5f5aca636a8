/// JSON that cannot be read, and why.
public struct JSONError: Error, Sendable, Equatable, CustomStringConvertible {
    /// What is wrong.
    public let description: String

    /// An error with its explanation.
    public init(_ description: String) { self.description = description }
}
