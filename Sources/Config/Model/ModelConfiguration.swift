/// A model: the `generation` section or an entry of `models`. Not given means `nil`: the provider's own default counts.
public struct ModelConfiguration: Sendable, Equatable {
    /// The field that limits the answer's length in the chat completions dialect.
    public enum MaxTokensParameter: String, Sendable, CaseIterable {
        /// The older name, which every server knows.
        case maxTokens = "max_tokens"
        /// The name that reasoning models want.
        case maxCompletionTokens = "max_completion_tokens"
        /// By the model's name.
        case auto
    }

    /// The role that system messages get in the chat completions dialect.
    public enum SystemRole: String, Sendable, CaseIterable {
        /// The older name.
        case system
        /// The name that reasoning models want.
        case developer
    }

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
    /// The Google Cloud project.
    public var projectID: String?
    /// The vendor's region, for example `us-central1`.
    public var region: String?
    /// The version of the Azure API.
    public var apiVersion: String?
    /// The Azure resource's URL, without `/` at its end.
    public var azureEndpoint: String?
    /// The Azure deployment; `nil` where it is `modelName`.
    public var deployment: String?
    /// The OpenAI organization.
    public var organization: String?
    /// The OpenAI project.
    public var project: String?
    /// The version of Anthropic's API.
    public var anthropicVersion: String?

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
    /// Gemini's safety settings; see `ConfigNode.jsonText()`.
    public var safetySettings: ConfigNode?
    /// The field that limits the answer's length.
    public var maxTokensParameter = MaxTokensParameter.auto
    /// The role of system messages.
    public var systemRole = SystemRole.system
    /// Whether a stream asks for the usage.
    public var streamUsage = true

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
        apiBase = other.apiBase
        apiKey = other.apiKey
        auth = other.auth
        projectID = other.projectID
        region = other.region
        apiVersion = other.apiVersion
        azureEndpoint = other.azureEndpoint
        organization = other.organization
        project = other.project
        anthropicVersion = other.anthropicVersion
        extraHeaders = other.extraHeaders
        streamUsage = other.streamUsage
        timeouts = other.timeouts
        retry = other.retry
        caFile = other.caFile
    }
}
