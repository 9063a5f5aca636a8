public import Config
public import Generation
internal import Providers

/// Makes models by provider and name, or from a section of the configuration.
public enum GenerationModelFactory {
    /// What can be said about a model beside its name. `nil` leaves it to the provider.
    public struct Parameters: Sendable {
        /// The longest answer, in tokens.
        public var maxTokens: Int?
        /// Randomness, 0 to 2.
        public var temperature: Double?
        /// Nucleus sampling, 0 to 1.
        public var topP: Double?
        /// Replaces scheme, host and version prefix of the vendor's URL.
        public var apiBase: String?
        /// The API key; else the provider's environment variable.
        public var apiKey: String?
        /// The Google Cloud project, for the providers on Vertex AI.
        public var projectID: String?
        /// The Google Cloud region, such as `us-central1`, `eu` or `global`.
        public var region: String?
        /// The Azure resource's address.
        public var azureEndpoint: String?
        /// The version of the vendor's API.
        public var apiVersion: String?

        /// Everything left to the provider and the environment.
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

    /// Makes a model.
    /// - Throws: `GenerationError`: `.unsupported` for an unknown provider, `.authentication` where the credential is
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

    /// Makes the model or route that a configuration calls `name`; `default` is the `generation` section. A route
    /// chooses and falls back as in the daemon; its `provider` and `modelName` are those of its first model.
    /// - Throws: `GenerationError`: `.unknownModel` where there is none, and as `createModel(provider:modelName:)`.
    public static func createModel(
        named name: String = Configuration.defaultModelName, from configuration: Configuration
    ) throws(GenerationError) -> any GenerationModel {
        let route = configuration.routes.first { $0.name == name }
        let names = route.map { $0.targets.map(\.model) } ?? [name]
        // What else is configured need not work.
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

    /// Reads a configuration file for `createModel(named:from:)`, with the environment of this process. Blocks while
    /// commands and files that secrets come from are read.
    /// - Throws: `ConfigErrors`: all mistakes, with their lines.
    public static func loadConfiguration(_ path: String) throws(ConfigErrors) -> Configuration {
        try Configuration.load(
            path: path, environment: CredentialStore.processEnvironment, knownProviders: ProviderRegistry.keys)
    }

    /// The names of all providers.
    public static func listProviders() -> [String] { ProviderRegistry.names }

    /// Whether there is a provider of this name.
    public static func isProviderSupported(_ name: String) -> Bool { ProviderRegistry.provider(named: name) != nil }
}
