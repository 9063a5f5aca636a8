/// A pattern for model names, for example `gpt-*-mini`: `*` matches any characters, `?` matches one.
package struct NamePattern: Sendable {
    /// Maximum length of a pattern in bytes and maximum number of `*` in it, which bound the cost of a match.
    static let maximumLength = 128
    static let maximumStars = 4

    private let bytes: [UInt8]

    /// Creates a pattern for names that contain `text`, in which `*` and `?` have their usual meaning.
    package init(part text: String) {
        bytes = Array("*\(text.lowercased())*".utf8)
    }

    /// Creates a pattern; `nil` if it is empty, too long, or has too many `*`.
    init?(_ text: String) {
        bytes = Array(text.lowercased().utf8)
        guard (1...Self.maximumLength).contains(bytes.count),
            bytes.count(where: { $0 == UInt8(ascii: "*") }) <= Self.maximumStars
        else { return nil }
    }

    /// Whether the pattern matches the whole of `name`, which must be in lower case.
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
                // Let the last star match one more character.
                star = (last.index, last.position + 1)
                (index, position) = (last.index + 1, last.position + 1)
            } else {
                return false
            }
        }
        return bytes[index...].allSatisfy { $0 == UInt8(ascii: "*") }
    }
}
