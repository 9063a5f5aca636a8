internal import Generation
internal import JSON

/// The optional contents of a response that the caller requested.
struct AnswerWishes: Sendable {
    /// Whether to return the model's reasoning.
    var reasoning = false
    /// Whether to return the fields that the contract does not define.
    var extra = false

    init(reasoning: Bool = false, extra: Bool = false) {
        self.reasoning = reasoning
        self.extra = extra
    }

    init(_ options: GenerationOptions) { self.init(reasoning: options.reasoning.include, extra: options.includeExtra) }
}

/// The fields of a response that the contract does not define, with the vendor's names. Keeps nothing unless the caller
/// requested them.
struct ExtraFields {
    /// Fields that streams deliver in pieces; for all others, the last value is kept.
    private static let growing: Set<String> = [
        "logprobs", "logprobsResult", "executed_tools", "reasoning_details", "custom_tool_calls", "blocks", "output",
    ]

    let isWanted: Bool
    /// The pieces of each field as JSON text.
    private var fields: [(name: String, pieces: [String])] = []
    private var places: [String: Int] = [:]
    /// Memory used by the fields, in bytes.
    private(set) var keptBytes = 0

    init(isWanted: Bool) { self.isWanted = isWanted }

    /// Keeps the members of `object`, except those whose names are in `named`.
    mutating func keep(_ object: JSONElement?, except named: Set<String>) {
        guard isWanted, let object else { return }
        var members: [(String, JSONElement)] = []
        object.forEachMember { name, value in
            if !named.contains(name), value.kind != .null { members.append((name, value)) }
        }
        for (name, value) in members { keep(value, as: name) }
    }

    /// Keeps one value under `name`.
    mutating func keep(_ value: JSONElement?, as name: String) {
        guard isWanted, let value else { return }
        keep(value.text, as: name)
    }

    /// Appends an element, given as JSON text, to a list.
    mutating func append(_ json: String, to name: String) {
        if isWanted { keep("[\(json)]", as: name) }
    }

    private mutating func keep(_ text: String, as name: String) {
        keptBytes += text.utf8.count
        guard let place = places[name] else {
            keptBytes += 64 + name.utf8.count
            places[name] = fields.count
            fields.append((name, [text]))
            return
        }
        if Self.growing.contains(name) {
            keptBytes += MemoryLayout<String>.stride
            fields[place].pieces.append(text)
        } else {
            keptBytes -= fields[place].pieces[0].utf8.count
            fields[place].pieces = [text]
        }
    }

    /// The fields as one JSON object; empty if there are none.
    var text: String {
        guard !fields.isEmpty else { return "" }
        var writer = JSONWriter(capacity: keptBytes + 64)
        writer.beginObject()
        for field in fields {
            writer.key(field.name)
            if field.pieces.count == 1 {
                writer.raw(field.pieces[0])
            } else {
                Self.joined(field.pieces.compactMap { try? JSONValue(parsing: $0) }).write(to: &writer)
            }
        }
        writer.endObject()
        return String(decoding: writer.bytes, as: UTF8.self)
    }

    /// The pieces of a value as one: lists are appended, objects member by member; of anything else the last piece
    /// counts. In one pass, since a long response has many pieces. All were parsed, so their depth is bounded.
    private static func joined(_ pieces: [JSONValue]) -> JSONValue {
        guard pieces.count > 1, let last = pieces.last else { return pieces.first ?? .null }
        switch last {
        case .array:
            let lists = pieces.reversed().prefix { $0.array != nil }
            return .array(lists.reversed().flatMap { $0.array ?? [] })
        case .object:
            let objects = pieces.reversed().prefix { $0.members != nil }
            var members: [(key: String, pieces: [JSONValue])] = []
            var places: [String: Int] = [:]
            for (key, value) in objects.reversed().flatMap({ $0.members ?? [] }) {
                if let place = places[key] {
                    members[place].pieces.append(value)
                } else {
                    places[key] = members.count
                    members.append((key, [value]))
                }
            }
            return .object(members.map { ($0.key, joined($0.pieces)) })
        default: return last
        }
    }
}
