/// What the catalogue knows of one model at one provider. Looked up once per configured model, never per request.
/// Facts that no entry states have the values of a vendor without restrictions, so that nothing is withheld from a
/// compatible server of an unknown model.
package struct ModelFacts: Sendable, Equatable {
    /// How the name was found.
    package enum Origin: Sendable, Equatable {
        /// An entry of this name, or of the name without its date, version or fine-tuning.
        case listed
        /// The catalogue's guess at what a deployment of this name runs.
        case alias(String)
        /// No entry, but the name is one of a family's: it has the rules of the family's newest models.
        case family
        /// Nothing is known.
        case unknown
    }

    /// What a model is for.
    package enum Kind: String, Sendable, CaseIterable {
        /// It answers conversations.
        case chat
        /// It turns texts into vectors.
        case embedding
    }

    /// What a part of a conversation can be.
    package enum Modality: String, Sendable, CaseIterable {
        /// Text.
        case text
        /// Pictures.
        case image
        /// Documents.
        case pdf
        /// Sound.
        case audio
        /// Films.
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
        /// Only with reasoning effort `none`, be it asked for or the model's default.
        case withoutReasoning = "without_reasoning"
        /// In no request.
        case never
    }

    /// The field that limits an answer's length in chat completions.
    package enum MaxTokensField: String, Sendable, CaseIterable {
        /// `max_tokens`.
        case maxTokens = "max_tokens"
        /// `max_completion_tokens`.
        case maxCompletionTokens = "max_completion_tokens"
    }

    /// Where a chat-completions server returns reasoning.
    package enum ReasoningOutput: String, Sendable, CaseIterable {
        /// The request cannot say.
        case fixed
        /// `include_reasoning`: true or false.
        case includeReasoning = "include_reasoning"
        /// `reasoning_format`: `parsed` or `hidden`.
        case reasoningFormat = "reasoning_format"
    }

    /// What a JSON schema must go through before this model accepts it.
    package enum SchemaTransform: String, Sendable, CaseIterable {
        /// Nothing.
        case none
        /// Closed objects, and unsupported keywords in descriptions.
        case closedObjects = "closed_objects"
    }

    /// How texts are turned into vectors.
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
    /// What the model is for.
    package var kind = Kind.chat

    // MARK: Sizes

    /// The most tokens of a request and its answer together.
    package var contextWindow: Int?
    /// The most tokens of an answer, reasoning included.
    package var maxOutputTokens: Int?
    /// The tokens to ask for where neither the caller nor the configuration says; `nil` leaves it to the vendor.
    package var defaultMaxTokens: Int?
    /// The field that carries them in chat completions.
    package var maxTokensField = MaxTokensField.maxTokens

    // MARK: Content

    /// What a request may contain; `nil` if the catalogue does not know.
    package var input: Set<Modality>?
    /// What an answer may contain.
    package var output: Set<Modality> = [.text]
    /// Whether images and documents may be given by URL.
    package var acceptsURLs = true
    /// Whether a conversation may end with the beginning of the answer.
    package var prefill = true
    /// Whether system messages may follow others.
    package var midConversationSystem = false

    // MARK: Tools and formats

    /// Whether it calls functions.
    package var tools = true
    /// Whether parallel calls can be switched on and off.
    package var parallelToolCalls = true
    /// Whether a call can be demanded (`required`, or a function by name).
    package var forcedTools = true
    /// When chat completions accept functions; in other requests only the Responses API does.
    package var chatTools = Condition.always
    /// Whether it follows a JSON schema.
    package var jsonSchema = true
    /// Whether it can be told to answer in JSON.
    package var jsonObject = true
    /// What a schema must go through.
    package var schemaTransform = SchemaTransform.none
    /// The APIs of OpenAI that serve it.
    package var endpoints: Set<API> = [.chat]

    // MARK: Parameters

    /// Whether it accepts these parameters at all.
    package var temperature = true
    /// See `temperature`.
    package var topP = true
    /// See `temperature`.
    package var topK = true
    /// The highest temperature.
    package var maxTemperature = 2.0
    /// When it accepts temperature and top_p, where it does.
    package var sampling = Condition.always
    /// Whether temperature and top_p may both be set.
    package var temperatureWithTopP = true
    /// Stop sequences.
    package var stop = true
    /// A seed.
    package var seed = true
    /// Presence and frequency penalties.
    package var penalties = true

    // MARK: Reasoning

    /// How its reasoning is controlled.
    package var reasoning = Reasoning()
    /// Where reasoning is returned.
    package var reasoningOutput = ReasoningOutput.fixed
    /// Whether `reasoning_content` of earlier answers must be sent back.
    package var sendsReasoningBack = false
    /// Whether thinking blocks are valid only for the same model and the same conversation.
    package var thinkingIsBound = false
    /// Whether function calls of earlier answers need a thought signature.
    package var needsThoughtSignatures = false

    // MARK: Caching

    /// Whether the vendor caches prompts.
    package var promptCaching: Bool?
    /// The fewest tokens of a cached prompt.
    package var promptCacheMinTokens: Int?
    /// Whether a request can mark where a cached prompt ends.
    package var cacheBreakpoints = false

    // MARK: Embeddings

    /// How texts are turned into vectors.
    package var embeddingMethod = EmbeddingMethod.embeddings
    /// The length of its vectors; `nil` if unknown.
    package var dimensions: Int?
    /// Whether a request may ask for shorter vectors.
    package var settableDimensions = true
    /// The most texts of one request.
    package var embeddingBatch = 2048
    /// The most tokens of one request, over all its texts; `nil` for no such limit.
    package var embeddingBatchTokens: Int?

    // MARK: Where and how long

    /// The region to use where neither the configuration nor the environment names one.
    package var region: String?
    /// The oldest version of Azure's API that serves it.
    package var apiVersion: String?
    /// The day on which the vendor stops serving it, `YYYY-MM-DD`.
    package var retiresOn: String?
    /// What it costs.
    package var prices = Prices()

    /// US dollars per million tokens; `nil` if the catalogue does not know.
    package struct Prices: Sendable, Equatable {
        /// Tokens of requests.
        package var input: Double?
        /// Tokens of answers, reasoning included.
        package var output: Double?
        /// Tokens of requests that were read from a cache.
        package var cachedInput: Double?
        /// Tokens of requests that were written to a cache.
        package var cacheWrite: Double?
    }

    /// Facts of a model that nothing is known of.
    package init() {}
}
