/// What a key of the file is: the reader, its errors, the reference and the JSON Schema all go by this.
package struct KeyInfo: Sendable {
    /// What a running daemon does about a changed value when it reads the file again.
    package enum Reload: Sendable, Equatable {
        /// Takes it over. The words say what changed, where the log shall not name the key itself.
        case takenOver(as: String?)
        /// Keeps the old one until a restart.
        case restart
    }

    /// The key as written in the file.
    let name: String
    /// What its value may be.
    let form: ValueForm
    /// What one of its unit is, for example `seconds`; `nil` for values without one.
    var unit: String?
    /// What counts where the file does not have the key, in Markdown; `nil` where nothing does.
    var standard: String?
    /// Whether its absence is a mistake.
    var isRequired = false
    /// Whether `provider/model_name` models take it over from the provider's first model of the file.
    var isConnection = false
    /// What a reload does about it.
    var reload = Reload.takenOver(as: nil)
    /// One sentence on what it does.
    let doc: String
}

/// A key with the field that its value goes to.
struct Key<Root: Sendable>: Sendable {
    /// A field that differs between two configurations.
    struct Change: Sendable {
        /// The dotted path from `Root` on.
        let path: String
        let info: KeyInfo
    }

    let info: KeyInfo
    /// Reads the value into its field. `false` where it was reported instead.
    let read: @Sendable (Cursor, inout Root) -> Bool
    /// The keys at or below this one that differ.
    let changes: @Sendable (Root, Root) -> [Change]
    /// Takes the field over from another one.
    let copy: @Sendable (Root, inout Root) -> Void
    /// The value in words; empty for a field without a value and for secrets.
    let show: @Sendable (Root) -> String
}

/// A map of the file whose keys are declared.
protocol Keyed: Sendable {
    /// The keys, in the order of the reference.
    static var keys: [Key<Self>] { get }
    /// The value of a map without keys.
    static var standard: Self { get }
    /// Checks what concerns several keys, after all of them were read. Returns whether the value is usable.
    /// - Parameter given: the keys that the file has and whose values are good.
    mutating func check(_ section: Section, given: Set<String>) -> Bool
}

extension Keyed {
    mutating func check(_ section: Section, given: Set<String>) -> Bool { true }
}

extension Key {
    /// A key whose value is read and compared in a way of its own.
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
    /// - Parameter standard: what `nil` means, in words.
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
    /// A key for a field that always has a value: where the file has none, that of `Root.standard`.
    /// - Parameter standard: the default in words; `nil` for the value itself.
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

    /// A key whose value is a map of declared keys. What the map leaves out stays as it is in `Root`.
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
    /// Reads the map here by its declarations. What it leaves out stays in `value` as it is.
    /// - Returns: whether all that is required is there and good; what is wrong was reported.
    func read<Root: Keyed>(into value: inout Root) -> Bool {
        guard let section = section(keys: Root.keys.map(\.info)) else { return false }
        return section.read(into: &value)
    }
}

extension Section {
    /// Reads every declared key that is there.
    /// - Returns: see `Cursor.read(into:)`.
    func read<Root: Keyed>(into value: inout Root) -> Bool {
        let given = read(Root.keys, into: &value)
        let isUsable = value.check(self, given: given)
        return isUsable && Root.keys.allSatisfy { !$0.info.isRequired || given.contains($0.info.name) }
    }

    /// Reads those of `keys` that are there, and returns the names of those whose values are good.
    func read<Root>(_ keys: [Key<Root>], into value: inout Root) -> Set<String> {
        var given: Set<String> = []
        for key in keys {
            guard let cursor = self[key.info], key.read(cursor, &value) else { continue }
            given.insert(key.info.name)
        }
        return given
    }

    /// The value of a declared key; `nil` where it is absent, which is reported where the key is required.
    subscript(key: KeyInfo) -> Cursor? {
        var cursor = key.isRequired ? required(key.name) : self[key.name]
        cursor?.isSecret = key.form.isSecret
        return cursor
    }
}
