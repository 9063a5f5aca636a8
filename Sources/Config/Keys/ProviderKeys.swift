/// A key that one provider, or several, take in a model's `config`. The provider owns the declaration and reads the
/// value with it: `model[key]`.
package struct ProviderKey<Value: Sendable & Equatable>: Sendable {
    let info: KeyInfo
    private let type: ValueType<Value>

    /// Declares a key.
    /// - Parameters:
    ///   - standard: what the provider does without it, in words.
    ///   - isConnection: whether `provider/model_name` models take it over from the provider's first model of the
    ///     file: it says how the vendor is reached, not what a model is asked.
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

    /// The key as one of a list.
    package var declaration: ProviderKeys.Declaration {
        ProviderKeys.Declaration(info: info) { [type, info] cursor in
            type.read(cursor).map { OwnValue(value: $0, isConnection: info.isConnection) }
        }
    }
}

/// A provider as the configuration knows it: its name and the keys that it takes in a model's `config` beside those of
/// all models.
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

    /// A provider with keys of its own.
    package init(name: String, keys: [Declaration]) {
        self.name = name
        self.keys = keys
    }

    /// A provider without keys of its own.
    public init(stringLiteral name: String) { self.init(name: name, keys: []) }
}

/// The value of a provider's own key.
struct OwnValue: Sendable, Equatable {
    let value: any Equatable & Sendable
    let isConnection: Bool

    static func == (left: OwnValue, right: OwnValue) -> Bool {
        func isSame<Value: Equatable>(_ value: Value) -> Bool { right.value as? Value == value }
        return isSame(left.value)
    }
}

extension ModelConfiguration {
    /// The value of a provider's own key; `nil` where the section does not have it.
    package subscript<Value>(key: ProviderKey<Value>) -> Value? {
        get { own[key.info.name]?.value as? Value }
        set { own[key.info.name] = newValue.map { OwnValue(value: $0, isConnection: key.info.isConnection) } }
    }
}
