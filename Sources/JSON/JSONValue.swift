/// A JSON value that owns its content, for code where convenience matters more than speed (configuration, command line,
/// simulator). Use `JSONParser` on hot paths.
package indirect enum JSONValue: Sendable, Equatable {
    /// `null`
    case null
    /// `true` or `false`
    case bool(Bool)
    /// A number that fits `Int`.
    case int(Int)
    /// Any other number.
    case double(Double)
    /// A string.
    case string(String)
    /// An array.
    case array([JSONValue])
    /// An object, with members in document order. Keys may repeat.
    case object([(key: String, value: JSONValue)])

    /// Parses a JSON document.
    /// - Throws: `JSONError`, as `JSONParser.parse`.
    package init(parsing text: String) throws(JSONError) { try self.init(parsing: Array(text.utf8)) }

    /// Parses a JSON document in UTF-8.
    /// - Throws: `JSONError`, as `JSONParser.parse`.
    package init(parsing bytes: [UInt8]) throws(JSONError) {
        let parser = JSONParser()
        // The elements are part of the parser, which nothing else retains.
        self = try withExtendedLifetime(parser) { () throws(JSONError) in JSONValue(try parser.parse(bytes)) }
    }

    /// Copies a parsed value.
    package init(_ element: JSONElement) {
        switch element.kind {
        case .null: self = .null
        case .bool: self = .bool(element.bool ?? false)
        case .number: self = element.int.map { .int($0) } ?? .double(element.double ?? 0)
        case .string: self = .string(element.string ?? "")
        case .array: self = .array(element.elements.map { JSONValue($0) })
        case .object:
            var members: [(key: String, value: JSONValue)] = []
            element.forEachMember { members.append((key: $0, value: JSONValue($1))) }
            self = .object(members)
        }
    }

    /// Compares values: the order of members does not matter, and `1` equals `1.0`.
    package static func == (left: JSONValue, right: JSONValue) -> Bool {
        switch (left, right) {
        case (.null, .null): true
        case (.bool(let a), .bool(let b)): a == b
        case (.int(let a), .int(let b)): a == b
        case (.double(let a), .double(let b)): a == b
        case (.int(let a), .double(let b)), (.double(let b), .int(let a)): Double(a) == b
        case (.string(let a), .string(let b)): a == b
        case (.array(let a), .array(let b)): a == b
        case (.object(let a), .object(let b)):
            a.count == b.count
                && a.allSatisfy { member in b.contains { $0.key == member.key && $0.value == member.value } }
        default: false
        }
    }

    /// The member `key` of an object, the last one if the key repeats; `nil` if it is absent or this is not an object.
    package subscript(key: String) -> JSONValue? {
        guard case .object(let members) = self else { return nil }
        return members.last { $0.key == key }?.value
    }

    /// The element at `index` of an array; `nil` if it is out of range or this is not an array.
    package subscript(index: Int) -> JSONValue? {
        guard case .array(let elements) = self, elements.indices.contains(index) else { return nil }
        return elements[index]
    }

    /// The string; `nil` for other types.
    package var string: String? { if case .string(let text) = self { text } else { nil } }
    /// The integer, also for a double such as `1.0`; `nil` for fractions and other types.
    package var int: Int? {
        switch self {
        case .int(let value): value
        case .double(let value): Int(exactly: value)
        default: nil
        }
    }
    /// The number as a double; `nil` for other types.
    package var double: Double? {
        switch self {
        case .int(let value): Double(value)
        case .double(let value): value
        default: nil
        }
    }
    /// The Boolean; `nil` for other types.
    package var bool: Bool? { if case .bool(let value) = self { value } else { nil } }
    /// The elements of an array; `nil` for other types.
    package var array: [JSONValue]? { if case .array(let elements) = self { elements } else { nil } }
    /// The members of an object; `nil` for other types.
    package var members: [(key: String, value: JSONValue)]? {
        if case .object(let members) = self { members } else { nil }
    }
    /// Whether this is `null`.
    package var isNull: Bool { if case .null = self { true } else { false } }

    /// Minified JSON text.
    package var text: String {
        var writer = JSONWriter()
        write(to: &writer)
        return String(decoding: writer.bytes, as: UTF8.self)
    }

    /// Appends this value to `writer`.
    package func write(to writer: inout JSONWriter) {
        switch self {
        case .null: writer.null()
        case .bool(let value): writer.bool(value)
        case .int(let value): writer.int(value)
        case .double(let value): writer.double(value)
        case .string(let text): writer.string(text)
        case .array(let elements):
            writer.beginArray()
            for element in elements { element.write(to: &writer) }
            writer.endArray()
        case .object(let members):
            writer.beginObject()
            for member in members {
                writer.key(member.key)
                member.value.write(to: &writer)
            }
            writer.endObject()
        }
    }
}
