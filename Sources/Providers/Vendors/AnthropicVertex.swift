internal import Config
internal import Encodings
internal import Generation

extension Provider {
    /// Claude on Vertex AI.
    static let anthropicVertex = Provider(
        name: "anthropic_vertex",
        dialect: Claude(host: .vertex),
        keys: GoogleCloud.keys + [
            Claude.anthropicVersion.declaration, MediaFetch.addresses.declaration, MediaFetch.maximumBytes.declaration,
        ],
        credential: CredentialRule(keyHeader: (name: "x-goog-api-key", prefix: ""), usesGoogleDefault: true),
        capabilities: { model in Claude.capabilities(model, host: .vertex) },
        endpoints: { model, facts throws(GenerationError) in
            let parent = try GoogleCloud.parent(
                model,
                projectVariables: [
                    "ANTHROPIC_VERTEX_PROJECT_ID", "GOOGLE_CLOUD_PROJECT", "PROJECT_ID", "GCLOUD_PROJECT",
                ],
                locationVariables: ["CLOUD_ML_REGION", "GOOGLE_CLOUD_LOCATION"], defaultLocation: facts.region)
            let models = parent + "/publishers/anthropic/models/"
            let name = models + PercentEncoding.segment(model.modelName)
            let count = models + "count-tokens:rawPredict"
            return Endpoints(
                whole: name + ":rawPredict", stream: name + ":streamRawPredict", countTokens: count,
                probe: .post(count, body: Claude.probeBody(model)))
        })
}
