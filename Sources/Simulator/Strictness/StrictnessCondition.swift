internal import JSON

/// A condition on a value of a request.
struct StrictnessCondition: Sendable {
    enum Test: Sendable {
        case given
        /// The value is present and in the list.
        case among([JSONValue])
        /// The value is present and not in the list.
        case notAmong([JSONValue])
        /// The value is absent or not in the list.
        case unless([JSONValue])
        case above(Double)
        case below(Double)
        /// The value is an Azure API version with an earlier date; versions begin with their date.
        case before(String)
        case find(StrictnessFinder)
    }

    /// A value for which a condition holds.
    struct Match: Sendable {
        var place: [String] = []
        var value = JSONValue.null
        /// The results of a finder, by the names of the message's placeholders.
        var words: [String: String] = [:]
    }

    /// The path to the value: `*` is every element, `-1` the last one; `@name` is a fact outside the body.
    let path: [String]
    let test: Test

    /// Returns the first value for which the condition holds; `nil` if there is none.
    func match(_ body: JSONValue, facts: [String: String]) -> Match? {
        let found = values(body, facts: facts)
        switch test {
        case .given: return found.first
        case .among(let wanted): return found.first { wanted.contains($0.value) }
        case .notAmong(let allowed): return found.first { !allowed.contains($0.value) }
        case .unless(let allowed):
            return found.contains { allowed.contains($0.value) } ? nil : found.first ?? Match()
        case .above(let bound): return found.first { ($0.value.double ?? bound) > bound }
        case .below(let bound): return found.first { ($0.value.double ?? bound) < bound }
        case .before(let version): return found.first { ($0.value.string ?? version).prefix(10) < version.prefix(10) }
        case .find(let finder): return found.first.flatMap { finder.find(in: $0.value) }
        }
    }

    private func values(_ body: JSONValue, facts: [String: String]) -> [Match] {
        guard let name = path.first, name.hasPrefix("@") else { return Self.values(path[...], in: body, at: []) }
        return facts[String(name.dropFirst())].map { [Match(value: .string($0))] } ?? []
    }

    /// The values at a path. Like the vendors, this treats `null` as an absent value.
    private static func values(_ path: ArraySlice<String>, in value: JSONValue, at place: [String]) -> [Match] {
        guard let name = path.first else { return value.isNull ? [] : [Match(place: place, value: value)] }
        let rest = path.dropFirst()
        if name == "*" {
            return (value.array ?? []).enumerated().flatMap { index, element in
                values(rest, in: element, at: place + ["\(index)"])
            }
        }
        if let elements = value.array, let index = Int(name) {
            let position = index < 0 ? elements.count + index : index
            guard elements.indices.contains(position) else { return [] }
            return values(rest, in: elements[position], at: place + ["\(position)"])
        }
        return value[name].map { values(rest, in: $0, at: place + [name]) } ?? []
    }
}
