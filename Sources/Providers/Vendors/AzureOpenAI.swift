package import Config
internal import Encodings
internal import Generation

extension Provider {
    /// OpenAI's models on Azure: the deployment is in the URL's path, the API version in its query.
    static let azureOpenAI = Provider(
        name: "azure_openai",
        dialect: ChatCompletions(),
        keys: [APIChoice.key.declaration] + AzureOpenAI.keys + ChatCompletions.keys,
        credential: CredentialRule(
            keyHeader: (name: "api-key", prefix: ""), keyVariables: ["AZURE_OPENAI_API_KEY"],
            tokenVariables: ["AZURE_OPENAI_AD_TOKEN"]),
        capabilities: { _ in ChatCompletions.capabilities },
        catalogueName: { $0[AzureOpenAI.baseModel] ?? $0[AzureOpenAI.deployment] ?? $0.modelName },
        endpoints: { model, facts throws(GenerationError) in try azureEndpoints(model, facts) },
        responsesEndpoints: { model throws(GenerationError) in
            let address = AzureOpenAI.Address(try azureBase(model))
            let version = model[AzureOpenAI.apiVersion] ?? Environment.value("OPENAI_API_VERSION")
            return .responses(base: address.versionless, query: AzureOpenAI.versionlessQuery(version))
        }, nameInBody: { model in AzureOpenAI.deploymentName(model) })

    private static func azureBase(_ model: ModelConfiguration) throws(GenerationError) -> String {
        guard let base = AzureOpenAI.base(model) else {
            throw GenerationError(
                .invalidRequest,
                "\(model.name): no address: set 'azure_endpoint' in the model's config, or the environment variable "
                    + "AZURE_OPENAI_ENDPOINT")
        }
        return base
    }

    private static func azureEndpoints(
        _ model: ModelConfiguration, _ facts: ModelFacts
    ) throws(GenerationError) -> Endpoints {
        let base = try azureBase(model)
        let address = AzureOpenAI.Address(base)
        let ownVersion = model[AzureOpenAI.apiVersion] ?? Environment.value("OPENAI_API_VERSION")
        let query = "?api-version=" + PercentEncoding.segment(ownVersion ?? AzureOpenAI.version(facts))
        if address.form == .models {
            let url = "\(base)/chat/completions\(query)"
            return Endpoints(
                whole: url, stream: url, probe: .get("\(base)/info\(query)"),
                embed: .openAI("\(base)/embeddings\(query)"))
        }
        if address.form == .v1 || AzureOpenAI.namesV1(ownVersion) {
            let query = AzureOpenAI.versionlessQuery(ownVersion)
            let url = "\(address.root)/v1/chat/completions\(query)"
            return Endpoints(
                whole: url, stream: url, probe: .get("\(address.root)/v1/models\(query)"),
                embed: .openAI("\(address.root)/v1/embeddings\(query)"))
        }
        // What the address names is encoded already.
        let ownName = model[AzureOpenAI.deployment] ?? (address.deployment == nil ? model.modelName : nil)
        try Endpoints.check(path: ownName ?? "", of: model)
        let name = ownName.map { PercentEncoding.segment($0) } ?? address.deployment ?? ""
        let deployment = "\(address.root)/deployments/\(name)"
        let url = "\(deployment)/chat/completions\(query)"
        return Endpoints(
            whole: url, stream: url, probe: .get("\(address.root)/models\(query)"),
            embed: .openAI("\(deployment)/embeddings\(query)"))
    }
}

/// The keys of `azure_openai`.
package enum AzureOpenAI {
    /// The last dated version, and the first that serves GPT-5; the generally available 2024-10-21 serves no reasoning
    /// model.
    fileprivate static let defaultVersion = "2025-04-01-preview"

    /// The default version, or the newer one that the model needs: versions begin with their dates.
    fileprivate static func version(_ facts: ModelFacts) -> String { max(defaultVersion, facts.apiVersion ?? "") }

    /// The resource's URL.
    package static let endpoint = ProviderKey<String>(
        "azure_endpoint", .baseURL, default: "`AZURE_OPENAI_ENDPOINT` of the environment", isConnection: true,
        "The resource's URL; required if neither `api_base` nor the environment provides it.")
    /// The version of the API.
    package static let apiVersion = ProviderKey<String>(
        "api_version", .identifier,
        default: "`OPENAI_API_VERSION` of the environment, else `\(defaultVersion)`, or a newer one that the model "
            + "needs",
        isConnection: true,
        "The version of the Azure API; `v1` and `preview` select `/openai/v1/`, which has no other versions.")
    static let deployment = ProviderKey<String>(
        "deployment", .headerText, default: "`model_name`", "The name of the deployment.")

    /// An address in one of the forms in which Azure shows it.
    fileprivate struct Address {
        enum Form {
            /// The resource, with `/openai` or without: a deployment in the path and a version in the query.
            case deployments
            /// `…/openai/v1`: neither.
            case v1
            /// Foundry's `…/models`.
            case models
        }

        var form = Form.deployments
        /// The address up to and including `/openai`.
        let root: String
        /// The deployment that the address names.
        var deployment: String?

        /// The form without deployments, the only one that has all of Responses.
        var versionless: String { (form == .models ? root.dropLast("/models".count) + "/openai" : root[...]) + "/v1" }

        init(_ base: String) {
            if let place = base.firstRange(of: "/openai/deployments/") {
                root = base[..<place.lowerBound] + "/openai"
                deployment = base[place.upperBound...].split(separator: "/").first.map(String.init)
            } else if base.hasSuffix("/models") {
                form = .models
                root = base
            } else if base.hasSuffix("/openai/v1") {
                form = .v1
                root = String(base.dropLast("/v1".count))
            } else {
                root = base.hasSuffix("/openai") ? base : base + "/openai"
            }
        }
    }

    /// The query of the form without deployments: only `preview` changes what it offers, and a dated version does not
    /// exist in it.
    fileprivate static func versionlessQuery(_ version: String?) -> String {
        version?.lowercased() == "preview" ? "?api-version=preview" : ""
    }

    fileprivate static func base(_ model: ModelConfiguration) -> String? {
        model.apiBase ?? model[endpoint] ?? Environment.url("AZURE_OPENAI_ENDPOINT")
    }

    /// Whether a version selects the form without deployments.
    fileprivate static func namesV1(_ version: String?) -> Bool {
        ["v1", "preview"].contains(version?.lowercased() ?? "")
    }

    /// The name of the deployment, which the body names in the forms whose addresses have none.
    static func deploymentName(_ model: ModelConfiguration) -> String {
        model[deployment] ?? base(model).flatMap { Address($0).deployment } ?? model.modelName
    }

    /// What the deployment runs.
    package static let baseModel = ProviderKey<String>(
        "base_model", .headerText, default: "the deployment's name",
        "The model that the deployment runs, by which the catalogue knows its limits and parameters.")

    fileprivate static let keys = [
        endpoint.declaration, apiVersion.declaration, deployment.declaration, baseModel.declaration,
    ]
}
