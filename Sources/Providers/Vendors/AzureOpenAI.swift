internal import Config
internal import Encodings
internal import Generation

extension Provider {
    /// OpenAI's models on Azure: a deployment in the address, a version in the query.
    static let azureOpenAI = Provider(
        name: "azure_openai",
        dialect: ChatCompletions(),
        credential: CredentialRule(
            keyHeader: (name: "api-key", prefix: ""), keyVariables: ["AZURE_OPENAI_API_KEY"],
            tokenVariables: ["AZURE_OPENAI_AD_TOKEN"]),
        capabilities: { _ in ChatCompletions.capabilities },
        doubtful: Provider.openAI.doubtful,
        endpoints: { model throws(GenerationError) in try azureEndpoints(model) })

    /// The newest version of the API that is generally available, for sections that name none.
    private static let defaultVersion = "2024-10-21"

    /// Three forms are in use: the deployment form, the version-less `…/openai/v1`, and Foundry's `…/models`.
    private static func azureEndpoints(_ model: ModelConfiguration) throws(GenerationError) -> Endpoints {
        guard let base = model.apiBase ?? model.azureEndpoint ?? Environment.url("AZURE_OPENAI_ENDPOINT") else {
            throw GenerationError(
                .invalidRequest,
                "\(model.name): no address: set 'azure_endpoint' in the model's config, or the environment variable "
                    + "AZURE_OPENAI_ENDPOINT")
        }
        if base.hasSuffix("/openai/v1") { return .chatCompletions(base: base) }
        let version = model.apiVersion ?? Environment.value("OPENAI_API_VERSION") ?? defaultVersion
        let query = "?api-version=" + PercentEncoding.segment(version)
        if base.hasSuffix("/models") {
            let url = "\(base)/chat/completions\(query)"
            return Endpoints(whole: url, stream: url, probe: .get("\(base)/info\(query)"))
        }
        let root = base.hasSuffix("/openai") ? base : base + "/openai"
        let name = model.deployment ?? model.modelName
        try Endpoints.check(path: name, of: model)
        let deployment = PercentEncoding.segment(name)
        let url = "\(root)/deployments/\(deployment)/chat/completions\(query)"
        return Endpoints(whole: url, stream: url, probe: .get("\(root)/models\(query)"))
    }
}
