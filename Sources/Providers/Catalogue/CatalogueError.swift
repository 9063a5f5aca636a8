/// Why a file of the catalogue cannot be used.
package struct CatalogueError: Error, Sendable, Equatable, CustomStringConvertible {
    /// The file.
    package let file: String
    /// The place in it, such as `models.openai/my-model.context_window`; empty for the whole file.
    package let place: String
    /// The problem and its remedy.
    package let reason: String

    /// The error in one line.
    package var description: String { place.isEmpty ? "\(file): \(reason)" : "\(file): \(place): \(reason)" }
}
