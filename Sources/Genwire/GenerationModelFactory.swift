public import Config
public import Generation
internal import Providers

/// Creates models by provider and name, or from a configuration.
///
/// ```swift
/// let model = try GenerationModelFactory.createModel(provider: "openai", modelName: "gpt-6-luna")
/// print(try await model.generateContent("Say hello"))
/// ```
public enum GenerationModelFactory {
    /// Optional settings of a model. `nil` uses the provider's default.
    public struct Parameters: Sendable {
        /// Maximum length of a response, in tokens.
        public var maxTokens: Int?
        /// Sampling temperature, 0 to 2.
        public var temperature: Double?
        /// Nucleus sampling threshold, 0 to 1.
        public var topP: Double?
        /// Replaces scheme, host and version prefix of the vendor's URL.
        public var apiBase: String?
        /// The API key; by default the provider's environment variable, for example `OPENAI_API_KEY`.
        public var apiKey: String?
        /// The Google Cloud project, for the providers on Vertex AI.
        public var projectID: String?
        /// The Google Cloud region, such as `us-central1`, `eu` or `global`.
        public var region: String?
        /// The URL of the Azure resource.
        public var azureEndpoint: String?
        /// The version of the vendor's API, for Azure.
        public var apiVersion: String?

        /// All parameters default to `nil`.
        public init(
            maxTokens: Int? = nil, temperature: Double? = nil, topP: Double? = nil, apiBase: String? = nil,
            apiKey: String? = nil, projectID: String? = nil, region: String? = nil, azureEndpoint: String? = nil,
            apiVersion: String? = nil
        ) {
            self.maxTokens = maxTokens
            self.temperature = temperature
            self.topP = topP
            self.apiBase = apiBase
            self.apiKey = apiKey
            self.projectID = projectID
            self.region = region
            self.azureEndpoint = azureEndpoint
            self.apiVersion = apiVersion
        }
    }

    /// Creates a model.
    /// - Throws: `GenerationError`: `.unsupported` for an unknown provider, `.authentication` if the credential is
    ///   missing.
    public static func createModel(
        provider: String, modelName: String, parameters: Parameters = Parameters()
    ) throws(GenerationError) -> any GenerationModel {
        var section = ModelConfiguration(name: "\(provider)/\(modelName)", provider: provider, modelName: modelName)
        section.maxTokens = parameters.maxTokens
        section.temperature = parameters.temperature
        section.topP = parameters.topP
        section.apiBase = parameters.apiBase.map(WebAddress.withoutSlash)
        section.apiKey = parameters.apiKey.map { Secret($0) }
        section[GoogleCloud.projectID] = parameters.projectID
        section[GoogleCloud.region] = parameters.region
        section[AzureOpenAI.endpoint] = parameters.azureEndpoint.map(WebAddress.withoutSlash)
        section[AzureOpenAI.apiVersion] = parameters.apiVersion
        var configuration = Configuration()
        configuration.allModels = [section]
        return try model(section.name, configuration)
    }

    /// Creates the model or route `name` of a configuration; `default` is the `generation` section. A route selects
    /// models and falls back as in the daemon; its `provider` and `modelName` are those of its first model.
    /// - Throws: `GenerationError`: `.unknownModel` if there is no such name; also the errors of
    ///   `createModel(provider:modelName:parameters:)`.
    public static func createModel(
        named name: String = Configuration.defaultModelName, from configuration: Configuration
    ) throws(GenerationError) -> any GenerationModel {
        let route = configuration.routes.first { $0.name == name }
        let names = route.map { $0.targets.map(\.model) } ?? [name]
        // Errors in other models of the configuration must not matter.
        var reduced = configuration
        reduced.allModels = configuration.allModels.filter { names.contains($0.name) }
        reduced.routes = route.map { [$0] } ?? []
        guard !reduced.allModels.isEmpty else {
            throw GenerationError(.unknownModel, "the configuration has no model or route '\(name)'")
        }
        return try model(name, reduced)
    }

    private static func model(
        _ name: String, _ configuration: Configuration
    ) throws(GenerationError) -> any GenerationModel {
        let gateway = try LocalGateway(configuration)
        return LocalModel(gateway, name: name, model: try gateway.model(of: name))
    }

    /// Reads a configuration file for `createModel(named:from:)`, with the environment of this process. Blocks while it
    /// runs commands and reads files that provide secrets.
    /// - Throws: `ConfigErrors` with all errors and their lines.
    public static func loadConfiguration(_ path: String) throws(ConfigErrors) -> Configuration {
        try Configuration.load(
            path: path, environment: CredentialStore.processEnvironment, knownProviders: ProviderRegistry.keys)
    }

    /// Returns the names of all supported providers, for example `openai`.
    public static func listProviders() -> [String] { ProviderRegistry.names }

    /// Returns whether `name` is in `listProviders()`.
    public static func isProviderSupported(_ name: String) -> Bool { ProviderRegistry.provider(named: name) != nil }
}
