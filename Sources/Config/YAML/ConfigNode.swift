/// A value of a YAML file with its place. It may hold secrets, so printing it shows only its kind and place. Nodes are
/// equal by their values, wherever they stand.
public struct ConfigNode: Sendable, Equatable, CustomStringConvertible, CustomReflectable {
    /// The three kinds of YAML value.
    public enum Value: Sendable, Equatable {
        /// Text, a number, a boolean or nothing.
        case scalar(ConfigScalar)
        /// A list.
        case sequence([ConfigNode])
        /// A map in the order of the file; its keys are unique.
        case mapping([ConfigEntry])
    }

    /// The value itself.
    public let value: Value
    /// The line where the value starts, counted from 1.
    public let line: Int
    /// The column where the value starts, in characters, counted from 1.
    public let column: Int

    /// A value at a place.
    public init(_ value: Value, line: Int, column: Int) {
        self.value = value
        self.line = line
        self.column = column
    }

    /// Whether both hold the same.
    public static func == (left: ConfigNode, right: ConfigNode) -> Bool { left.value == right.value }

    /// The value of a key; `nil` if this is not a map or has no such key.
    public subscript(key: String) -> ConfigNode? {
        guard case .mapping(let entries) = value else { return nil }
        return entries.first { $0.key == key }?.value
    }

    /// Whether this is the absence of a value: nothing at all, `~` or `null` without quotes.
    public var isNull: Bool {
        guard case .scalar(let scalar) = value else { return false }
        return scalar.isNull
    }

    /// Whether the value is empty.
    var isEmpty: Bool {
        switch value {
        case .scalar(let scalar): scalar.isNull
        case .sequence(let items): items.isEmpty
        case .mapping(let entries): entries.isEmpty
        }
    }

    /// What it is in a sentence: `text`, `a list`, `a map` or `nothing`.
    var kindName: String {
        switch value {
        case .scalar(let scalar): scalar.isNull ? "nothing" : "text"
        case .sequence: "a list"
        case .mapping: "a map"
        }
    }

    /// Kind and place, never the content.
    public var description: String { "<\(kindName) at line \(line)>" }

    /// Nothing: a dump must not show the content.
    public var customMirror: Mirror { Mirror(self, children: []) }
}

/// A YAML scalar as written.
public struct ConfigScalar: Sendable, Equatable, CustomStringConvertible, CustomReflectable {
    /// The text without its quotes.
    public let text: String
    /// Whether it is text whatever it looks like: quoted, a block scalar, or tagged `!!str`.
    public let isQuoted: Bool
    /// The tag, for example `tag:yaml.org,2002:int`; `nil` if there is none.
    public let tag: String?

    /// A scalar.
    public init(_ text: String, isQuoted: Bool = false, tag: String? = nil) {
        self.text = text
        self.isQuoted = isQuoted
        self.tag = tag
    }

    /// Whether it represents the absence of a value.
    var isNull: Bool { !isQuoted && ["", "~", "null", "Null", "NULL"].contains(text) }

    /// The length, never the content.
    public var description: String { "<text of \(text.utf8.count) bytes>" }

    /// Nothing: a dump must not show the content.
    public var customMirror: Mirror { Mirror(self, children: []) }
}

/// A key of a YAML map with its value.
public struct ConfigEntry: Sendable, Equatable {
    /// The key's text.
    public let key: String
    /// The key's line, counted from 1.
    public let line: Int
    /// What it maps to.
    public let value: ConfigNode

    /// Whether both hold the same, wherever they stand.
    public static func == (left: ConfigEntry, right: ConfigEntry) -> Bool {
        left.key == right.key && left.value == right.value
    }

    /// A key with its value.
    public init(key: String, line: Int, value: ConfigNode) {
        self.key = key
        self.line = line
        self.value = value
    }
}
