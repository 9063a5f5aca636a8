/// The declaration of a configuration key. The reader, its errors, the reference and the JSON Schema are derived from
/// it.
package struct KeyInfo: Sendable {
    /// What a reload does with a changed value.
    package enum Reload: Sendable, Equatable {
        /// Applies it. `as` describes the change in the log; `nil` logs the key's path.
        case takenOver(as: String?)
        /// Keeps the old value until a restart.
        case restart
    }

    /// The key as written in the file.
    let name: String
    /// The type and range of its value.
    let form: ValueForm
    /// The unit, for example `seconds`; `nil` for values without one.
    var unit: String?
    /// The default, in Markdown; `nil` if there is none.
    var standard: String?
    /// Whether it is an error to omit the key.
    var isRequired = false
    /// Whether `provider/model_name` models inherit the value from the provider's first model in the file.
    var isConnection = false
    /// What a reload does with a changed value.
    var reload = Reload.takenOver(as: nil)
    /// A sentence for the reference and for editors; it ends with a period and contains no `|`.
    let doc: String
}

/// A key bound to the field that stores its value.
struct Key<Root: Sendable>: Sendable {
    /// A field that differs between two configurations.
    struct Change: Sendable {
        /// The dotted path, relative to `Root`.
        let path: String
        let info: KeyInfo
    }

    let info: KeyInfo
    /// Reads the value into its field. Returns `false` if it reported an error instead.
    let read: @Sendable (Cursor, inout Root) -> Bool
    /// The keys that differ, including those nested in this one.
    let changes: @Sendable (Root, Root) -> [Change]
    /// Copies the field from the first root to the second.
    let copy: @Sendable (Root, inout Root) -> Void
    /// The value as text; empty for secrets and for fields without a value.
    let show: @Sendable (Root) -> String
}

/// A map in the file whose keys are declared.
protocol Keyed: Sendable {
    /// The keys, in the order of the reference.
    static var keys: [Key<Self>] { get }
    /// The defaults: the value of an empty map.
    static var standard: Self { get }
    /// Checks rules that span several keys, after all keys were read. Returns whether the value is usable.
    /// - Parameter given: the keys that are present with valid values.
    mutating func check(_ section: Section, given: Set<String>) -> Bool
}

extension Keyed {
    mutating func check(_ section: Section, given: Set<String>) -> Bool { true }
}

extension Key {
    /// A key with custom functions to read and compare its value.
    init(
        _ info: KeyInfo, read: @escaping @Sendable (Cursor, inout Root) -> Bool,
        isSame: @escaping @Sendable (Root, Root) -> Bool,
        copy: @escaping @Sendable (Root, inout Root) -> Void = { _, _ in },
        show: @escaping @Sendable (Root) -> String = { _ in "" }
    ) {
        self.init(
            info: info, read: read, changes: { isSame($0, $1) ? [] : [Change(path: info.name, info: info)] },
            copy: copy, show: show)
    }

    /// A key for a field that may be `nil`.
    /// - Parameter standard: the meaning of `nil`, as shown in the reference.
    init<Value>(
        _ name: String, _ field: any WritableKeyPath<Root, Value?> & Sendable, _ type: ValueType<Value>,
        unit: String? = nil, default standard: String? = nil, isConnection: Bool = false,
        reload: KeyInfo.Reload = .takenOver(as: nil), _ doc: String
    ) {
        self.init(
            KeyInfo(
                name: name, form: type.form, unit: unit, standard: standard, isConnection: isConnection,
                reload: reload, doc: doc),
            read: { cursor, root in
                guard let value = type.read(cursor) else { return false }
                root[keyPath: field] = value
                return true
            },
            isSame: { $0[keyPath: field] == $1[keyPath: field] },
            copy: { $1[keyPath: field] = $0[keyPath: field] },
            show: { $0[keyPath: field].map(type.show) ?? "" })
    }
}

extension Key where Root: Keyed {
    /// A key for a field that always has a value: the default is that of `Root.standard`.
    /// - Parameter standard: the default as shown in the reference; `nil` shows the value itself.
    init<Value>(
        _ name: String, _ field: any WritableKeyPath<Root, Value> & Sendable, _ type: ValueType<Value>,
        unit: String? = nil, default standard: String? = nil, isRequired: Bool = false, isConnection: Bool = false,
        reload: KeyInfo.Reload = .takenOver(as: nil), _ doc: String
    ) {
        let value = type.show(Root.standard[keyPath: field])
        let shown = standard ?? (value.isEmpty ? nil : "`\(value)`")
        self.init(
            KeyInfo(
                name: name, form: type.form, unit: unit, standard: isRequired ? nil : shown,
                isRequired: isRequired, isConnection: isConnection, reload: reload, doc: doc),
            read: { cursor, root in
                guard let value = type.read(cursor) else { return false }
                root[keyPath: field] = value
                return true
            },
            isSame: { $0[keyPath: field] == $1[keyPath: field] },
            copy: { $1[keyPath: field] = $0[keyPath: field] },
            show: { type.show($0[keyPath: field]) })
    }

    /// A key whose value is a map of declared keys. Keys missing from the map keep their values in `Root`.
    static func section<Inner: Keyed>(
        _ name: String, _ field: any WritableKeyPath<Root, Inner> & Sendable, isConnection: Bool = false, _ doc: String
    ) -> Key {
        let info = KeyInfo(
            name: name, form: .map(of: Inner.keys.map(\.info)), isConnection: isConnection, doc: doc)
        return Key(
            info: info,
            read: { cursor, root in cursor.read(into: &root[keyPath: field]) },
            changes: { old, new in
                Inner.keys.flatMap { $0.changes(old[keyPath: field], new[keyPath: field]) }
                    .map { Change(path: "\(name).\($0.path)", info: $0.info) }
            },
            copy: { $1[keyPath: field] = $0[keyPath: field] },
            show: { root in
                Inner.keys.map { key in
                    let value = key.show(root[keyPath: field])
                    return "\(key.info.name) \(value.isEmpty ? key.info.standard ?? "" : value)"
                }.joined(separator: ", ")
            })
    }
}

extension Cursor {
    /// Reads the map at the cursor. Keys missing from the map keep their values in `value`.
    /// - Returns: whether all required keys are present and valid. All errors have been reported.
    func read<Root: Keyed>(into value: inout Root) -> Bool {
        guard let section = section(keys: Root.keys.map(\.info)) else { return false }
        return section.read(into: &value)
    }
}

extension Section {
    /// Reads every declared key that is present.
    /// - Returns: see `Cursor.read(into:)`.
    func read<Root: Keyed>(into value: inout Root) -> Bool {
        let given = read(Root.keys, into: &value)
        let isUsable = value.check(self, given: given)
        return isUsable && Root.keys.allSatisfy { !$0.info.isRequired || given.contains($0.info.name) }
    }

    /// Reads those of `keys` that are present, and returns the names of those with valid values.
    func read<Root>(_ keys: [Key<Root>], into value: inout Root) -> Set<String> {
        var given: Set<String> = []
        for key in keys {
            guard let cursor = self[key.info], key.read(cursor, &value) else { continue }
            given.insert(key.info.name)
        }
        return given
    }

    /// The value of a declared key; `nil` if it is absent, which is reported if the key is required.
    subscript(key: KeyInfo) -> Cursor? {
        var cursor = key.isRequired ? required(key.name) : self[key.name]
        cursor?.isSecret = key.form.isSecret
        return cursor
    }
}
