/// Thrown for text that is not valid JSON.
package struct JSONError: Error, Sendable, Equatable, CustomStringConvertible {
    /// The reason, for example simdjson's message.
    package let description: String

    /// Creates an error with its reason.
    package init(_ description: String) { self.description = description }
}
