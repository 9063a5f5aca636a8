internal import Config
internal import Encodings
internal import Generation

extension Provider {
    /// Gemini on Vertex AI.
    static let vertex = Provider(
        name: "vertex",
        dialect: Gemini(host: .vertex),
        keys: GoogleCloud.keys + [Gemini.safetySettings.declaration],
        credential: CredentialRule(keyHeader: (name: "x-goog-api-key", prefix: ""), usesGoogleDefault: true),
        capabilities: { _ in Gemini.capabilities },
        endpoints: { model, facts throws(GenerationError) in
            let parent = try GoogleCloud.parent(
                model, projectVariables: ["GOOGLE_CLOUD_PROJECT", "PROJECT_ID", "GCLOUD_PROJECT"],
                locationVariables: ["GOOGLE_CLOUD_LOCATION", "GOOGLE_CLOUD_REGION"], defaultLocation: facts.region)
            try Endpoints.check(path: model.modelName, of: model)
            let path = vertexPath(model.modelName, parent: parent)
            return .gemini(model: path, embed: .vertex(path))
        },
        // Models of other publishers, and endpoints, are in the configured project.
        leavesProject: { name in name.hasPrefix("projects/") })

    /// The model's URL. Tuned models have the path of an endpoint; models of other publishers include the publisher.
    private static func vertexPath(_ name: String, parent: String) -> String {
        let encoded = PercentEncoding.path(name)
        if name.hasPrefix("projects/"), let end = parent.firstRange(of: "/projects/") {
            return parent[..<end.lowerBound] + "/" + encoded
        }
        if name.hasPrefix("publishers/") || name.hasPrefix("endpoints/") { return "\(parent)/\(encoded)" }
        let short = name.hasPrefix("models/") ? String(name.dropFirst(7)) : name
        return "\(parent)/publishers/google/models/\(PercentEncoding.segment(short))"
    }
}

extension Endpoints {
    /// The endpoints of a Gemini model; `model` is the model's URL.
    static func gemini(model: String, embed: EmbeddingAddress) -> Endpoints {
        Endpoints(
            whole: model + ":generateContent", stream: model + ":streamGenerateContent?alt=sse",
            countTokens: model + ":countTokens",
            // Counting tokens is free, and no list of models is accessible to every credential.
            probe: .post(
                model + ":countTokens", body: #"{"contents":[{"role":"user","parts":[{"text":"hello"}]}]}"#),
            embed: embed)
    }
}
