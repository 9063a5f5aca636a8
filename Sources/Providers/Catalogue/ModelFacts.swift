/// The facts of one model at one provider. Looked up once per configured model, never per request. Facts that no entry
/// states have permissive defaults, so that nothing is withheld from an unknown model of a compatible server.
package struct ModelFacts: Sendable, Equatable {
    /// How the name was found.
    package enum Origin: Sendable, Equatable {
        /// There is an entry for the name, or for the name without its date, version or fine-tuning.
        case listed
        /// The catalogue guesses from the name which model a deployment runs.
        case alias(String)
        /// There is no entry, but the name belongs to a family: the rules of the family's newest models apply.
        case family
        /// Nothing is known about the name.
        case unknown
    }

    /// The purpose of a model.
    package enum Kind: String, Sendable, CaseIterable {
        /// Responds to conversations.
        case chat
        /// Makes vectors from texts.
        case embedding
    }

    /// A type of content.
    package enum Modality: String, Sendable, CaseIterable {
        /// Text.
        case text
        /// Images.
        case image
        /// Documents.
        case pdf
        /// Audio.
        case audio
        /// Video.
        case video
    }

    /// The APIs of OpenAI.
    package enum API: String, Sendable, CaseIterable {
        /// Chat completions.
        case chat
        /// Responses.
        case responses
    }

    /// A condition on the request's reasoning.
    package enum Condition: String, Sendable, CaseIterable {
        /// In every request.
        case always
        /// Only with the reasoning effort `none`, whether requested or the model's default.
        case withoutReasoning = "without_reasoning"
        /// In no request.
        case never
    }

    /// The field of chat completions that limits the length of a response.
    package enum MaxTokensField: String, Sendable, CaseIterable {
        /// `max_tokens`.
        case maxTokens = "max_tokens"
        /// `max_completion_tokens`.
        case maxCompletionTokens = "max_completion_tokens"
    }

    /// The field by which a request to chat completions selects how reasoning is returned.
    package enum ReasoningOutput: String, Sendable, CaseIterable {
        /// There is no such field.
        case fixed
        /// `include_reasoning`: true or false.
        case includeReasoning = "include_reasoning"
        /// `reasoning_format`: `parsed` or `hidden`.
        case reasoningFormat = "reasoning_format"
    }

    /// The conversion of JSON schemas that a model requires.
    package enum SchemaTransform: String, Sendable, CaseIterable {
        /// No conversion.
        case none
        /// Objects are closed, and unsupported keywords are moved to the descriptions.
        case closedObjects = "closed_objects"
    }

    /// The API method for embeddings.
    package enum EmbeddingMethod: String, Sendable, CaseIterable {
        /// OpenAI's `/embeddings`.
        case embeddings
        /// Vertex AI's `:predict`.
        case predict
        /// Google's `:embedContent`, one text per request.
        case embedContent = "embed_content"
        /// Google's `:batchEmbedContents`.
        case batchEmbedContents = "batch_embed_contents"
    }

    /// How the name was found.
    package var origin = Origin.unknown
    /// The purpose of the model.
    package var kind = Kind.chat

    // MARK: Sizes

    /// Maximum number of tokens of a request and its response together.
    package var contextWindow: Int?
    /// Maximum number of tokens of a response, including reasoning.
    package var maxOutputTokens: Int?
    /// The `max_tokens` to send if neither the caller nor the configuration sets it; `nil` to send none.
    package var defaultMaxTokens: Int?
    /// The field for `max_tokens` in chat completions.
    package var maxTokensField = MaxTokensField.maxTokens

    // MARK: Content

    /// The types of content of a request; `nil` if unknown.
    package var input: Set<Modality>?
    /// The types of content of a response.
    package var output: Set<Modality> = [.text]
    /// Whether the vendor fetches images and documents by URL.
    package var acceptsURLs = true
    /// Whether a conversation may end with the beginning of the response.
    package var prefill = true
    /// Whether system messages may follow other messages.
    package var midConversationSystem = false

    // MARK: Tools and formats

    /// Whether the model can call functions.
    package var tools = true
    /// Whether parallel calls can be enabled and disabled.
    package var parallelToolCalls = true
    /// Whether a request can force a call (`REQUIRED` or `NAMED`).
    package var forcedTools = true
    /// When chat completions accept functions. Other requests with functions require the Responses API.
    package var chatTools = Condition.always
    /// Whether the model supports a JSON schema for the response.
    package var jsonSchema = true
    /// Whether the model supports responses that are any JSON object.
    package var jsonObject = true
    /// The conversion of schemas that the model requires.
    package var schemaTransform = SchemaTransform.none
    /// The APIs of OpenAI that serve the model.
    package var endpoints: Set<API> = [.chat]

    // MARK: Parameters

    /// Whether the vendor accepts the parameter at all.
    package var temperature = true
    /// See `temperature`.
    package var topP = true
    /// See `temperature`.
    package var topK = true
    /// The highest temperature.
    package var maxTemperature = 2.0
    /// When it accepts `temperature` and `top_p`, if it does at all.
    package var sampling = Condition.always
    /// Whether `temperature` and `top_p` may both be set.
    package var temperatureWithTopP = true
    /// Whether the vendor accepts stop sequences.
    package var stop = true
    /// Whether the vendor accepts a seed.
    package var seed = true
    /// Whether the vendor accepts presence and frequency penalties.
    package var penalties = true

    // MARK: Reasoning

    /// How the model's reasoning is controlled.
    package var reasoning = Reasoning()
    /// The field that selects how reasoning is returned.
    package var reasoningOutput = ReasoningOutput.fixed
    /// Whether requests must contain the `reasoning_content` of earlier responses.
    package var sendsReasoningBack = false
    /// Whether thinking blocks are valid only for the same model and the same conversation.
    package var thinkingIsBound = false
    /// Whether function calls of earlier responses require a thought signature.
    package var needsThoughtSignatures = false

    // MARK: Caching

    /// Whether the vendor caches prompts.
    package var promptCaching: Bool?
    /// Minimum number of tokens of a cached prompt.
    package var promptCacheMinTokens: Int?
    /// Whether a request can mark the end of a cached prompt.
    package var cacheBreakpoints = false

    // MARK: Embeddings

    /// The API method for embeddings.
    package var embeddingMethod = EmbeddingMethod.embeddings
    /// The length of the vectors; `nil` if unknown.
    package var dimensions: Int?
    /// Whether a request may ask for shorter vectors.
    package var settableDimensions = true
    /// Maximum number of texts per request.
    package var embeddingBatch = 2048
    /// Maximum number of tokens of all texts of a request; `nil` for no limit.
    package var embeddingBatchTokens: Int?

    // MARK: Region, version, retirement and prices

    /// The default region, if neither the configuration nor the environment sets one.
    package var region: String?
    /// The oldest version of Azure's API that serves the model.
    package var apiVersion: String?
    /// The first day on which the vendor no longer serves the model, `YYYY-MM-DD`.
    package var retiresOn: String?
    /// The prices of the model.
    package var prices = Prices()

    /// Prices in US dollars per million tokens; `nil` if unknown.
    package struct Prices: Sendable, Equatable {
        /// Input tokens.
        package var input: Double?
        /// Output tokens, including reasoning.
        package var output: Double?
        /// Input tokens read from a cache.
        package var cachedInput: Double?
        /// Input tokens written to a cache.
        package var cacheWrite: Double?
    }

    /// Creates the facts of an unknown model.
    package init() {}
}
