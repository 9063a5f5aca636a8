package import Config
internal import Generation

/// One vendor, as a value: its endpoints, wire format, credentials and capabilities. The dialect does the encoding and
/// decoding.
package struct Provider: Sendable {
    /// The name in configurations, such as `openai`.
    package let name: String
    /// The wire format.
    var dialect: any Dialect
    /// The keys that it accepts in a model's `config` in addition to those of all models.
    var keys: [ProviderKeys.Declaration] = []
    /// How its credentials are found and sent.
    let credential: CredentialRule
    /// What its wire format can express for one of its models.
    let capabilities: @Sendable (ModelConfiguration) -> Capabilities
    /// The name under which the catalogue knows one of its models.
    var catalogueName: @Sendable (ModelConfiguration) -> String = { $0.modelName }
    /// The endpoints of one of its models.
    /// - Throws: `.invalidRequest` that names the missing key.
    let endpoints: @Sendable (ModelConfiguration, ModelFacts) throws(GenerationError) -> Endpoints
    /// Those of the Responses API, for a provider that has it beside chat completions: see `APIChoice`.
    var responsesEndpoints: (@Sendable (ModelConfiguration) throws(GenerationError) -> Endpoints)?
    /// Headers of every request, in addition to those that all vendors get.
    var headers: @Sendable (ModelConfiguration) -> [(name: String, value: String)] = { _ in [] }

    /// What a request's body calls the model.
    var nameInBody: @Sendable (ModelConfiguration) -> String = { $0.modelName }

    /// Whether a model's name is a path that leads to a project other than the configured one.
    var leavesProject: @Sendable (String) -> Bool = { _ in false }

    /// Whether a caller may ask for this model name. Only the configuration may name another project, since the request
    /// is sent there with the configured credential.
    package func mayBeAskedFor(_ modelName: String) -> Bool { !leavesProject(modelName) }

    /// What the provider's models usually support, as named in `ListModels`.
    package var capabilityNames: [String] {
        capabilities(ModelConfiguration(name: "", provider: name, modelName: "")).names
    }

    /// What one of its models supports, as named in `ListModels`.
    package func capabilityNames(_ modelName: String, _ facts: ModelFacts) -> [String] {
        let model = ModelConfiguration(name: "", provider: name, modelName: modelName)
        let chat = facts.endpoints.contains(.chat) ? capabilities(model) : []
        let hasResponses = responsesEndpoints != nil && facts.endpoints.contains(.responses)
        let offers = [Offer(wire: chat, facts), Offer(wire: hasResponses ? Responses.capabilities : [], facts)]
        return facts.capabilityNames(
            offers.reduce(.extraFields) { $0.union($1.possible.subtracting($1.refused)) })
    }
}

/// The endpoint URLs of one model.
struct Endpoints: Sendable {
    /// A request that shows whether the vendor accepts the credential, free of charge.
    enum Probe: Sendable {
        /// A GET.
        case get(String)
        /// A POST with a body.
        case post(String, body: String)
    }

    /// Returns a unary response.
    var whole: String
    /// Returns a stream.
    var stream: String
    /// Counts tokens; `nil` if the vendor has no such endpoint.
    var countTokens: String?
    /// Checks the credential.
    var probe: Probe
    /// Returns vectors; `nil` if the vendor has no such endpoint.
    var embed: EmbeddingAddress?

    /// Rejects a model name with `.` or `..` segments, which would leave the models' path: callers choose model names
    /// too.
    static func check(path: String, of model: ModelConfiguration) throws(GenerationError) {
        guard path.split(separator: "/").contains(where: { $0 == "." || $0 == ".." }) else { return }
        throw GenerationError(
            .invalidRequest, "\(model.name): '\(path.truncated(toBytes: 100))' is not a valid model name")
    }
}

/// How a vendor's credentials are found and sent.
struct CredentialRule: Sendable {
    /// The header for an API key and the prefix of its value. Tokens are always sent as `Authorization: Bearer`.
    var keyHeader = (name: "Authorization", prefix: "Bearer ")
    /// The environment variables that conventionally hold an API key; the first that is set is used.
    var keyVariables: [String] = []
    /// The environment variables that conventionally hold a token.
    var tokenVariables: [String] = []
    /// Whether Google's default credential is used.
    var usesGoogleDefault = false
}

/// All providers.
package enum ProviderRegistry {
    /// The providers in the order in which they are listed.
    package static let all: [Provider] = [
        .vertex,
        .anthropicVertex,
        .openAI,
        .azureOpenAI,
        .groq,
        .anthropic,
        .gemini,
    ]

    /// The providers' names.
    package static var names: [String] { all.map(\.name) }

    /// The providers' names and keys, for validating a configuration.
    package static let keys: [ProviderKeys] = all.map { ProviderKeys(name: $0.name, keys: $0.keys) }

    /// The provider of this name; `nil` if there is none.
    package static func provider(named name: String) -> Provider? { all.first { $0.name == name } }
}
