/// Why an answer ended.
public enum FinishReason: Sendable, Equatable, CaseIterable {
    /// The model was done, or a stop sequence came.
    case stop
    /// The token limit or the context ended it. A tool call that it cut off is left out of a whole answer; a stream has
    /// delivered what there was of it. Either way a warning names it.
    case length
    /// The caller is to run tools. An answer that was cut short keeps its own reason, also where it has calls.
    case toolCalls
    /// The provider blocked the answer.
    case contentFilter
    /// The model declined; the text says why.
    case refusal
    /// Something else: see the raw reason.
    case other
}

/// Tokens that a request cost. Input includes cached tokens, output includes reasoning, for every provider.
public struct Usage: Sendable, Equatable {
    /// Where the numbers are from.
    public enum Source: Sendable, Equatable {
        /// The provider said nothing. Missing is not zero.
        case absent
        /// The provider's own count.
        case provider
        /// Our estimate, 4 characters a token.
        case estimated
    }
    /// Tokens of the prompt.
    public var inputTokens = 0
    /// Tokens of the answer.
    public var outputTokens = 0
    /// The provider's total, or the sum.
    public var totalTokens = 0
    /// Of the input: read from the provider's prompt cache.
    public var cachedInputTokens = 0
    /// Of the output: spent on thinking.
    public var reasoningTokens = 0
    /// Where the numbers are from.
    public var source = Source.absent

    /// No usage known.
    public init() {}
}

/// Where the time of a call went, in microseconds.
public struct Timing: Sendable, Equatable {
    /// Waiting for a free slot.
    public var queueMicroseconds: Int64 = 0
    /// Waiting for a credential.
    public var authMicroseconds: Int64 = 0
    /// Making the upstream connection; 0 where one was re-used.
    public var connectMicroseconds: Int64 = 0
    /// From the request's arrival to the first content.
    public var firstTokenMicroseconds: Int64 = 0
    /// From the request's arrival to the end.
    public var totalMicroseconds: Int64 = 0
    /// The part of the total that was spent outside the upstream call.
    public var gatewayMicroseconds: Int64 = 0

    /// All zero.
    public init() {}
}

/// One try at one model.
public struct Attempt: Sendable, Equatable {
    /// The configured model's name.
    public var model: String
    /// Its provider.
    public var provider: String
    /// The HTTP status, 0 where none came.
    public var status: Int
    /// What went wrong; empty for the one that succeeded.
    public var error: String
    /// How long it took, in microseconds.
    public var durationMicroseconds: Int64

    /// A record of one try.
    public init(model: String, provider: String, status: Int, error: String, durationMicroseconds: Int64) {
        self.model = model
        self.provider = provider
        self.status = status
        self.error = error
        self.durationMicroseconds = durationMicroseconds
    }
}

/// Whether and how the answer cache took part.
public struct CacheInfo: Sendable, Equatable {
    /// The answer came from the cache.
    public var hit = false
    /// Its age in seconds.
    public var ageSeconds: Int64 = 0
    /// The cache key, as hexadecimal text.
    public var key = ""

    /// No cache involved.
    public init() {}
}

/// How a successful answer ended: what a stream says last and a unary answer carries beside its message.
public struct Completion: Sendable, Equatable {
    /// The provider's id of the answer, or ours where it gave none.
    public var id = ""
    /// The model that answered, in the provider's own words.
    public var model = ""
    /// The provider.
    public var provider = ""
    /// Why it ended.
    public var finishReason = FinishReason.other
    /// The provider's own word for it.
    public var rawFinishReason = ""
    /// Tokens.
    public var usage = Usage()
    /// Times.
    public var timing = Timing()
    /// All tries, the successful one last.
    public var attempts: [Attempt] = []
    /// The answer cache's part.
    public var cache = CacheInfo()
    /// The id under which the provider logged the request (its support asks for it).
    public var providerRequestID = ""
    /// What was dropped or changed on the way.
    public var warnings: [String] = []
    /// The provider's state for the whole assistant message, to be sent back with it.
    public var providerState: [UInt8] = []

    /// An empty record.
    public init() {}
}

/// A whole answer.
public struct ChatResponse: Sendable, Equatable {
    /// The assistant's message.
    public var message: Message
    /// How it ended.
    public var completion: Completion

    /// An answer.
    public init(message: Message, completion: Completion) {
        self.message = message
        self.completion = completion
    }
}

/// A piece of a streamed answer.
public enum ChunkEvent: Sendable, Equatable {
    /// More text.
    case text(String)
    /// More reasoning. Only where it was asked for.
    case reasoning(String)
    /// More of a tool call.
    case toolCall(ToolCallDelta)
}

/// A piece of a tool call. The first piece of each `index` carries `id` and `name`.
public struct ToolCallDelta: Sendable, Equatable {
    /// Which call of the answer, from 0.
    public var index: Int
    /// The call's id, in its first piece.
    public var id: String
    /// The tool's name, in its first piece.
    public var name: String
    /// More of the arguments' JSON text.
    public var argumentsJSONDelta: String
    /// The provider's state for this call.
    public var providerState: [UInt8]

    /// A piece of a call.
    public init(index: Int, id: String, name: String, argumentsJSONDelta: String, providerState: [UInt8] = []) {
        self.index = index
        self.id = id
        self.name = name
        self.argumentsJSONDelta = argumentsJSONDelta
        self.providerState = providerState
    }
}
