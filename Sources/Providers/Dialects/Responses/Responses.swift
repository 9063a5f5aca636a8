internal import Config
internal import Generation
internal import JSON

/// OpenAI's Responses API, used by OpenAI, Azure and some compatible servers. Nothing is stored with the vendor:
/// encrypted reasoning is returned to the caller in `provider_state`.
struct Responses: Dialect {
    /// The families in `provider_state`. Azure cannot decrypt the reasoning of OpenAI, and vice versa.
    private static let family: StaticString = "responses"
    private static let azureFamily: StaticString = "azure_responses"

    var family = Self.family
    var systemRole = ChatCompletions.SystemRole.system

    let leastMaxTokens = 16

    /// What the wire format supports.
    static let capabilities: Capabilities = [
        .tools, .parallelControl, .imageData, .imageURLs, .fileData, .fileURLs, .jsonObject, .jsonSchema, .effort,
        .temperature, .topP, .user, .countTokens, .builtinTools, .promptCacheKey, .serviceTier, .verbosity,
        .strictTools,
    ]

    func configured(by model: ModelConfiguration) -> Responses {
        var dialect = self
        if model.provider == Provider.azureOpenAI.name { dialect.family = Self.azureFamily }
        dialect.systemRole = model[ChatCompletions.systemRole] ?? systemRole
        return dialect
    }

    func encode(_ request: PreparedRequest, for model: ConfiguredModel) throws(GenerationError) -> JSONWriter {
        var encoder = RequestEncoder(dialect: self, model: model)
        return try encoder.encode(request)
    }

    func encodeTokenCount(
        _ request: PreparedRequest, for model: ConfiguredModel
    ) throws(GenerationError) -> JSONWriter? {
        var encoder = RequestEncoder(dialect: self, model: model)
        return try encoder.encodeTokenCount(request)
    }

    func tokenCount(_ root: JSONElement) -> Int? { root["input_tokens"]?.tokens }

    func makeStreamDecoder(for model: ConfiguredModel, _ wishes: AnswerWishes) -> any StreamDecoder {
        Decoder(model: model, family: family, wishes)
    }
}
