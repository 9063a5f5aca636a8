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
    }

    /// The name of the family in `provider_state`.
    static let family: StaticString = "chat_completions"

    var quirks: Quirks = []
    var options = Options()

    init(quirks: Quirks = []) { self.quirks = quirks }

    /// What the wire format supports.
    static let capabilities: Capabilities = [
        .tools, .parallelControl, .imageData, .imageURLs, .fileData, .jsonObject, .jsonSchema, .effort, .temperature,
        .topP, .stop, .seed, .presencePenalty, .frequencyPenalty, .user, .audioData, .promptCacheKey, .serviceTier,
        .verbosity, .strictTools,
    ]

    func encode(_ request: PreparedRequest, for model: ConfiguredModel) throws(GenerationError) -> JSONWriter {
        var encoder = RequestEncoder(model: model, quirks: quirks, options: options)
        return try encoder.encode(request)
    }

    func makeStreamDecoder(for model: ConfiguredModel, _ wishes: AnswerWishes) -> any StreamDecoder {
        Decoder(model: model, quirks: quirks, wishes)
    }
}
