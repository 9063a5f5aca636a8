internal import JSON

/// The type and range of a value, for the reference and the JSON Schema.
package struct ValueForm: Sendable {
    /// The type's name in the reference, for example `whole number`.
    let name: String
    /// Which values of the type are allowed, for example `1 to 100`; `nil` for all.
    let range: String?
    /// Builds the JSON Schema of the value; lazy because a serving daemon never needs it. `$ref`s refer to the
    /// definitions of `ConfigurationSchema`.
    let schema: @Sendable () -> JSONValue
    /// Whether the value may contain secrets, so that errors must not quote it.
    let isSecret: Bool
    /// The keys of a map; empty for other types.
    let fields: [KeyInfo]

    init(
        name: String, range: String? = nil, schema: @autoclosure @escaping @Sendable () -> JSONValue,
        isSecret: Bool = false, fields: [KeyInfo] = []
    ) {
        self.name = name
        self.range = range
        self.schema = schema
        self.isSecret = isSecret
        self.fields = fields
    }
}

/// A value type: how it is read from the file and shown in the reference, the schema and the summary.
package struct ValueType<Value: Sendable & Equatable>: Sendable {
    let form: ValueForm
    /// Reads a value; returns `nil` after it reported an error.
    let read: @Sendable (Cursor) -> Value?
    /// The value as text, for defaults and the summary.
    let show: @Sendable (Value) -> String

    init(
        _ name: String, range: String? = nil, schema: @autoclosure @escaping @Sendable () -> JSONValue,
        isSecret: Bool = false, show: @escaping @Sendable (Value) -> String = { _ in "" },
        read: @escaping @Sendable (Cursor) -> Value?
    ) {
        form = ValueForm(name: name, range: range, schema: schema(), isSecret: isSecret)
        self.read = read
        self.show = show
    }
}

extension ValueForm {
    /// A map of declared keys.
    static func map(of fields: [KeyInfo]) -> ValueForm {
        ValueForm(name: "map", schema: .map(of: fields), fields: fields)
    }
}

extension ValueForm {
    /// The section of the default model.
    static let oneModel = ValueForm(name: "map", schema: .definition("model"))

    /// A map of names that the file's author chooses to entries.
    /// - Parameter fields: the keys of an entry, if all entries have the same keys.
    static func named(
        _ entry: @autoclosure @escaping @Sendable () -> JSONValue, _ fields: [KeyInfo] = []
    ) -> ValueForm {
        ValueForm(name: "map of names", schema: .names(of: entry()), fields: fields)
    }
}

// MARK: Scalars

extension ValueType where Value == Int {
    /// A whole number.
    package static func integer(in range: ClosedRange<Int> = .min ... .max) -> ValueType {
        let isAny = range == .min ... .max
        return ValueType(
            "whole number", range: isAny ? nil : "\(range.lowerBound) to \(range.upperBound)",
            schema: .orVariable(
                isAny
                    ? ["type": "integer"]
                    : ["type": "integer", "minimum": .int(range.lowerBound), "maximum": .int(range.upperBound)]),
            show: { String($0) }, read: { $0.integer(in: range) })
    }
}

extension ValueType where Value == Double {
    /// A number.
    /// - Parameter isAbove: whether the lower bound is exclusive.
    package static func number(in range: ClosedRange<Double>, isAbove: Bool = false) -> ValueType {
        let (low, high) = (Cursor.short(range.lowerBound), Cursor.short(range.upperBound))
        return ValueType(
            "number", range: isAbove ? "above \(low), at most \(high)" : "\(low) to \(high)",
            schema: .orVariable([
                "type": "number", isAbove ? "exclusiveMinimum" : "minimum": .double(range.lowerBound),
                "maximum": .double(range.upperBound),
            ]), show: Cursor.short, read: { $0.number(in: range, excludingLowerBound: isAbove) })
    }

    /// A time in seconds, at most a day.
    static func seconds(isAbove: Bool = false) -> ValueType { .number(in: 0...86400, isAbove: isAbove) }
}

extension ValueType where Value == Bool {
    /// `true` or `false`.
    package static var boolean: ValueType {
        ValueType(
            "`true` or `false`", schema: .orVariable(["type": "boolean"]), show: { $0 ? "true" : "false" },
            read: { $0.boolean() })
    }
}

extension ValueType where Value: RawRepresentable<String> & CaseIterable & SendableMetatype {
    /// One of a fixed set of names.
    package static var choice: ValueType {
        let words = Value.allCases.map(\.rawValue)
        return ValueType(
            words.map { "`\($0)`" }.joined(separator: ", "),
            schema: .orVariable(["enum": .array(words.map { .string($0) })]), show: { $0.rawValue },
            read: { $0.choice(Value.self) })
    }
}

