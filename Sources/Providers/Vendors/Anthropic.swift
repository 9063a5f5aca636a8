internal import Config

extension Provider {
    /// Claude on Anthropic's own API; the example in docs/adding-a-provider.md.
    static let anthropic = Provider(
        name: "anthropic",
        dialect: Claude(host: .native),
        keys: [Claude.anthropicVersion.declaration],
        credential: CredentialRule(
            keyHeader: (name: "x-api-key", prefix: ""), keyVariables: ["ANTHROPIC_API_KEY"],
            tokenVariables: ["ANTHROPIC_AUTH_TOKEN"]),
        capabilities: { model in Claude.capabilities(model, host: .native) },
        endpoints: { model, _ in
            let base = model.apiBase ?? Environment.url("ANTHROPIC_BASE_URL") ?? "https://api.anthropic.com"
            let root = base.hasSuffix("/v1") ? base : base + "/v1"
            return Endpoints(
                whole: root + "/messages", stream: root + "/messages", countTokens: root + "/messages/count_tokens",
                probe: .get(root + "/models?limit=1"))
        },
        headers: { model in [("anthropic-version", model[Claude.anthropicVersion] ?? "2023-06-01")] })
}
