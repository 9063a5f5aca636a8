package import Config
internal import Encodings
internal import Generation

extension Provider {
    /// OpenAI's models on Azure: the deployment is in the URL's path, the API version in its query.
    static let azureOpenAI = Provider(
        name: "azure_openai",
        dialect: ChatCompletions(),
        keys: AzureOpenAI.keys + ChatCompletions.keys,
        credential: CredentialRule(
            keyHeader: (name: "api-key", prefix: ""), keyVariables: ["AZURE_OPENAI_API_KEY"],
            tokenVariables: ["AZURE_OPENAI_AD_TOKEN"]),
        capabilities: { _ in ChatCompletions.capabilities },
        likelyUnsupported: Provider.openAI.likelyUnsupported,
        endpoints: { model throws(GenerationError) in try azureEndpoints(model) })

    /// Supports three forms of URL: with a deployment, `…/openai/v1` without a version, and Foundry's `…/models`.
    private static func azureEndpoints(_ model: ModelConfiguration) throws(GenerationError) -> Endpoints {
        guard let base = model.apiBase ?? model[AzureOpenAI.endpoint] ?? Environment.url("AZURE_OPENAI_ENDPOINT") else {
            throw GenerationError(
                .invalidRequest,
                "\(model.name): no address: set 'azure_endpoint' in the model's config, or the environment variable "
                    + "AZURE_OPENAI_ENDPOINT")
        }
        if base.hasSuffix("/openai/v1") { return .chatCompletions(base: base) }
        let version =
            model[AzureOpenAI.apiVersion] ?? Environment.value("OPENAI_API_VERSION") ?? AzureOpenAI.defaultVersion
        let query = "?api-version=" + PercentEncoding.segment(version)
        if base.hasSuffix("/models") {
            let url = "\(base)/chat/completions\(query)"
            return Endpoints(whole: url, stream: url, probe: .get("\(base)/info\(query)"))
        }
        let root = base.hasSuffix("/openai") ? base : base + "/openai"
        let name = model[AzureOpenAI.deployment] ?? model.modelName
        try Endpoints.check(path: name, of: model)
        let deployment = PercentEncoding.segment(name)
        let url = "\(root)/deployments/\(deployment)/chat/completions\(query)"
        return Endpoints(whole: url, stream: url, probe: .get("\(root)/models\(query)"))
    }
}

/// The keys of `azure_openai`.
package enum AzureOpenAI {
    /// The latest generally available version of the API.
    fileprivate static let defaultVersion = "2024-10-21"

    /// The resource's URL.
    package static let endpoint = ProviderKey<String>(
        "azure_endpoint", .baseURL, default: "`AZURE_OPENAI_ENDPOINT` of the environment", isConnection: true,
        "The resource's URL; required if neither `api_base` nor the environment provides it.")
    /// The version of the API.
    package static let apiVersion = ProviderKey<String>(
        "api_version", .identifier, default: "`OPENAI_API_VERSION` of the environment, else `\(defaultVersion)`",
        isConnection: true, "The version of the Azure API.")
    static let deployment = ProviderKey<String>(
        "deployment", .headerText, default: "`model_name`", "The name of the deployment.")

    fileprivate static let keys = [endpoint.declaration, apiVersion.declaration, deployment.declaration]
}
