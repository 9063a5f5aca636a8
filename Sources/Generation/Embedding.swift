/// A request for the vectors of texts.
public struct EmbedRequest: Sendable, Equatable {
    /// The name of a configured model, or `provider/model_name`; empty for the default model.
    public var model: String
    /// The texts; each gets a vector.
    public var inputs: [String]
    /// The length of the vectors; `nil` for the model's own.
    public var dimensions: Int?
    /// What the vectors are for, in the provider's terms, for example `RETRIEVAL_QUERY`; empty for its default.
    public var inputType: String
    /// Whether unsupported options are dropped with a warning. If `false`, such a request fails with `.unsupported`.
    public var dropUnsupported: Bool

    /// Creates a request.
    public init(
        model: String = "", inputs: [String], dimensions: Int? = nil, inputType: String = "",
        dropUnsupported: Bool = false
    ) {
        self.model = model
        self.inputs = inputs
        self.dimensions = dimensions
        self.inputType = inputType
        self.dropUnsupported = dropUnsupported
    }
}

/// The vectors of texts.
public struct EmbedResponse: Sendable, Equatable {
    /// The model that made them, as named by the provider.
    public var model = ""
    /// The provider that made them, for example `openai`.
    public var provider = ""
    /// One vector for each input, in order.
    public var embeddings: [[Float]] = []
    /// The tokens used, over all requests to the provider.
    public var usage = Usage()
    /// Where the call spent its time.
    public var timing = Timing()
    /// All attempts in order.
    public var attempts: [Attempt] = []
    /// The provider's id of the last HTTP request, for its support.
    public var providerRequestID = ""
    /// What was dropped from the request or changed in the response, one sentence per item.
    public var warnings: [String] = []

    /// No vectors.
    public init() {}
}
