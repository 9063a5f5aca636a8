/// How an answer is to be made. What is `nil` or empty falls back to the model's configuration, then to the provider.
public struct GenerationOptions: Sendable, Equatable {
    /// The longest answer, in tokens, reasoning included.
    public var maxTokens: Int?
    /// Randomness, 0 to 2.
    public var temperature: Double?
    /// Nucleus sampling, 0 to 1.
    public var topP: Double?
    /// How many of the likeliest tokens to choose from.
    public var topK: Int?
    /// Texts at which the answer ends.
    public var stop: [String] = []
    /// For repeatable answers where the provider can.
    public var seed: Int64?
    /// -2 to 2.
    public var presencePenalty: Double?
    /// -2 to 2.
    public var frequencyPenalty: Double?
    /// Free text, any JSON, or JSON by a schema.
    public var responseFormat: ResponseFormat = .text
    /// How much the model thinks, and whether its thoughts are delivered.
    public var reasoning = ReasoningOptions()
    /// Whether one answer may hold several tool calls; `nil` for the provider's default.
    public var parallelToolCalls: Bool?
    /// An identifier of the end user for the provider's abuse detection.
    public var user: String = ""
    /// How the answer cache is used.
    public var cache = CacheOptions()
    /// Models or routes to try, in order, when the first one fails before its first content.
    public var fallbacks: [String] = []
    /// The most entries of `fallbacks`.
    public static let maximumFallbacks = 16
    /// Whether options that the provider cannot honour are dropped with a warning instead of refused.
    public var dropUnsupported = false

    /// Options that leave everything to the configuration.
    public init() {}
}

/// The form of the answer.
public enum ResponseFormat: Sendable, Equatable {
    /// Free text.
    case text
    /// Some JSON object.
    case jsonObject
    /// JSON that follows `schema` (JSON Schema as text).
    case jsonSchema(schema: String, name: String, strict: Bool?)
}

/// Reasoning controls.
public struct ReasoningOptions: Sendable, Equatable {
    /// The provider's word for how hard to think, such as `low` or `high`; empty for its default.
    public var effort = ""
    /// A cap on thinking, in tokens.
    public var budgetTokens: Int?
    /// Whether reasoning is delivered to the caller.
    public var include = false

    /// The provider's defaults, reasoning not delivered.
    public init() {}
}

/// Use of the answer cache.
public struct CacheOptions: Sendable, Equatable {
    /// What to do with the cache.
    public enum Mode: Sendable, Equatable {
        /// As the model's configuration says.
        case standard
        /// Neither read nor write.
        case off
        /// Do not read, but write.
        case refresh
        /// Answer from the cache or fail.
        case only
    }
    /// What to do with the cache.
    public var mode = Mode.standard
    /// How long an answer may be served, in seconds.
    public var ttlSeconds: Int?

    /// As configured.
    public init() {}
}

/// A request for an answer, as every provider understands it.
public struct ChatRequest: Sendable, Equatable {
    /// A configured model or route, `provider/model_name`, or empty for the default.
    public var model: String
    /// The conversation so far; never empty.
    public var messages: [Message]
    /// What the model may call.
    public var tools: [Tool]
    /// Whether it may or must; `nil` for the provider's default.
    public var toolChoice: ToolChoice?
    /// How to answer.
    public var options: GenerationOptions

    /// A request.
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
