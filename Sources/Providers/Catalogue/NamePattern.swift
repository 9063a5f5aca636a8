/// A pattern of model names in which `*` stands for any characters and `?` for one, such as `gpt-*-mini`.
package struct NamePattern: Sendable {
    /// The longest pattern, in bytes, and the most `*` in one: they bound the work of a match.
    static let maximumLength = 128
    static let maximumStars = 4

    private let bytes: [UInt8]

    /// Matches names that contain `text`, in which `*` and `?` stand for the same as in other patterns.
    package init(part text: String) {
        bytes = Array("*\(text.lowercased())*".utf8)
    }

    /// A pattern; `nil` if it is empty, too long, or has too many `*`.
    init?(_ text: String) {
        bytes = Array(text.lowercased().utf8)
        guard (1...Self.maximumLength).contains(bytes.count),
            bytes.count(where: { $0 == UInt8(ascii: "*") }) <= Self.maximumStars
        else { return nil }
    }

    /// Whether all of `name`, in lower case, fits.
    package func matches(_ name: String) -> Bool {
        let name = Array(name.utf8)
        var (index, position) = (0, 0)
        var star: (index: Int, position: Int)?
        while position < name.count {
            if index < bytes.count, bytes[index] == UInt8(ascii: "*") {
                star = (index, position)
                index += 1
            } else if index < bytes.count, bytes[index] == name[position] || bytes[index] == UInt8(ascii: "?") {
                index += 1
                position += 1
            } else if let last = star {
                // The last star takes one more character.
                star = (last.index, last.position + 1)
                (index, position) = (last.index + 1, last.position + 1)
            } else {
                return false
            }
        }
        return bytes[index...].allSatisfy { $0 == UInt8(ascii: "*") }
    }
}
