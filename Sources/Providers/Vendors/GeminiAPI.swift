internal import Config
internal import Encodings
internal import Generation

extension Provider {
    private static let geminiVersion = ProviderKey<String>(
        "api_version", .identifier, default: "`v1beta`", isConnection: true, "The version of the Gemini API.")

    /// The Gemini API, used with an API key: the dialect of Vertex AI, without projects in the URL.
    static let gemini = Provider(
        name: "gemini",
        dialect: Gemini(host: .native),
        keys: [geminiVersion.declaration, Gemini.safetySettings.declaration],
        credential: CredentialRule(
            keyHeader: (name: "x-goog-api-key", prefix: ""), keyVariables: ["GEMINI_API_KEY", "GOOGLE_API_KEY"]),
        capabilities: { _ in Gemini.capabilities },
        endpoints: { model, _ throws(GenerationError) in
            try Endpoints.check(path: model.modelName, of: model)
            let base = model.apiBase ?? "https://generativelanguage.googleapis.com"
            let hasVersion = ["/v1", "/v1beta"].contains { base.hasSuffix($0) }
            let root = hasVersion ? base : "\(base)/\(model[geminiVersion] ?? "v1beta")"
            let name = model.modelName
            let isTuned = name.hasPrefix("tunedModels/")
            let short = name.hasPrefix("models/") ? String(name.dropFirst(7)) : name
            let path = isTuned ? PercentEncoding.path(name) : "models/\(PercentEncoding.segment(short))"
            let resource = isTuned ? name : "models/" + short
            return .gemini(
                model: "\(root)/\(path)",
                embed: .gemini("\(root)/\(path)", model: resource))
        })
}
