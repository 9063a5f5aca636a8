internal import Encodings

/// The reader of `generation` and of the entries of `models`.
struct ModelReader {
    /// What the whole file gives to models without values of their own.
    let timeouts: TimeoutsConfiguration
    let retry: RetryConfiguration
    let caFile: String?

    private static let configKeys = [
        "model_name", "max_tokens", "temperature", "top_p", "top_k", "stop", "seed", "presence_penalty",
        "frequency_penalty", "api_base", "api_key", "auth", "project_id", "region", "api_version", "azure_endpoint",
        "deployment", "organization", "project", "anthropic_version", "enable_caching", "cache_ttl", "cache_max_size",
        "extra_headers", "extra_body", "safety_settings", "max_tokens_parameter", "system_role", "stream_usage",
        "timeouts", "retry", "ca_file",
    ]

    /// The model at `cursor`; `nil` where too little of it is there. Mistakes are reported in any case.
    func read(_ cursor: Cursor, name: String) -> ModelConfiguration? {
        let inner = (name: "config", keys: Self.configKeys)
        guard let section = cursor.section(keys: ["provider", "optional", "config"], inner: inner) else { return nil }
        let provider = section.required("provider").flatMap(Self.provider)
        var model = ModelConfiguration(name: name, provider: provider ?? "", modelName: "")
        model.isOptional = section["optional"]?.boolean() ?? false
        model.timeouts = timeouts
        model.retry = retry
        model.caFile = caFile
        guard let config = section.required("config")?.section(keys: Self.configKeys) else { return model }
        model.modelName = config.required("model_name")?.headerText() ?? ""
        readSampling(config, into: &model)
        readAddress(config, into: &model)
        readBehaviour(config, into: &model)
        return model
    }

    private static func provider(_ cursor: Cursor) -> String? {
        guard let value = cursor.expanded(expected: "a provider's name") else { return nil }
        let known = cursor.reading.knownProviders
        guard !known.contains(value.text) else { return value.text }
        let shown = value.isInterpolated ? "" : " \"\(Path.printable(value.text, limit: 40))\""
        cursor.report("unknown provider\(shown)\(NearestName.hint(for: value.text, among: known))")
        return nil
    }

    private func readSampling(_ config: Section, into model: inout ModelConfiguration) {
        model.maxTokens = config["max_tokens"]?.integer(in: 1...100_000_000)
        model.temperature = config["temperature"]?.number(in: 0...2)
        model.topP = config["top_p"]?.number(in: 0...1)
        model.topK = config["top_k"]?.integer(in: 1...1_000_000)
        model.stop = config["stop"]?.textList() ?? []
        model.seed = config["seed"]?.integer(in: .min ... .max)
        model.presencePenalty = config["presence_penalty"]?.number(in: -2...2)
        model.frequencyPenalty = config["frequency_penalty"]?.number(in: -2...2)
    }

    private func readAddress(_ config: Section, into model: inout ModelConfiguration) {
        model.apiBase = config["api_base"]?.url().map(WebAddress.withoutSlash)
        model.apiKey = config["api_key"]?.secret()
        model.auth = config["auth"]?.text()
        model.projectID = config["project_id"]?.identifier()
        model.region = config["region"]?.identifier()
        model.apiVersion = config["api_version"]?.identifier()
        model.azureEndpoint = config["azure_endpoint"]?.url().map(WebAddress.withoutSlash)
        model.deployment = config["deployment"]?.headerText()
        model.organization = config["organization"]?.headerText()
        model.project = config["project"]?.headerText()
        model.anthropicVersion = config["anthropic_version"]?.headerText()
        model.extraHeaders = config["extra_headers"]?.headers() ?? [:]
    }

    private func readBehaviour(_ config: Section, into model: inout ModelConfiguration) {
        model.enableCaching = config["enable_caching"]?.boolean() ?? model.enableCaching
        model.cacheTTL = config["cache_ttl"]?.number(in: 0...31_536_000, excludingLowerBound: true) ?? model.cacheTTL
        model.cacheMaxSize = config["cache_max_size"]?.integer(in: 1...10_000_000) ?? model.cacheMaxSize
        model.extraBody = config["extra_body"]?.json(mustBeMap: true)
        model.safetySettings = config["safety_settings"]?.json()
        model.maxTokensParameter =
            config["max_tokens_parameter"]?.choice(ModelConfiguration.MaxTokensParameter.self)
            ?? model.maxTokensParameter
        model.systemRole = config["system_role"]?.choice(ModelConfiguration.SystemRole.self) ?? model.systemRole
        model.streamUsage = config["stream_usage"]?.boolean() ?? model.streamUsage
        model.timeouts = config["timeouts"]?.timeouts(over: timeouts) ?? timeouts
        model.retry = config["retry"]?.retry(over: retry) ?? retry
        model.caFile = config["ca_file"]?.certificateFile() ?? caFile
    }
}