extension ValueType where Value == String {
    /// Non-empty text.
    package static var text: ValueType {
        ValueType("text", schema: .definition("text"), show: { $0 }, read: { $0.text() })
    }

    /// Text for use in an HTTP header: control characters are rejected.
    package static var headerText: ValueType {
        ValueType("text", schema: .definition("text"), show: { $0 }, read: { $0.headerText() })
    }

    /// Text before a header's value; may be empty.
    static var headerPrefix: ValueType {
        ValueType("text", schema: ["type": "string"], show: { $0 }, read: { $0.headerText(mayBeEmpty: true) })
    }

    /// A header's name.
    static var headerName: ValueType {
        ValueType(
            "header name", schema: .orVariable(["type": "string", "pattern": .string(JSONValue.headerPattern)]),
            show: { $0 }, read: { $0.headerName() })
    }

    /// Letters, digits and `-._:`, for parts of host names and paths.
    package static var identifier: ValueType {
        ValueType(
            "letters, digits, `-._:`",
            schema: .orVariable(["type": ["string", "number"], "pattern": "^[A-Za-z0-9._:-]+$"]), show: { $0 },
            read: { $0.identifier() })
    }

    /// An `http` or `https` URL, without `/` at its end.
    package static var baseURL: ValueType {
        ValueType(
            "URL", schema: ["type": "string", "pattern": "^[hH][tT][tT][pP][sS]?://|\\$\\{"], show: { $0 },
            read: { $0.url().map(WebAddress.withoutSlash) })
    }

    /// An `http` or `https` URL, or a lone `…` in a sample file.
    static var tokenURL: ValueType {
        ValueType(
            "URL", schema: ["type": "string", "pattern": "^[hH][tT][tT][pP][sS]?://|^…$|\\$\\{"], show: { $0 },
            read: { $0.url(allowsPlaceholder: true) })
    }

    /// `HOST:PORT`.
    static var hostAndPort: ValueType {
        ValueType(
            "`HOST:PORT`", schema: ["type": "string", "pattern": ":[0-9]+$|\\$\\{"], show: { $0 },
            read: { $0.hostAndPort() })
    }

    /// The path of a PEM file with at least one certificate.
    static var certificateFile: ValueType {
        ValueType("path of a PEM file", schema: .definition("text"), show: { $0 }, read: { $0.certificateFile() })
    }

    /// A list of scopes as one text.
    static var scope: ValueType {
        ValueType(
            "text or a list of texts", schema: .definition("texts"), show: { $0 },
            read: { $0.textList()?.joined(separator: " ") })
    }
}

extension ValueType where Value == Secret {
    /// A secret.
    /// - Parameter isHeader: whether the secret is sent in an HTTP header, so that control characters are rejected.
    package static func secret(isHeader: Bool = true) -> ValueType {
        ValueType("secret", schema: .definition("secret"), isSecret: true, read: { $0.secret(isHeader: isHeader) })
    }
}

// MARK: Lists and maps

extension ValueType where Value == [String] {
    /// A list of texts; a single text counts as a list of one.
    package static var texts: ValueType {
        ValueType("text or a list of texts", schema: .definition("texts"), read: { $0.textList() })
    }

    /// A program with its arguments. Never shown, because arguments may be secret.
    static var command: ValueType {
        ValueType(
            "`[PROGRAM, ARGUMENT, …]`", schema: .definition("command"), isSecret: true,
            read: { $0.command() })
    }
}

extension ValueType where Value == [UInt32] {
    /// Users or groups, by number or name.
    static func accounts(_ kind: String, _ find: @escaping @Sendable (String) -> UInt32?) -> ValueType {
        ValueType(
            "\(kind) number or name, or a list of them", schema: .definition("texts"),
            show: { $0.map(String.init).joined(separator: ", ") }, read: { $0.accounts(kind, find) })
    }
}

extension ValueType where Value == [String: String] {
    /// Texts by name; the values may be secret.
    static var textMap: ValueType {
        ValueType(
            "map of names to text", schema: ["type": ["object", "null"], "additionalProperties": .definition("text")],
            isSecret: true, read: { $0.textMap() })
    }

    /// Headers by name; the values may be secret.
    static var headers: ValueType {
        ValueType(
            "map of header names to text",
            schema: [
                "type": ["object", "null"], "propertyNames": ["pattern": .string(JSONValue.headerPattern)],
                "additionalProperties": .definition("text"),
            ], isSecret: true, read: { $0.headers() })
    }
}

extension ValueType where Value == ConfigNode {
    /// Any YAML that can be represented in JSON.
    package static var json: ValueType { ValueType("any value", schema: .bool(true), read: { $0.json() }) }

    /// A map of any YAML that can be represented in JSON.
    package static var jsonMap: ValueType {
        ValueType("map", schema: ["type": "object"], read: { $0.json(mustBeMap: true) })
    }
}
