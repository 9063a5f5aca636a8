/// An error in a file of the catalogue.
package struct CatalogueError: Error, Sendable, Equatable, CustomStringConvertible {
    /// The path of the file.
    package let file: String
    /// The place in the file, for example `models.openai/my-model.context_window`; empty for the whole file.
    package let place: String
    /// The problem and its remedy.
    package let reason: String

    /// The file, place and reason in one line.
    package var description: String { place.isEmpty ? "\(file): \(reason)" : "\(file): \(place): \(reason)" }
}
