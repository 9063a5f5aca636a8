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

    /// What a model supports.
    static func capabilities(_ model: ModelConfiguration, host: Host) -> Capabilities {
        var capabilities: Capabilities = [
            .tools, .parallelControl, .imageData, .imageURLs, .fileData, .fileURLs, .jsonSchema, .effort,
            .thinkingBudget, .temperature, .topP, .topK, .stop, .user, .countTokens,
        ]
        if (model[anthropicVersion] ?? "") == versionWithoutSampling { capabilities.subtract(.sampling) }
        if !ModelFamily(model.modelName).thinks { capabilities.subtract([.effort, .thinkingBudget]) }
        return capabilities
    }

    /// What a model probably refuses, judging by its name.
    static func likelyUnsupported(_ model: ModelConfiguration) -> Capabilities {
        ModelFamily(model.modelName).refusesSampling ? Capabilities.sampling.union(.thinkingBudget) : []
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

    func makeStreamDecoder(for model: ConfiguredModel, includesReasoning: Bool) -> any StreamDecoder {
        Decoder(model: model, includesReasoning: includesReasoning)
    }

    /// The properties that follow from a model's name.
    struct ModelFamily {
        private let name: String
        private let major: Int
        private let minor: Int

        init(_ modelName: String) {
            name = modelName.lowercased()
            // Versions have one or two digits, dates eight: claude-sonnet-4-5-20250929, claude-3-5-sonnet@20240620.
            let numbers = name.split { "-@.".contains($0) }.compactMap { $0.count <= 2 ? Int($0) : nil }
            major = numbers.first ?? 0
            minor = numbers.count > 1 ? numbers[1] : 0
        }

        private func isAtLeast(_ major: Int, _ minor: Int) -> Bool { (self.major, self.minor) >= (major, minor) }

        /// Whether it supports thinking. A name in an unknown format is treated as a new model.
        var thinks: Bool { major == 0 || isAtLeast(3, 7) }
        /// Whether it uses adaptive thinking, with an effort instead of a budget.
        var isAdaptive: Bool { major == 0 || isAtLeast(5, 0) || (isAtLeast(4, 6) && !name.contains("haiku")) }
        /// Whether it rejects sampling parameters and budgets (Opus from 4.7, everything from 5).
        var refusesSampling: Bool { isAtLeast(5, 0) || (isAtLeast(4, 7) && name.contains("opus")) }
    }
}
