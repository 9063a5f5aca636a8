/// A key that only some providers support in a model's `config`. The provider owns the declaration and reads the
/// value with it: `model[key]`.
package struct ProviderKey<Value: Sendable & Equatable>: Sendable {
    let info: KeyInfo
    private let type: ValueType<Value>

    /// Declares a key.
    /// - Parameters:
    ///   - standard: the default, as shown in the reference.
    ///   - isConnection: whether `provider/model_name` models inherit the value from the provider's first model in the
    ///     file, because it describes the connection to the vendor.
    ///   - doc: one sentence for the reference and for editors.
    package init(
        _ name: String, _ type: ValueType<Value>, default standard: String? = nil, isRequired: Bool = false,
        isConnection: Bool = false, _ doc: String
    ) {
        info = KeyInfo(
            name: name, form: type.form, standard: standard, isRequired: isRequired, isConnection: isConnection,
            doc: doc)
        self.type = type
    }

    /// The key without its value type, for `ProviderKeys`.
    package var declaration: ProviderKeys.Declaration {
        ProviderKeys.Declaration(info: info) { [type, info] cursor in
            type.read(cursor).map { OwnValue(value: $0, isConnection: info.isConnection) }
        }
    }
}

/// A provider as the configuration knows it: its name and the keys that it supports in a model's `config` in addition
/// to the common ones.
public struct ProviderKeys: Sendable, ExpressibleByStringLiteral {
    /// A `ProviderKey` of any type.
    package struct Declaration: Sendable {
        let info: KeyInfo
        let read: @Sendable (Cursor) -> OwnValue?
    }

    /// The provider's name.
    public let name: String
    /// Its keys, in the order of the reference.
    let keys: [Declaration]

    /// A provider with additional keys.
    package init(name: String, keys: [Declaration]) {
        self.name = name
        self.keys = keys
    }

    /// A provider without additional keys.
    public init(stringLiteral name: String) { self.init(name: name, keys: []) }
}

/// The value of a provider-specific key.
struct OwnValue: Sendable, Equatable {
    let value: any Equatable & Sendable
    let isConnection: Bool

    static func == (left: OwnValue, right: OwnValue) -> Bool {
        func isSame<Value: Equatable>(_ value: Value) -> Bool { right.value as? Value == value }
        return isSame(left.value)
    }
}

extension ModelConfiguration {
    /// The value of a provider-specific key; `nil` if the section does not have it.
    package subscript<Value>(key: ProviderKey<Value>) -> Value? {
        get { own[key.info.name]?.value as? Value }
        set { own[key.info.name] = newValue.map { OwnValue(value: $0, isConnection: key.info.isConnection) } }
    }
}
