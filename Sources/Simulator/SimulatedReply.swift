internal import JSON

/// The contents of a request, independent of the vendor's format.
struct SimulatedPrompt {
    enum Choice: Equatable {
        case auto
        case none
        case required
        case named(String)
    }

    var model = ""
    /// The text of the user's last message.
    var question = ""
    /// The tool results, if the conversation ends with them.
    var results: [String] = []
    var images = 0
    var tools: [(name: String, schema: JSONValue)] = []
    var choice = Choice.auto
    var allowsParallel = true
    /// The schema of a JSON response, if one is requested.
    var schema: JSONValue?
    var stops: [String] = []
    /// The token limit of the response.
    var limit: Int?
    var thinks = false
    /// All text that counts as input.
    var inputText = ""
}

/// A generated response to a valid request, the same for every vendor; the dialects encode it.
struct SimulatedReply {
    struct Call {
        var name: String
        var arguments: JSONValue
    }

    enum End {
        case stop
        case length
        case calls
        case refusal
    }

    private(set) var text = ""
    private(set) var reasoning = ""
    private(set) var calls: [Call] = []
    private(set) var end = End.stop
    let inputTokens: Int
    var reasoningTokens: Int { reasoning.count / 4 }
    /// The output tokens without reasoning.
    private(set) var outputTokens = 0

    init(_ prompt: SimulatedPrompt, _ options: SimulatorOptions) {
        inputTokens = max(1, prompt.inputText.count / 4)
        if prompt.model.contains("refuse") {
            end = .refusal
            text = "I'm sorry, but I can't help with that."
        } else if let called = Self.calledTools(prompt) {
            calls = called
            end = .calls
        } else {
            text = Self.makeText(prompt, options)
            limitLength(prompt)
        }
        if prompt.thinks { reasoning = "The user wants an answer. I will give one. " }
        outputTokens = max(1, (text + calls.map(\.arguments.text).joined()).count / 4)
    }

    /// The tools that this response calls; `nil` for none.
    private static func calledTools(_ prompt: SimulatedPrompt) -> [Call]? {
        let names = prompt.tools.map(\.name)
        guard let first = names.first, prompt.choice != .none else { return nil }
        var wanted: [String] = []
        if case .named(let name) = prompt.choice {
            wanted = [name]
        } else if prompt.results.isEmpty || prompt.choice == .required {
            let words = prompt.question.lowercased()
            wanted = names.filter { name in
                words.contains(name.lowercased())
                    || name.lowercased().split(separator: "_").contains { $0.count > 3 && words.contains($0) }
            }
            if wanted.isEmpty, prompt.choice == .required { wanted = [first] }
            if words.contains("parallel"), prompt.allowsParallel { wanted += wanted }
            if !prompt.allowsParallel { wanted = Array(wanted.prefix(1)) }
        }
        guard !wanted.isEmpty else { return nil }
        return wanted.map { name in
            let schema = prompt.tools.first { $0.name == name }?.schema ?? ["type": "object"]
            return Call(name: name, arguments: SchemaExample.value(schema, hint: prompt.question))
        }
    }

    private static func makeText(_ prompt: SimulatedPrompt, _ options: SimulatorOptions) -> String {
        if let schema = prompt.schema { return SchemaExample.value(schema, hint: prompt.question).text }
        if !prompt.results.isEmpty { return "The tool says: \(prompt.results.joined(separator: " and "))" }
        var words = ["You", "asked:"] + prompt.question.split(separator: " ").map(String.init)
        if prompt.images > 0 {
            words += ["and", "sent", "\(prompt.images)", prompt.images == 1 ? "image." : "images."]
        }
        let filler = "This is a simulated answer, streamed word by word so that you can watch it arrive.".split(
            separator: " ")
        var index = 0
        while words.count < options.tokens {
            words.append(String(filler[index % filler.count]))
            index += 1
        }
        return words.joined(separator: " ")
    }

    /// Truncates the text at stop sequences and at the token limit.
    private mutating func limitLength(_ prompt: SimulatedPrompt) {
        for stop in prompt.stops where !stop.isEmpty {
            if let found = text.firstRange(of: stop) { text = String(text[..<found.lowerBound]) }
        }
        if let limit = prompt.limit, text.count / 4 > limit {
            text = String(text.prefix(limit * 4))
            end = .length
        }
    }

    // MARK: - Pieces

    /// Splits text into words, each with the preceding space.
    static func words(_ text: String) -> [String] {
        var pieces: [String] = []
        for character in text {
            if character == " " || pieces.isEmpty { pieces.append("") }
            pieces[pieces.count - 1].append(character)
        }
        return pieces
    }

    /// Splits text into pieces of `length` characters.
    static func slices(_ text: String, _ length: Int) -> [String] {
        let characters = Array(text)
        return stride(from: 0, to: characters.count, by: length).map {
            String(characters[$0..<min($0 + length, characters.count)])
        }
    }

    /// Random letters and digits for an id.
    static func randomName(_ length: Int) -> String {
        let alphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789")
        return String((0..<length).map { _ in alphabet[Int.random(in: 0..<alphabet.count)] })
    }

    /// The signature by which a vendor recognises its own text: FNV-1a, which suffices for a simulator.
    static func signature(_ text: String) -> String {
        var hash: UInt64 = 0xcbf2_9ce4_8422_2325
        for byte in text.utf8 { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01b3 }
        return "c2ltdWxhdGVk" + String(hash, radix: 16)
    }
}

extension JSONValue {
    /// JSON text with sorted member names, so that it is the same for equal values.
    var canonicalText: String { sorted.text }

    private var sorted: JSONValue {
        switch self {
        case .object(let members):
            .object(members.map { (key: $0.key, value: $0.value.sorted) }.sorted { $0.key < $1.key })
        case .array(let elements): .array(elements.map(\.sorted))
        default: self
        }
    }
}

/// The credential of a request, from any header or query argument in which a vendor accepts one.
extension SimulatedRequest {
    var bearer: String? {
        guard let value = headers["authorization"], value.lowercased().hasPrefix("bearer ") else { return nil }
        return String(value.dropFirst(7))
    }
}
