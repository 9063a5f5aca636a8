internal import JSON

/// OpenAI's embeddings, with the vendor's checks.
enum OpenAIEmbeddingReply {
    /// The models and the lengths of their vectors, from the vendor's guide. Other models are treated like the first
    /// one. `isFixed`: the length cannot be chosen.
    private static let models: [(name: String, dimensions: Int, isFixed: Bool)] = [
        ("text-embedding-3-small", 1536, false), ("text-embedding-3-large", 3072, false),
        ("text-embedding-ada-002", 1536, true),
    ]
    private static let members = ["model", "input", "dimensions", "encoding_format", "user"]
    private static let maximumInputs = 2048
    private static let maximumTokens = 300_000
    private static let maximumInputTokens = 8192

    /// The vectors, or the error for an invalid request. A model named `numbers…` simulates a compatible server that
    /// ignores `encoding_format`, and `shuffled…` one that returns the vectors in another order.
    static func answer(_ body: JSONValue, deployment: String?) -> SimulatedAnswer {
        guard let name = deployment ?? body["model"]?.string, !name.isEmpty else {
            return refusal("you must provide a model parameter", "model")
        }
        if name.hasPrefix("missing-model") {
            return OpenAIDialect.refusal(
                404, "The model `\(name)` does not exist or you do not have access to it.", code: "model_not_found")
        }
        if let other = body.members?.first(where: { !members.contains($0.key) })?.key {
            return refusal("Unrecognized request argument supplied: \(other)", nil)
        }
        let inputs: [String]
        switch body["input"] {
        case .string(let text): inputs = [text]
        case .array(let elements): inputs = elements.compactMap(\.string)
        default: return refusal("Missing required parameter: 'input'.", "input")
        }
        guard !inputs.isEmpty, !inputs.contains(where: \.isEmpty) else {
            return refusal("'$.input' is invalid. Please check the API reference.", "input")
        }
        guard inputs.count <= maximumInputs else {
            return refusal("Invalid 'input': array too long. Expected an array with maximum length 2048.", "input")
        }
        let tokens = inputs.map(SimulatedEmbedding.tokens)
        if let most = tokens.max(), most > maximumInputTokens {
            return refusal(
                "This model's maximum context length is 8192 tokens, however you requested \(most) tokens.", "input")
        }
        let sum = tokens.reduce(0, +)
        guard sum <= maximumTokens else {
            return refusal("Requested \(sum) tokens, max 300000 tokens per request", "input")
        }
        let model = models.first { $0.name == name } ?? models[0]
        if let wanted = body["dimensions"] {
            guard !model.isFixed else {
                return refusal("This model does not support specifying dimensions.", nil)
            }
            guard let count = wanted.int, (1...model.dimensions).contains(count) else {
                return refusal(
                    "Invalid value for 'dimensions'. Must be at most \(model.dimensions).", "dimensions")
            }
        }
        let format = body["encoding_format"]?.string ?? "float"
        guard format == "float" || format == "base64" else {
            return refusal("Invalid 'encoding_format': must be 'float' or 'base64'.", "encoding_format")
        }
        let isPacked = format == "base64" && !name.hasPrefix("numbers")
        let dimensions = body["dimensions"]?.int ?? model.dimensions
        var data: [JSONValue] = inputs.enumerated().map { index, text in
            let vector = SimulatedEmbedding(text, dimensions: dimensions)
            return [
                "object": "embedding", "index": .int(index),
                "embedding": isPacked
                    ? .string(vector.base64) : .array(vector.numbers.map { .double(Double($0)) }),
            ]
        }
        if name.hasPrefix("shuffled") { data.reverse() }
        return .json([
            "object": "list", "data": .array(data), "model": .string(name),
            "usage": ["prompt_tokens": .int(sum), "total_tokens": .int(sum)],
        ])
    }

    private static func refusal(_ message: String, _ param: JSONValue) -> SimulatedAnswer {
        OpenAIDialect.refusal(400, message, param: param)
    }
}
