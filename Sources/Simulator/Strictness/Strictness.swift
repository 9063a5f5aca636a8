internal import CSimulatorData
internal import JSON

/// The model-dependent refusals of the vendors, read from `Data/strictness.json`. The file does not share its sources
/// with the providers' catalogue, so that both cannot have the same mistake. docs/simulator.md describes its format.
struct Strictness: Sendable {
    /// The vendors. The raw values are the provider names of the configuration.
    enum Vendor: String, Sendable, CaseIterable {
        case openAI = "openai"
        case azureOpenAI = "azure_openai"
        case groq
        case anthropic
        case anthropicVertex = "anthropic_vertex"
        case gemini
        case vertex
    }

    /// The kind of API that a request uses.
    enum Endpoint: String, Sendable, CaseIterable {
        case chat
        case responses
        case embeddings
        case messages
        case generateContent = "generate_content"
    }

    /// Behaviour of a model that affects its responses and the checks of its requests.
    enum Trait: String, Sendable, CaseIterable {
        case thinks
        /// Returns its reasoning in `reasoning_content`.
        case reasoningContent = "reasoning_content"
        /// Returns its reasoning as part of the text unless the request selects another format.
        case rawThinking = "raw_thinking"
        /// Signs function calls, and requires the signatures in later requests.
        case signs
        /// Accepts only its own thinking blocks, and only in the conversation they are from.
        case bindsThinking = "binds_thinking"
    }

    /// A model at a vendor's endpoint.
    struct Subject: Sendable {
        let vendor: Vendor
        let endpoint: Endpoint
        let model: String
    }

    /// A vendor's error.
    struct Refusal: Sendable, Equatable {
        var status = 400
        var message: String
        var param: JSONValue = nil
        var code: JSONValue = nil
    }

    /// A rule of the file with its refusals resolved.
    struct Rule: Sendable {
        let source: String
        let vendors: [Vendor]
        let endpoint: Endpoint
        let models: [NameGlob]
        let except: [NameGlob]
        let traits: [Trait]
        let refusals: [RefusalRule]
    }

    /// Names of deployments and the model that they run.
    struct Deployment: Sendable {
        let names: [NameGlob]
        let model: String
    }

    let deployments: [Deployment]
    let rules: [Rule]

    /// The embedded file. A test ensures that it can be parsed.
    static let shared: Strictness = {
        let bytes = Array(UnsafeBufferPointer(start: gw_simulator_strictness, count: gw_simulator_strictness_size))
        do {
            return try Strictness(parsing: bytes)
        } catch {
            fatalError("strictness.json: \(error)")
        }
    }()

    /// The rules that apply to a model, in the order of the file.
    private func rules(of subject: Subject) -> some Sequence<Rule> {
        let name = Self.baseName(subject.model, at: subject.vendor, deployments)
        return rules.lazy.filter { rule in
            rule.endpoint == subject.endpoint && rule.vendors.contains(subject.vendor)
                && rule.models.contains { $0.matches(name) } && !rule.except.contains { $0.matches(name) }
        }
    }

    /// Returns the first refusal of a request; `nil` if the vendor would accept it.
    /// - Parameter facts: properties of the request outside its body, for example `region` and `api_version`.
    func refusal(of subject: Subject, _ body: JSONValue, facts: [String: String] = [:]) -> Refusal? {
        for rule in rules(of: subject) {
            for refusal in rule.refusals {
                if let refused = refusal.check(subject.model, body, facts: facts) { return refused }
            }
        }
        return nil
    }

    /// Whether a model has a trait.
    func has(_ trait: Trait, _ subject: Subject) -> Bool { rules(of: subject).contains { $0.traits.contains(trait) } }

    /// The name to which the rules apply, in lower case: for a fine-tuned model its base (`ft:BASE:ORGANIZATION:…`),
    /// for a deployment its model.
    private static func baseName(_ model: String, at vendor: Vendor, _ deployments: [Deployment]) -> [UInt8] {
        var name = model.lowercased()
        if name.hasPrefix("ft:") { name = String(name.dropFirst(3).prefix { $0 != ":" }) }
        let bytes = Array(name.utf8)
        guard vendor == .azureOpenAI,
            let deployment = deployments.first(where: { $0.names.contains { $0.matches(bytes) } })
        else { return bytes }
        return Array(deployment.model.utf8)
    }
}

/// A pattern for names, regardless of case: `*` matches any text, `?` one byte.
struct NameGlob: Sendable {
    private let pattern: [UInt8]

    init(_ text: String) { pattern = Array(text.lowercased().utf8) }

    func matches(_ name: [UInt8]) -> Bool {
        var (place, position) = (0, 0)
        // The position of the last star, and the end of the text that it matches so far.
        var star: (place: Int, position: Int)?
        while position < name.count {
            if place < pattern.count, pattern[place] == UInt8(ascii: "*") {
                star = (place, position)
                place += 1
            } else if place < pattern.count, pattern[place] == UInt8(ascii: "?") || pattern[place] == name[position] {
                place += 1
                position += 1
            } else if let last = star {
                star = (last.place, last.position + 1)
                place = last.place + 1
                position = last.position + 1
            } else {
                return false
            }
        }
        return pattern[place...].allSatisfy { $0 == UInt8(ascii: "*") }
    }
}
