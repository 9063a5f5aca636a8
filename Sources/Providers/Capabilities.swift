/// What a model supports, as data: one check serves every vendor, and `ListModels` reports it.
struct Capabilities: OptionSet, Sendable {
    let rawValue: UInt64

    static let tools = Capabilities(rawValue: 1 << 0)
    /// Parallel tool calls can be switched off.
    static let parallelControl = Capabilities(rawValue: 1 << 1)
    static let imageData = Capabilities(rawValue: 1 << 2)
    static let imageURLs = Capabilities(rawValue: 1 << 3)
    static let fileData = Capabilities(rawValue: 1 << 4)
    static let fileURLs = Capabilities(rawValue: 1 << 5)
    static let jsonObject = Capabilities(rawValue: 1 << 6)
    static let jsonSchema = Capabilities(rawValue: 1 << 7)
    /// Reasoning effort can be given as a level, such as `low`.
    static let effort = Capabilities(rawValue: 1 << 8)
    /// Reasoning can be limited to a number of tokens.
    static let thinkingBudget = Capabilities(rawValue: 1 << 9)
    static let temperature = Capabilities(rawValue: 1 << 10)
    static let topP = Capabilities(rawValue: 1 << 11)
    static let topK = Capabilities(rawValue: 1 << 12)
    static let stop = Capabilities(rawValue: 1 << 13)
    static let seed = Capabilities(rawValue: 1 << 14)
    static let presencePenalty = Capabilities(rawValue: 1 << 15)
    static let frequencyPenalty = Capabilities(rawValue: 1 << 16)
    /// The request can name the end user.
    static let user = Capabilities(rawValue: 1 << 17)
    /// The vendor counts tokens.
    static let countTokens = Capabilities(rawValue: 1 << 18)
    static let audioData = Capabilities(rawValue: 1 << 19)
    static let audioURLs = Capabilities(rawValue: 1 << 20)
    /// Places in the prompt can be marked up to which it is cached.
    static let cacheBreakpoints = Capabilities(rawValue: 1 << 21)
    static let promptCacheKey = Capabilities(rawValue: 1 << 22)
    /// A prompt that was stored before can be named.
    static let cachedContent = Capabilities(rawValue: 1 << 23)
    static let serviceTier = Capabilities(rawValue: 1 << 24)
    static let verbosity = Capabilities(rawValue: 1 << 25)
    /// The vendor runs tools of its own.
    static let builtinTools = Capabilities(rawValue: 1 << 26)
    /// Function tools can be held strictly to their schema, or not.
    static let strictTools = Capabilities(rawValue: 1 << 27)
    /// A tool result can be marked as a failure.
    static let toolErrors = Capabilities(rawValue: 1 << 28)
    /// A JSON object as the response's form is asked for in words: the vendor has no mode for it.
    static let promptedJSONObject = Capabilities(rawValue: 1 << 29)
    /// Fields without a name in the contract can be delivered.
    static let extraFields = Capabilities(rawValue: 1 << 30)

    static let sampling: Capabilities = [.temperature, .topP, .topK]
    static let penalties: Capabilities = [.presencePenalty, .frequencyPenalty]
    static let images: Capabilities = [.imageData, .imageURLs]

    private static let words: [(capability: Capabilities, word: String)] = [
        (.tools, "tools"), (.parallelControl, "parallel_tool_calls"), (.imageData, "images"),
        (.imageURLs, "image_urls"), (.fileData, "files"), (.fileURLs, "file_urls"), (.jsonObject, "json_object"),
        (.jsonSchema, "json_schema"), (.effort, "reasoning_effort"), (.thinkingBudget, "reasoning_budget"),
        (.temperature, "temperature"), (.topP, "top_p"), (.topK, "top_k"), (.stop, "stop"), (.seed, "seed"),
        (.presencePenalty, "presence_penalty"), (.frequencyPenalty, "frequency_penalty"), (.user, "user"),
        (.countTokens, "count_tokens"), (.audioData, "audio"), (.audioURLs, "audio_urls"),
        (.cacheBreakpoints, "cache_breakpoints"), (.promptCacheKey, "prompt_cache_key"),
        (.cachedContent, "cached_content"), (.serviceTier, "service_tier"), (.verbosity, "verbosity"),
        (.builtinTools, "builtin_tools"),
    ]

    /// The names in `ListModels`, first those that every model has.
    var names: [String] { ["chat", "stream"] + Self.words.filter { contains($0.capability) }.map(\.word) }
}

extension ModelFacts {
    /// The names in `ListModels` of what a model supports, of all that its provider offers: an embedding model only
    /// `embed`.
    func capabilityNames(_ offered: Capabilities) -> [String] {
        switch kind {
        case .chat: offered.names
        case .embedding: ["embed"]
        }
    }
}
