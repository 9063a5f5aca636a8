internal import JSON

/// A model: the `generation` section or an entry of `models`. Not given means `nil`: the provider's own default counts.
public struct ModelConfiguration: Sendable, Equatable {
    /// The name in the configuration; `default` for the `generation` section.
    public var name: String
    /// The provider's name, for example `openai`.
    public var provider: String
    /// The vendor's name of the model.
    public var modelName: String
    /// Whether the daemon starts without this model where a variable of the environment is missing.
    public var isOptional = false
    /// Why an optional model is not to be used: the key and the variable of the environment that is missing; `nil` for
    /// usable models.
    public var unconfiguredReason: String?

    /// The default of the answer's longest length, in tokens.
    public var maxTokens: Int?
    /// The default sampling temperature, 0 to 2.
    public var temperature: Double?
    /// The default nucleus, 0 to 1.
    public var topP: Double?
    /// The default number of candidate tokens.
    public var topK: Int?
    /// The default texts that end an answer.
    public var stop: [String] = []
    /// The default seed.
    public var seed: Int?
    /// The default presence penalty, -2 to 2.
    public var presencePenalty: Double?
    /// The default frequency penalty, -2 to 2.
    public var frequencyPenalty: Double?

    /// Replaces scheme, host and version prefix of the vendor's URL, without `/` at its end.
    public var apiBase: String?
    /// The API key.
    public var apiKey: Secret?
    /// The entry of `auth` that gives the credentials.
    public var auth: String?

    /// Whether answers are cached.
    public var enableCaching = false
    /// How long a cached answer is good, in seconds.
    public var cacheTTL: Double = 3600
    /// How many answers are cached.
    public var cacheMaxSize = 1000

    /// Headers added to every request; the values may be secret.
    public var extraHeaders: [String: String] = [:]
    /// A map merged last into every request's body; see `ConfigNode.jsonText()`.
    public var extraBody: ConfigNode?
    /// The values of the keys that its provider alone takes: see `ProviderKey`.
    var own: [String: OwnValue] = [:]

    /// The timeouts: the model's own over the file's.
    public var timeouts = TimeoutsConfiguration()
    /// The retry rules: the model's own over the file's.
    public var retry = RetryConfiguration()
    /// A PEM file of trusted authorities for this model: its own or the file's; `nil` for the system's.
    public var caFile: String?

    /// A model with the defaults for everything else.
    public init(name: String, provider: String, modelName: String) {
        self.name = name
        self.provider = provider
        self.modelName = modelName
    }

    /// Takes over how `other` is reached, but not what it is asked.
    mutating func copyConnection(from other: ModelConfiguration) {
        for key in Self.keys where key.info.isConnection { key.copy(other, &self) }
        own = other.own.filter(\.value.isConnection)
    }
}

/// The keys of a model's `config`, beside those that its provider alone takes.
extension ModelConfiguration: Keyed {
    static let standard = ModelConfiguration(name: "", provider: "", modelName: "")
    private static let byProvider = "the vendor's"

    static let keys: [Key<ModelConfiguration>] =
        [Key("model_name", \.modelName, .headerText, isRequired: true, "The vendor's name of the model.")]
        + samplingKeys + connectionKeys + answerKeys

    private static let samplingKeys: [Key<ModelConfiguration>] = [
        Key(
            "max_tokens", \.maxTokens, .integer(in: 1...100_000_000), unit: "tokens", default: byProvider,
            "The longest answer."),
        Key(
            "temperature", \.temperature, .number(in: 0...2), default: byProvider,
            "Randomness; a request's own value replaces it, as with all sampling parameters."),
        Key("top_p", \.topP, .number(in: 0...1), default: byProvider, "Nucleus sampling."),
        Key(
            "top_k", \.topK, .integer(in: 1...1_000_000), default: byProvider, "The number of candidate tokens."),
        Key("stop", \.stop, .texts, default: "none", "Texts that end an answer."),
        Key("seed", \.seed, .integer(), default: "none", "The seed of sampling, where the vendor has one."),
        Key("presence_penalty", \.presencePenalty, .number(in: -2...2), default: byProvider, "Less of what was there."),
        Key(
            "frequency_penalty", \.frequencyPenalty, .number(in: -2...2), default: byProvider,
            "Less of what was there often."),
    ]

    private static let connectionKeys: [Key<ModelConfiguration>] = [
        Key(
            "api_base", \.apiBase, .baseURL, default: byProvider, isConnection: true,
            "Replaces scheme, host and version prefix of the vendor's URL: a proxy, a simulator, a compatible server."),
        Key(
            "api_key", \.apiKey, .secret(), default: "the provider's environment variable", isConnection: true,
            "The API key."),
        Key(
            "auth", \.auth, .text, default: "none", isConnection: true,
            "The entry of `auth` that gives the credential; it comes before `api_key`."),
        Key(
            "extra_headers", \.extraHeaders, .headers, default: "none", isConnection: true,
            "Headers of every request, in place of those of the same names."),
        .section("timeouts", \.timeouts, isConnection: true, "The model's own over those of the file."),
        .section("retry", \.retry, isConnection: true, "The model's own over those of the file."),
        Key(
            "ca_file", \.caFile, .certificateFile, default: "`tls.ca_file`", isConnection: true,
            "The authorities to trust for this model."),
    ]

    private static let answerKeys: [Key<ModelConfiguration>] = [
        Key(
            "extra_body", \.extraBody, .jsonMap, default: "none",
            "Merged last into every request's body (JSON merge patch, RFC 7396)."),
        Key("enable_caching", \.enableCaching, .boolean, "Whether answers are cached."),
        Key(
            "cache_ttl", \.cacheTTL, .number(in: 0...31_536_000, isAbove: true), unit: "seconds",
            "How long a cached answer is good."),
        Key(
            "cache_max_size", \.cacheMaxSize, .integer(in: 1...10_000_000), unit: "answers",
            "How many answers are cached."),
    ]

    /// The keys beside `config`.
    static let providerKey = KeyInfo(
        name: "provider", form: ValueType.text.form, isRequired: true, doc: "The vendor and its API.")
    static let optionalKey = Key<ModelConfiguration>(
        "optional", \.isOptional, .boolean,
        "Whether the daemon starts without this model where a variable of the environment or the credential is missing."
    )
    static let configKey = KeyInfo(
        name: "config", form: ValueForm(name: "map", schema: .bool(true)), isRequired: true,
        doc: "What is asked of the model, and how it is reached.")
    static let entryKeys = [providerKey, optionalKey.info, configKey]

    /// The same, with the names that `provider` may have.
    static func entryKeys(_ providers: [ProviderKeys]) -> [KeyInfo] {
        let names = providers.map(\.name)
        let form = ValueForm(
            name: names.map { "`\($0)`" }.joined(separator: ", "),
            schema: .orVariable(["enum": .array(names.map { .string($0) })]))
        return [KeyInfo(name: providerKey.name, form: form, isRequired: true, doc: providerKey.doc)]
            + entryKeys.dropFirst()
    }
}
