public import Config
internal import Generation

/// One vendor: where it is, how it is spoken to, what it wants for a credential and what it can do. A value; the wire
/// itself is the dialect's.
public struct Provider: Sendable {
    /// The name in configurations, such as `openai`.
    public let name: String
    /// The wire family.
    var dialect: any Dialect
    /// The keys that it takes in a model's `config` beside those of all models.
    var keys: [ProviderKeys.Declaration] = []
    /// What it takes for a credential.
    let credential: CredentialRule
    /// What one of its models can do.
    let capabilities: @Sendable (ModelConfiguration) -> Capabilities
    /// What one of its models most likely refuses, going by its name: see `PreparedRequest`.
    var likelyUnsupported: @Sendable (ModelConfiguration) -> Capabilities = { _ in [] }
    /// Where one of its models is.
    /// - Throws: `.invalidRequest` that names the key which is missing.
    let endpoints: @Sendable (ModelConfiguration) throws(GenerationError) -> Endpoints
    /// Headers of every request, beside those that all vendors want.
    var headers: @Sendable (ModelConfiguration) -> [(name: String, value: String)] = { _ in [] }

    /// Whether a model's name is a path that leads to a project other than the configured one.
    var leavesProject: @Sendable (String) -> Bool = { _ in false }

    /// Whether a caller may ask for this name, as far as it names a model: projects and endpoints of others are the
    /// configuration's to name, since the request goes there with the configured credential.
    public func mayBeAskedFor(_ modelName: String) -> Bool { !leavesProject(modelName) }

    /// What the provider's models can do as a rule, in the words of `ListModels`.
    public var capabilityNames: [String] {
        capabilities(ModelConfiguration(name: "", provider: name, modelName: "")).names
    }
}

/// The addresses of one model.
struct Endpoints: Sendable {
    /// Asks the vendor whether it takes the credential, at no cost.
    enum Probe: Sendable {
        /// A GET.
        case get(String)
        /// A POST with a body.
        case post(String, body: String)
    }

    /// A whole answer.
    var whole: String
    /// A streamed one.
    var stream: String
    /// Counts tokens; `nil` where the vendor does not.
    var countTokens: String?
    /// Tells whether the credential works.
    var probe: Probe

    /// Refuses a model's name that is to be a path of its own and would lead out of where models are: callers name
    /// models too.
    static func check(path: String, of model: ModelConfiguration) throws(GenerationError) {
        guard path.split(separator: "/").contains(where: { $0 == "." || $0 == ".." }) else { return }
        throw GenerationError(
            .invalidRequest, "\(model.name): '\(path.truncated(toBytes: 100))' is not a valid model name")
    }
}

/// What a vendor takes for a credential.
struct CredentialRule: Sendable {
    /// The header for an API key, and what stands before the key in it. Tokens always go as `Authorization: Bearer`.
    var keyHeader = (name: "Authorization", prefix: "Bearer ")
    /// The environment variables that hold an API key by custom, the first one that is set counts.
    var keyVariables: [String] = []
    /// The environment variables that hold a ready-made token by custom.
    var tokenVariables: [String] = []
    /// Whether Google's default search finds one.
    var usesGoogleDefault = false
}

/// Every provider there is: one line each.
public enum ProviderRegistry {
    /// The providers in the order in which they are listed.
    public static let all: [Provider] = [
        .vertex,
        .anthropicVertex,
        .openAI,
        .azureOpenAI,
        .groq,
        .anthropic,
        .gemini,
    ]

    /// The providers' names.
    public static var names: [String] { all.map(\.name) }

    /// The providers as a configuration knows them.
    public static let keys: [ProviderKeys] = all.map { ProviderKeys(name: $0.name, keys: $0.keys) }

    /// The provider of this name; `nil` where there is none.
    public static func provider(named name: String) -> Provider? { all.first { $0.name == name } }
}
