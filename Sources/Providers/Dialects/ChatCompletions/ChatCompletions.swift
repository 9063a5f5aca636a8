internal import Config
internal import Generation
internal import JSON

/// OpenAI's chat completions, used by OpenAI, Azure, Groq and most self-hosted servers.
struct ChatCompletions: Dialect {
    /// What a vendor does differently.
    struct Quirks: OptionSet, Sendable {
        let rawValue: Int
        /// The usage is in `x_groq.usage`.
        static let usageInXGroq = Quirks(rawValue: 1)
        /// `reasoning_format` and `include_reasoning` control where reasoning is returned.
        static let reasoningFormat = Quirks(rawValue: 2)
    }

    /// The name of the family in `provider_state`.
    static let family: StaticString = "chat_completions"

    var quirks: Quirks = []
    var options = Options()

    init(quirks: Quirks = []) { self.quirks = quirks }

    /// What the wire format supports.
    static let capabilities: Capabilities = [
        .tools, .parallelControl, .imageData, .imageURLs, .fileData, .jsonObject, .jsonSchema, .effort, .temperature,
        .topP, .stop, .seed, .presencePenalty, .frequencyPenalty, .user,
    ]

    /// Whether the name is one of OpenAI's reasoning models, which require `max_completion_tokens` and reject sampling
    /// parameters.
    static func isReasoningModel(_ modelName: String) -> Bool {
        let name = modelName.split(separator: "/").last.map(String.init) ?? modelName
        return ["o1", "o3", "o4", "gpt-5"].contains { family in
            name.hasPrefix(family)
                && (name.count == family.count
                    || "-.#@".contains(name[name.index(name.startIndex, offsetBy: family.count)]))
        }
    }

    func encode(_ request: PreparedRequest, for model: ConfiguredModel) throws(GenerationError) -> JSONWriter {
        var encoder = RequestEncoder(model: model, quirks: quirks, options: options)
        return try encoder.encode(request)
    }

    func makeStreamDecoder(for model: ConfiguredModel, includesReasoning: Bool) -> any StreamDecoder {
        Decoder(model: model, quirks: quirks, includesReasoning: includesReasoning)
    }
}
