internal import CSimulatorData
internal import JSON

/// Which models of which vendors refuse what, read from `Data/strictness.json`. The file has its own sources, so that
/// the simulator and the providers' catalogue cannot share a mistake; docs/simulator.md has its format.
struct Strictness: Sendable {
    /// The providers by the names that the configuration has for them.
    enum Vendor: String, Sendable, CaseIterable {
        case openAI = "openai"
        case azureOpenAI = "azure_openai"
        case groq
        case anthropic
        case anthropicVertex = "anthropic_vertex"
        case gemini
        case vertex
    }

    /// What is asked of a vendor.
    enum Endpoint: String, Sendable, CaseIterable {
        case chat
        case responses
        case embeddings
        case messages
        case generateContent = "generate_content"
    }

    /// What a model does by itself.
    enum Trait: String, Sendable, CaseIterable {
        case thinks
        /// Shows its reasoning in `reasoning_content`.
        case reasoningContent = "reasoning_content"
        /// Puts its reasoning into the text unless told otherwise.
        case rawThinking = "raw_thinking"
        /// Signs function calls, and wants the signatures back.
        case signs
        /// Its thinking blocks are valid for it alone, and in one conversation.
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

    /// The deployments of a name, and the model that they run.
    struct Deployment: Sendable {
        let names: [NameGlob]
        let model: String
    }

    let deployments: [Deployment]
    let rules: [Rule]

    /// The file that is part of the program. It is checked by a test, so it can be read.
    static let shared: Strictness = {
        let bytes = Array(UnsafeBufferPointer(start: gw_simulator_strictness, count: gw_simulator_strictness_size))
        do {
            return try Strictness(parsing: bytes)
        } catch {
            fatalError("strictness.json: \(error)")
        }
    }()

    /// The rules of a model, in the file's order.
    private func rules(of subject: Subject) -> some Sequence<Rule> {
        let name = Self.baseName(subject.model, at: subject.vendor, deployments)
        return rules.lazy.filter { rule in
            rule.endpoint == subject.endpoint && rule.vendors.contains(subject.vendor)
                && rule.models.contains { $0.matches(name) } && !rule.except.contains { $0.matches(name) }
        }
    }

    /// The first refusal of a request; `nil` if the vendor would serve it.
    /// - Parameter facts: what the request says outside its body, such as `region` and `api_version`.
    func refusal(of subject: Subject, _ body: JSONValue, facts: [String: String] = [:]) -> Refusal? {
        for rule in rules(of: subject) {
            for refusal in rule.refusals {
                if let refused = refusal.check(subject.model, body, facts: facts) { return refused }
            }
        }
        return nil
    }

    /// Whether a model does something by itself.
    func has(_ trait: Trait, _ subject: Subject) -> Bool { rules(of: subject).contains { $0.traits.contains(trait) } }

    /// The name that the rules are written for: of a fine-tuned model its base (`ft:BASE:ORGANIZATION:…`), of a
    /// deployment its model.
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

/// A pattern of names with `*` for any text and `?` for one byte.
struct NameGlob: Sendable {
    private let pattern: [UInt8]

    init(_ text: String) { pattern = Array(text.lowercased().utf8) }

    func matches(_ name: [UInt8]) -> Bool {
        var (place, position) = (0, 0)
        // Where the newest star is, and how far its text reaches.
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
