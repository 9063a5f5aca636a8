internal import JSON

/// A model: the `generation` section or an entry of `models`. `nil` means the provider's default.
public struct ModelConfiguration: Sendable, Equatable {
    /// The name in the configuration; `default` for the `generation` section.
    public var name: String
    /// The provider's name, for example `openai`.
    public var provider: String
    /// The vendor's name for the model.
    public var modelName: String
    /// Whether the daemon starts without this model if an environment variable is missing.
    public var isOptional = false
    /// Why an optional model cannot be used: the key and the environment variable that is missing; `nil` for
    /// usable models.
    public var unconfiguredReason: String?

    /// The default maximum length of a response, in tokens.
    public var maxTokens: Int?
    /// The default sampling temperature, 0 to 2.
    public var temperature: Double?
    /// The default nucleus, 0 to 1.
    public var topP: Double?
    /// The default number of candidate tokens.
    public var topK: Int?
    /// The default stop sequences.
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

    /// Whether responses are cached.
    public var enableCaching = false
    /// How long a cached answer is good, in seconds.
    public var cacheTTL: Double = 3600
    /// Maximum number of cached responses.
    public var cacheMaxSize = 1000

    /// Headers added to every request; the values may be secret.
    public var extraHeaders: [String: String] = [:]
    /// A map merged last into every request's body; see `ConfigNode.jsonText()`.
    public var extraBody: ConfigNode?
    /// Whether callers may change the request's body with `extra_json`.
    public var allowsExtra = true
    /// The values of provider-specific keys; see `ProviderKey`.
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

    /// Copies the connection settings of `other`, but not its generation defaults.
    mutating func copyConnection(from other: ModelConfiguration) {
        for key in Self.keys where key.info.isConnection { key.copy(other, &self) }
        own = other.own.filter(\.value.isConnection)
    }
}

/// The keys of a model's `config`, except provider-specific ones.
extension ModelConfiguration: Keyed {
    static let standard = ModelConfiguration(name: "", provider: "", modelName: "")
    private static let byProvider = "the vendor's"

    static let keys: [Key<ModelConfiguration>] =
        [Key("model_name", \.modelName, .headerText, isRequired: true, "The vendor's name for the model.")]
        + samplingKeys + connectionKeys + answerKeys

    private static let samplingKeys: [Key<ModelConfiguration>] = [
        Key(
            "max_tokens", \.maxTokens, .integer(in: 1...100_000_000), unit: "tokens", default: byProvider,
            "Maximum length of a response."),
        Key(
            "temperature", \.temperature, .number(in: 0...2), default: byProvider,
            "Sampling temperature. As with all sampling parameters, a value in the request takes precedence."),
        Key("top_p", \.topP, .number(in: 0...1), default: byProvider, "Nucleus sampling probability."),
        Key(
            "top_k", \.topK, .integer(in: 1...1_000_000), default: byProvider, "Number of candidate tokens."),
        Key("stop", \.stop, .texts, default: "none", "Stop sequences."),
        Key("seed", \.seed, .integer(), default: "none", "Sampling seed, if the vendor supports one."),
        Key(
            "presence_penalty", \.presencePenalty, .number(in: -2...2), default: byProvider,
            "Penalty for tokens that have already occurred."),
        Key(
            "frequency_penalty", \.frequencyPenalty, .number(in: -2...2), default: byProvider,
            "Penalty that grows with each occurrence of a token."),
    ]

    private static let connectionKeys: [Key<ModelConfiguration>] = [
        Key(
            "api_base", \.apiBase, .baseURL, default: byProvider, isConnection: true,
            "Overrides the scheme, host and version prefix of the vendor's URL, for a proxy or a compatible server."),
        Key(
            "api_key", \.apiKey, .secret(), default: "the provider's environment variable", isConnection: true,
            "The API key."),
        Key(
            "auth", \.auth, .text, default: "none", isConnection: true,
            "The name of an entry of `auth`; takes precedence over `api_key`."),
        Key(
            "extra_headers", \.extraHeaders, .headers, default: "none", isConnection: true,
            "HTTP headers added to every request; they replace headers of the same name."),
        .section("timeouts", \.timeouts, isConnection: true, "Overrides individual keys of the file's section."),
        .section("retry", \.retry, isConnection: true, "Overrides individual keys of the file's section."),
        Key(
            "ca_file", \.caFile, .certificateFile, default: "`tls.ca_file`", isConnection: true,
            "The certificate authorities to trust for this model."),
    ]

    private static let answerKeys: [Key<ModelConfiguration>] = [
        Key(
            "extra_body", \.extraBody, .jsonMap, default: "none",
            "A JSON merge patch (RFC 7396) applied last to the body of every request."),
        Key(
            "allow_extra", \.allowsExtra, .boolean, isConnection: true,
            "Whether callers may change the body with `options.extra_json`, after `extra_body`."),
        Key("enable_caching", \.enableCaching, .boolean, "Whether responses are cached."),
        Key(
            "cache_ttl", \.cacheTTL, .number(in: 0...31_536_000, isAbove: true), unit: "seconds",
            "Lifetime of a cached response."),
        Key(
            "cache_max_size", \.cacheMaxSize, .integer(in: 1...10_000_000), unit: "responses",
            "Maximum number of cached responses."),
    ]

    /// The keys beside `config`.
    static let providerKey = KeyInfo(
        name: "provider", form: ValueType.text.form, isRequired: true, doc: "The vendor and its API.")
    static let optionalKey = Key<ModelConfiguration>(
        "optional", \.isOptional, .boolean,
        "Whether the daemon starts without this model if an environment variable or the credential is missing."
    )
    static let configKey = KeyInfo(
        name: "config", form: ValueForm(name: "map", schema: .bool(true)), isRequired: true,
        doc: "The model's name, generation defaults and connection settings.")
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
