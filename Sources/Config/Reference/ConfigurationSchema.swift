internal import JSON

/// The JSON Schema (draft 2020-12) of a configuration file, made from the declarations of its keys. It checks names,
/// types and ranges as far as that is possible without the environment; `genwired check` has the last word.
package struct ConfigurationSchema {
    private let providers: [ProviderKeys]

    /// The schema of files that may name these providers.
    package init(_ providers: [ProviderKeys]) { self.providers = providers }

    /// The schema as indented JSON text.
    package var text: String { root.indented() + "\n" }

    private var root: JSONValue {
        var definitions: [(key: String, value: JSONValue)] = Self.values.members ?? []
        definitions.append((key: "model", value: model))
        definitions.append((key: "config", value: config(ProviderKeys.all(providers).map(\.info))))
        for provider in providers {
            definitions.append((key: "config_\(provider.name)", value: config(of: provider)))
        }
        definitions.append((key: "auth", value: auth))
        for type in AuthConfiguration.types {
            let keys = [AuthConfiguration.typeKey] + AuthConfiguration.keys.map(\.info) + type.keys
            definitions.append(
                (key: "auth_\(type.kind.rawValue)", value: .map(of: keys).adding("description", .string(type.doc))))
        }
        let head: JSONValue = [
            "$schema": "https://json-schema.org/draft/2020-12/schema", "title": "Genwire's configuration",
        ]
        let body = JSONValue.map(of: Configuration.sections).members ?? []
        return .object((head.members ?? []) + body)
            .adding("type", "object")
            .adding("anyOf", [["required": ["generation"]], ["required": ["models"]]])
            .adding("$defs", .object(definitions))
    }

    /// What every file uses.
    private static let values: JSONValue = [
        "variable": ["type": "string", "pattern": "\\$\\{", "description": "${NAME} or ${NAME:-default}"],
        "text": ["anyOf": [["type": "string", "minLength": 1], ["type": ["number", "boolean"]]]],
        "texts": ["anyOf": [.definition("text"), ["type": "array", "items": .definition("text")]]],
        "command": [
            "type": "array", "minItems": 1, "prefixItems": [.definition("text")],
            "items": ["type": ["string", "number", "boolean"]],
        ],
        "secret": [
            "anyOf": [
                .definition("text"), .closedMap([(key: "file", value: .definition("text"))], required: ["file"]),
                .closedMap([(key: "command", value: .definition("command"))], required: ["command"]),
            ]
        ],
        "address": ["type": "string", "pattern": "^unix:.|^tcp:.+:[0-9]+$|\\$\\{"],
        "addresses": [
            "anyOf": [.definition("address"), ["type": "array", "maxItems": 64, "items": .definition("address")]]
        ],
        "tokens": ["type": "object", "minProperties": 1, "additionalProperties": .definition("secret")],
    ]

    // MARK: Models

    /// An entry of `models`: which keys its `config` has depends on its provider.
    private var model: JSONValue {
        JSONValue.map(of: ModelConfiguration.entryKeys(providers)).adding(
            "allOf",
            .array(
                providers.map { choice(["const": .string($0.name)], config: "config_\($0.name)") }
                    + [choice(.definition("variable"), config: "config")]))
    }

    private func choice(_ provider: JSONValue, config definition: String) -> JSONValue {
        Self.choice(
            ModelConfiguration.providerKey.name, provider,
            ["properties": .object([(key: ModelConfiguration.configKey.name, value: .definition(definition))])])
    }

    /// `schema` for maps whose `key` is like `value`.
    private static func choice(_ key: String, _ value: JSONValue, _ schema: JSONValue) -> JSONValue {
        [
            "if": ["properties": .object([(key: key, value: value)]), "required": [.string(key)]],
            "then": schema,
        ]
    }

    private func config(_ own: [KeyInfo]) -> JSONValue { .map(of: ModelConfiguration.keys.map(\.info) + own) }

    /// The keys of all models by reference, and those of one provider.
    private func config(of provider: ProviderKeys) -> JSONValue {
        let common = ModelConfiguration.keys.map { (key: $0.info.name, value: Self.common($0.info.name)) }
        let own = provider.keys.map(\.info)
        let required = (ModelConfiguration.keys.map(\.info) + own).filter(\.isRequired).map(\.name)
        return .closedMap(common + own.map { (key: $0.name, value: $0.schema) }, required: required)
    }

    private static func common(_ name: String) -> JSONValue { ["$ref": .string("#/$defs/config/properties/\(name)")] }

    // MARK: Credentials

    /// An entry of `auth`: which keys it has depends on its type.
    private var auth: JSONValue {
        let type = AuthConfiguration.typeKey
        return [
            "type": "object", "properties": .object([(key: type.name, value: type.schema)]),
            "required": [.string(type.name)],
            "allOf": .array(
                AuthConfiguration.types.map { declaration in
                    let kind = declaration.kind.rawValue
                    return Self.choice(type.name, ["const": .string(kind)], .definition("auth_\(kind)"))
                }),
        ]
    }
}

extension JSONValue {
    /// JSON text with a member or an element per line; small values without any inner ones stay on one line.
    fileprivate func indented(by depth: Int = 0) -> String {
        let (outer, inner) = (String(repeating: "  ", count: depth), String(repeating: "  ", count: depth + 1))
        func block(_ open: String, _ lines: [String], _ close: String) -> String {
            "\(open)\n" + lines.map { inner + $0 }.joined(separator: ",\n") + "\n\(outer)\(close)"
        }
        switch self {
        case .object(let members) where members.contains { $0.value.isNested } || text.utf8.count > 100:
            return block(
                "{", members.map { JSONValue.string($0.key).text + ": " + $0.value.indented(by: depth + 1) }, "}")
        case .array(let elements) where elements.contains { $0.isNested }:
            return block("[", elements.map { $0.indented(by: depth + 1) }, "]")
        default: return text
        }
    }

    private var isNested: Bool {
        switch self {
        case .array(let elements): elements.contains { $0.isNested }
        case .object(let members): !members.isEmpty
        default: false
        }
    }
}
