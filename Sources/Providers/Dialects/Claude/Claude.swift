internal import Config
internal import Generation
internal import JSON

/// Anthropic's Messages API, used by Anthropic and by Claude on Vertex AI.
struct Claude: Dialect {
    /// Where the model is hosted.
    enum Host: Sendable {
        /// Anthropic: the model is in the body, the version in a header.
        case native
        /// Vertex AI: the model is in the address, the version in the body.
        case vertex
    }

    /// The name of the family in `provider_state`.
    static let family: StaticString = "claude"
    /// The version that every region of Vertex AI accepts.
    private static let defaultVersion = "vertex-2023-10-16"
    /// The first version that rejects sampling parameters.
    private static let versionWithoutSampling = "2026-10-21"

    /// The key of both providers that speak the dialect.
    static let anthropicVersion = ProviderKey<String>(
        "anthropic_version", .headerText, default: "`2023-06-01` at Anthropic, `\(defaultVersion)` on Vertex AI",
        isConnection: true, "The version of Anthropic's API.")

    let host: Host

    /// What the wire format supports.
    static func capabilities(_ model: ModelConfiguration, host: Host) -> Capabilities {
        var capabilities: Capabilities = [
            .tools, .parallelControl, .imageData, .imageURLs, .fileData, .fileURLs, .jsonSchema, .effort,
            .thinkingBudget, .temperature, .topP, .topK, .stop, .user, .countTokens, .jsonObject, .promptedJSONObject,
            .cacheBreakpoints, .serviceTier, .builtinTools, .strictTools, .toolErrors,
        ]
        if (model[anthropicVersion] ?? "") == versionWithoutSampling { capabilities.subtract(.sampling) }
        return capabilities
    }

    /// A request that counts the tokens of one word: free, and rejected if the credential is invalid.
    static func probeBody(_ model: ModelConfiguration) -> String {
        var writer = JSONWriter()
        writer.beginObject()
        writer.member("anthropic_version", version(model))
        writer.member("model", model.modelName)
        writer.key("messages")
        writer.raw(#"[{"role":"user","content":"hello"}]"#)
        writer.endObject()
        return String(decoding: writer.bytes, as: UTF8.self)
    }

    static func version(_ model: ModelConfiguration) -> String { model[anthropicVersion] ?? defaultVersion }

    func encode(_ request: PreparedRequest, for model: ConfiguredModel) throws(GenerationError) -> JSONWriter {
        var encoder = RequestEncoder(model: model, host: host)
        return try encoder.encode(request)
    }

    func encodeTokenCount(
        _ request: PreparedRequest, for model: ConfiguredModel
    ) throws(GenerationError) -> JSONWriter? {
        var encoder = RequestEncoder(model: model, host: host)
        return try encoder.encodeTokenCount(request)
    }

    func tokenCount(_ root: JSONElement) -> Int? { root["input_tokens"]?.tokens }

    func makeStreamDecoder(for model: ConfiguredModel, _ wishes: AnswerWishes) -> any StreamDecoder {
        Decoder(model: model, wishes)
    }
}
