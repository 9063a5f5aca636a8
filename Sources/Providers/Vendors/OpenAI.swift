internal import Config

extension Provider {
    /// OpenAI's chat completions and, with `api_base`, any compatible server.
    static let openAI = Provider(
        name: "openai",
        dialect: ChatCompletions(),
        keys: [APIChoice.key.declaration, organization.declaration, project.declaration] + ChatCompletions.keys,
        credential: CredentialRule(keyVariables: ["OPENAI_API_KEY"]),
        capabilities: { model in
            // OpenAI does not support top_k. If the section sets it, assume a compatible server that does.
            model.topK == nil ? ChatCompletions.capabilities : ChatCompletions.capabilities.union(.topK)
        },
        endpoints: { model, _ in
            .chatCompletions(base: openAIBase(model))
        },
        responsesEndpoints: { model in .responses(base: openAIBase(model)) },
        headers: { model in
            [("OpenAI-Organization", model[organization] ?? ""), ("OpenAI-Project", model[project] ?? "")]
        })

    private static func openAIBase(_ model: ModelConfiguration) -> String {
        model.apiBase ?? Environment.url("OPENAI_BASE_URL") ?? "https://api.openai.com/v1"
    }

    static let organization = ProviderKey<String>(
        "organization", .headerText, default: "the key's own", isConnection: true,
        "The organization that is billed (`OpenAI-Organization`).")
    private static let project = ProviderKey<String>(
        "project", .headerText, default: "the key's own", isConnection: true,
        "The project that is billed (`OpenAI-Project`).")
}

extension Endpoints {
    /// The endpoints of a server for chat completions; `base` has no trailing `/`.
    static func chatCompletions(base: String) -> Endpoints {
        Endpoints(
            whole: base + "/chat/completions", stream: base + "/chat/completions", probe: .get(base + "/models"),
            embed: .openAI(base + "/embeddings"))
    }
}
