internal import JSON

/// A condition on a request.
struct StrictnessCondition: Sendable {
    enum Test: Sendable {
        case given
        /// Given, and among these.
        case among([JSONValue])
        /// Given, and not among these.
        case notAmong([JSONValue])
        /// Not given, or not among these.
        case unless([JSONValue])
        case above(Double)
        case below(Double)
        /// An Azure version that is older: versions begin with their date.
        case before(String)
        case find(StrictnessFinder)
    }

    /// Where a condition holds.
    struct Match: Sendable {
        var place: [String] = []
        var value = JSONValue.null
        /// What a finder found, by the message's names for it.
        var words: [String: String] = [:]
    }

    /// The names on the way to the value: `*` is every element, `-1` the last; `@name` is a fact outside the body.
    let path: [String]
    let test: Test

    /// The first place where the condition holds.
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

    /// The values that a path leads to. The vendors take `null` for an absent value.
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
