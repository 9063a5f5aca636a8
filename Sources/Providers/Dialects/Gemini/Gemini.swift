internal import Config
internal import Generation
internal import JSON

/// Google's generateContent, used by Vertex AI and by the Gemini API.
struct Gemini: Dialect {
    /// Where the model is hosted.
    enum Host: Sendable {
        /// The Gemini API.
        case native
        /// Vertex AI.
        case vertex
    }

    /// The name of the family in `provider_state`.
    static let family: StaticString = "gemini"

    let host: Host
    /// The section's safety settings as JSON text.
    private var safetySettings: String?

    init(host: Host) { self.host = host }

    /// The key of both providers that speak the dialect.
    static let safetySettings = ProviderKey<ConfigNode>(
        "safety_settings", .json, default: "Google's",
        "Gemini's `safetySettings`, for example `[{category: HARM_CATEGORY_HARASSMENT, threshold: BLOCK_NONE}]`.")

    func configured(by model: ModelConfiguration) -> Gemini {
        var dialect = self
        dialect.safetySettings = model[Self.safetySettings]?.jsonText()
        return dialect
    }

    /// What the wire format supports.
    static let capabilities: Capabilities = [
        .tools, .imageData, .imageURLs, .fileData, .fileURLs, .jsonObject, .jsonSchema, .temperature, .topP, .topK,
        .stop, .seed, .presencePenalty, .frequencyPenalty, .countTokens,
        .effort, .thinkingBudget, .audioData, .audioURLs, .cachedContent, .serviceTier, .builtinTools, .toolErrors,
    ]

    func encode(_ request: PreparedRequest, for model: ConfiguredModel) throws(GenerationError) -> JSONWriter {
        var encoder = RequestEncoder(model: model, safetySettings: safetySettings)
        return try encoder.encode(request)
    }

    func encodeTokenCount(
        _ request: PreparedRequest, for model: ConfiguredModel
    ) throws(GenerationError) -> JSONWriter? {
        var encoder = RequestEncoder(model: model)
        return try encoder.encodeTokenCount(request, host: host)
    }

    func tokenCount(_ root: JSONElement) -> Int? { root["totalTokens"]?.tokens }

    func makeStreamDecoder(for model: ConfiguredModel, _ wishes: AnswerWishes) -> any StreamDecoder {
        Decoder(model: model, wishes)
    }
}
