internal import Config

extension Provider {
    /// Groq: OpenAI's chat completions with usage in `x_groq` and options for reasoning.
    static let groq = Provider(
        name: "groq",
        dialect: ChatCompletions(quirks: .usageInXGroq),
        keys: ChatCompletions.keys,
        credential: CredentialRule(keyVariables: ["GROQ_API_KEY"]),
        capabilities: { _ in
            ChatCompletions.capabilities.subtracting([.fileData, .audioData, .promptCacheKey, .verbosity])
                .union(.builtinTools)
        },
        endpoints: { model, _ in
            let base = Environment.url("GROQ_BASE_URL").map { $0 + "/openai/v1" }
            return .chatCompletions(base: model.apiBase ?? base ?? "https://api.groq.com/openai/v1")
        })
}
