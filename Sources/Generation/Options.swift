/// Generation options. A `nil` or empty option falls back to the model's configuration, then to the provider's default.
public struct GenerationOptions: Sendable, Equatable {
    /// Maximum length of the response in tokens, reasoning included.
    public var maxTokens: Int?
    /// Sampling temperature, 0 to 2.
    public var temperature: Double?
    /// Probability mass for nucleus sampling, 0 to 1.
    public var topP: Double?
    /// The number of most likely tokens to sample from.
    public var topK: Int?
    /// Stop sequences, at most 64. The response ends before the first one that is generated.
    public var stop: [String] = []
    /// Random seed for reproducible responses, if the provider supports it.
    public var seed: Int64?
    /// Penalty for tokens that have already occurred, -2 to 2.
    public var presencePenalty: Double?
    /// Penalty for tokens in proportion to their frequency so far, -2 to 2.
    public var frequencyPenalty: Double?
    /// Free text, any JSON object, or JSON that matches a schema.
    public var responseFormat: ResponseFormat = .text
    /// How much the model reasons, and whether its reasoning is delivered.
    public var reasoning = ReasoningOptions()
    /// Whether a response may contain several tool calls; `nil` for the provider's default.
    public var parallelToolCalls: Bool?
    /// An identifier of the end user for the provider's abuse detection; empty for none.
    public var user: String = ""
    /// Use of the response cache.
    public var cache = CacheOptions()
    /// Models or routes to try in order if the requested one fails before its first content. At most 16.
    public var fallbacks: [String] = []
    /// Maximum number of `fallbacks`.
    public static let maximumFallbacks = 16
    /// Whether unsupported options are dropped with a warning. If `false`, such a request fails with `.unsupported`.
    public var dropUnsupported = false
    /// Requests with the same key share the provider's prompt cache; empty for none.
    public var promptCacheKey = ""
    /// The name of a prompt that was stored with the provider before; empty for none.
    public var cachedContent = ""
    /// The service tier in the provider's terms, for example `flex` or `priority`; empty for its default.
    public var serviceTier = ""
    /// The length of responses: `low`, `medium`, `high`; empty for the provider's default.
    public var verbosity = ""
    /// A JSON object that is merged into the provider's request body (RFC 7396) after everything else; empty for none.
    public var extraJSON = ""
    /// Whether `AnswerTrailer.extraJSON` is delivered.
    public var includeExtra = false

    /// Leaves all options to the model's configuration.
    public init() {}
}

/// The format of the response.
public enum ResponseFormat: Sendable, Equatable {
    /// Free text.
    case text
    /// A JSON object of any form.
    case jsonObject
    /// JSON that matches `schema` (a JSON Schema as text). `strict`: `nil` for the provider's default.
    case jsonSchema(schema: String, name: String, strict: Bool?)
}

/// Controls the model's reasoning, if it supports any.
public struct ReasoningOptions: Sendable, Equatable {
    /// The effort in the provider's terms, for example `low` or `high`; empty for its default.
    public var effort = ""
    /// Maximum number of reasoning tokens; `nil` for the provider's default.
    public var budgetTokens: Int?
    /// Whether the reasoning is delivered to the caller.
    public var include = false

    /// The provider's defaults, without delivering the reasoning.
    public init() {}
}

/// Use of the response cache.
public struct CacheOptions: Sendable, Equatable {
    /// How a call uses the cache.
    public enum Mode: Sendable, Equatable, CaseIterable {
        /// As configured for the model.
        case standard
        /// Neither reads nor writes the cache.
        case off
        /// Does not read the cache, but writes it.
        case refresh
        /// Responds from the cache, or fails.
        case only
    }
    /// How this call uses the cache.
    public var mode = Mode.standard
    /// Lifetime of the cached response in seconds; `nil` as configured for the model.
    public var ttlSeconds: Int?

    /// As configured for the model.
    public init() {}
}

/// A chat request, independent of the provider.
public struct ChatRequest: Sendable, Equatable {
    /// The name of a configured model or route, or `provider/model_name`; empty for the default model.
    public var model: String
    /// The conversation so far; at least one message.
    public var messages: [Message]
    /// The tools that the model may call.
    public var tools: [Tool]
    /// Whether the model may or must call a tool; `nil` for the provider's default.
    public var toolChoice: ToolChoice?
    /// Generation options of this request.
    public var options: GenerationOptions

    /// Creates a request; only `messages` is required.
    public init(
        model: String = "", messages: [Message], tools: [Tool] = [], toolChoice: ToolChoice? = nil,
        options: GenerationOptions = GenerationOptions()
    ) {
        self.model = model
        self.messages = messages
        self.tools = tools
        self.toolChoice = toolChoice
        self.options = options
    }
}
