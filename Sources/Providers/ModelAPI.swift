internal import Config
internal import Generation

/// One of the APIs through which a vendor serves a model.
struct ModelAPI: Sendable {
    /// The wire format, with the model's configuration applied.
    let dialect: any Dialect
    let endpoints: Endpoints
    /// What the model supports through this API.
    let capabilities: Capabilities
    /// What the model probably refuses; see `PreparedRequest`.
    let likelyUnsupported: Capabilities
    /// How its reasoning is controlled through it.
    let reasoning: ModelFacts.Reasoning

    init(dialect: any Dialect, endpoints: Endpoints, _ reasoning: ModelFacts.Reasoning, _ offer: Offer) {
        self.dialect = dialect
        self.endpoints = endpoints
        self.reasoning = reasoning
        capabilities = offer.possible
        likelyUnsupported = offer.refused
    }
}

/// Which of OpenAI's two APIs a model uses; the values of the key `api`.
enum APIChoice: String, Sendable, CaseIterable {
    /// Chat completions, or Responses for requests that chat completions cannot serve.
    case auto
    /// Always chat completions.
    case chat
    /// Always Responses.
    case responses

    /// The configuration key of the providers that have both APIs.
    static let key = ProviderKey<APIChoice>(
        "api", .choice, default: "`auto`", isConnection: true,
        "The OpenAI API to use: chat completions, Responses, or Responses only for requests that chat completions "
            + "cannot serve.")
}

/// The APIs of one model: usually one, but two if the provider has both chat completions and Responses.
struct ModelAPIs: Sendable {
    /// The API of most requests.
    let main: ModelAPI
    /// Responses, for the requests that chat completions cannot serve.
    private let responses: ModelAPI?
    private let facts: ModelFacts

    /// - Throws: `.invalidRequest` that names the missing key if a URL cannot be built.
    init(
        _ model: ModelConfiguration, _ provider: Provider, _ facts: ModelFacts, fetchesURLs: Bool
    ) throws(GenerationError) {
        self.facts = facts
        let choice = model[APIChoice.key] ?? .auto
        let isOffered = choice == .responses || (choice == .auto && facts.endpoints.contains(.responses))
        var responses: ModelAPI?
        if isOffered, let endpoints = provider.responsesEndpoints {
            responses = ModelAPI(
                dialect: Responses().configured(by: model), endpoints: try endpoints(model), facts.reasoning,
                Offer(wire: Responses.capabilities.union(.extraFields), facts, fetchesURLs: fetchesURLs))
        }
        if let responses, choice == .responses || !facts.endpoints.contains(.chat) {
            main = responses
            self.responses = nil
        } else {
            main = ModelAPI(
                dialect: provider.dialect.configured(by: model), endpoints: try provider.endpoints(model, facts),
                facts.reasoning.inChat,
                Offer(wire: provider.capabilities(model).union(.extraFields), facts, fetchesURLs: fetchesURLs))
            self.responses = responses
        }
    }

    /// What the model supports through any of its APIs.
    var capabilities: Capabilities {
        let usable = main.capabilities.subtracting(main.likelyUnsupported)
        return usable.union(responses.map { $0.capabilities.subtracting($0.likelyUnsupported) } ?? [])
    }

    /// The API for `request`.
    func api(for request: ChatRequest) -> ModelAPI {
        guard let responses, needsResponses(request) else { return main }
        return responses
    }

    private func needsResponses(_ request: ChatRequest) -> Bool {
        if request.tools.contains(where: { $0.builtin != nil }) { return true }
        let wanted = ModelFacts.Reasoning.Effort(rawValue: request.options.reasoning.effort)
        // What is sent instead of an effort that the model does not take decides.
        let effort = wanted.map { facts.reasoning.nearest(to: $0) }
        if let effort, main.reasoning.nearest(to: effort) != effort { return true }
        let takesTools = ModelFacts.holds(facts.chatTools, effort: effort ?? facts.reasoning.defaultEffort)
        if !request.tools.isEmpty, !takesTools { return true }
        return request.messages.contains { $0.parts.contains(where: \.isFileByURL) }
    }
}

extension Part {
    /// Whether this is a document that the vendor must fetch.
    fileprivate var isFileByURL: Bool {
        guard case .file(let file) = content, case .url = MediaAddress.of(file.source).address else { return false }
        return true
    }
}

extension Endpoints {
    /// The URLs of the Responses API at `base`.
    static func responses(base: String, query: String = "") -> Endpoints {
        let url = base + "/responses"
        return Endpoints(
            whole: url + query, stream: url + query, countTokens: url + "/input_tokens" + query,
            probe: .get(base + "/models" + query))
    }
}
