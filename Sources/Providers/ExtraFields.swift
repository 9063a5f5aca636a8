internal import Generation
internal import JSON

/// What a caller wants of a response beyond its content.
struct AnswerWishes: Sendable {
    /// The model's reasoning.
    var reasoning = false
    /// The fields that the contract has no name for.
    var extra = false

    init(reasoning: Bool = false, extra: Bool = false) {
        self.reasoning = reasoning
        self.extra = extra
    }

    init(_ options: GenerationOptions) { self.init(reasoning: options.reasoning.include, extra: options.includeExtra) }
}

/// The fields of a response that the contract has no name for, under the vendor's names. Keeps nothing unless the
/// caller asked for them.
struct ExtraFields {
    /// Streams deliver these in pieces; of all other fields, the newest value counts.
    private static let growing: Set<String> = [
        "logprobs", "logprobsResult", "executed_tools", "reasoning_details", "custom_tool_calls", "blocks", "output",
    ]

    let isWanted: Bool
    /// The pieces of each field as JSON text.
    private var fields: [(name: String, pieces: [String])] = []
    private var places: [String: Int] = [:]
    /// The bytes held here.
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

    /// Keeps one value.
    mutating func keep(_ value: JSONElement?, as name: String) {
        guard isWanted, let value else { return }
        keep(value.text, as: name)
    }

    /// Keeps one more element of a list, as JSON text.
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
                let values = field.pieces.compactMap { try? JSONValue(parsing: $0) }
                values.dropFirst().reduce(values.first ?? .null) { Self.joined($0, $1) }.write(to: &writer)
            }
        }
        writer.endObject()
        return String(decoding: writer.bytes, as: UTF8.self)
    }

    /// Two pieces of a value: lists are appended, objects member by member. Both were parsed, so their depth is bounded.
    private static func joined(_ left: JSONValue, _ right: JSONValue) -> JSONValue {
        switch (left, right) {
        case (.array(let first), .array(let second)): return .array(first + second)
        case (.object(var members), .object(let more)):
            for (key, value) in more {
                if let place = members.firstIndex(where: { $0.key == key }) {
                    members[place].value = joined(members[place].value, value)
                } else {
                    members.append((key, value))
                }
            }
            return .object(members)
        default: return right
        }
    }
}
