internal import JSON

/// A refusal of the file: conditions, all of which must hold, and the vendor's error.
struct RefusalRule: Sendable {
    let conditions: [StrictnessCondition]
    let error: Strictness.Refusal
    /// The rule's values, for the placeholders of the message.
    let values: [String: JSONValue]

    /// Returns the error if all conditions hold for a request, otherwise `nil`.
    func check(_ model: String, _ body: JSONValue, facts: [String: String]) -> Strictness.Refusal? {
        var first: StrictnessCondition.Match?
        for condition in conditions {
            guard let match = condition.match(body, facts: facts) else { return nil }
            first = first ?? match
        }
        var refusal = error
        refusal.message = message(model, first, facts: facts)
        return refusal
    }

    /// The message with its placeholders replaced.
    private func message(_ model: String, _ match: StrictnessCondition.Match?, facts: [String: String]) -> String {
        var text = ""
        var rest = error.message[...]
        while let start = rest.firstIndex(of: "{"), let end = rest[start...].firstIndex(of: "}") {
            text += rest[..<start]
            let name = String(rest[rest.index(after: start)..<end])
            text += word(name, model, match, facts: facts) ?? "{\(name)}"
            rest = rest[rest.index(after: end)...]
        }
        return text + rest
    }

    private func word(
        _ name: String, _ model: String, _ match: StrictnessCondition.Match?, facts: [String: String]
    ) -> String? {
        let parts = name.split(separator: " ").map(String.init)
        if parts.count == 2 {
            if parts[0] == "at", let count = Int(parts[1]) {
                return match?.place.prefix(count).joined(separator: ".")
            }
            guard let words = values[parts[1]]?.array?.compactMap(\.string) else { return nil }
            return Self.list(words, conjunction: parts[0])
        }
        if name == "model" { return model }
        if name == "value" { return match.map { $0.value.string ?? $0.value.text } }
        if let list = values[name]?.array { return list.compactMap(\.string).joined(separator: ", ") }
        return match?.words[name] ?? values[name].map { $0.string ?? $0.text } ?? facts[name]
    }

    /// Formats a list as OpenAI does, `'a', 'b', and 'c'`, or as Groq does, `` `a`, `b`, or `c` ``.
    private static func list(_ words: [String], conjunction: String) -> String {
        let quote = conjunction == "or" ? "`" : "'"
        let quoted = words.map { quote + $0 + quote }
        guard quoted.count > 2 else { return quoted.joined(separator: " \(conjunction) ") }
        return quoted.dropLast().joined(separator: ", ") + ", \(conjunction) \(quoted[quoted.count - 1])"
    }
}
