internal import JSON

/// Google's embeddings: the Gemini API's `batchEmbedContents`, and Vertex AI's three methods.
enum GeminiEmbeddingReply {
    static let verbs = ["batchEmbedContents", "embedContent", "predict"]

    private static let defaultDimensions = 3072
    private static let maximumEntries = 100
    private static let maximumInstances = 250
    /// Models that accept one text per request.
    private static let modelsForOneText = ["gemini-embedding-001"]
    private static let maximumPredictTokens = 20_000
    /// Vertex AI uses only this many tokens of a text, and reports that it was truncated.
    private static let usedTokens = 2048
    private static let taskTypes = [
        "TASK_TYPE_UNSPECIFIED", "RETRIEVAL_QUERY", "RETRIEVAL_DOCUMENT", "SEMANTIC_SIMILARITY", "CLASSIFICATION",
        "CLUSTERING", "QUESTION_ANSWERING", "FACT_VERIFICATION", "CODE_RETRIEVAL_QUERY",
    ]

    static func answer(_ body: JSONValue, verb: String, model: String, isVertex: Bool) -> SimulatedAnswer {
        switch verb {
        case "predict": predict(body, model: model)
        case "embedContent": isVertex ? single(body) : invalid("embedContent is not simulated here.")
        default: batch(body, model: model, isVertex: isVertex)
        }
    }

    private static func invalid(_ message: String) -> SimulatedAnswer {
        GeminiDialect.refusal(400, "INVALID_ARGUMENT", message)
    }

    private static func unknown(_ name: String, _ place: String) -> SimulatedAnswer {
        invalid("Invalid JSON payload received. Unknown name \"\(name)\" at '\(place)': Cannot find field.")
    }

    // MARK: - Contents

    private static func batch(_ body: JSONValue, model: String, isVertex: Bool) -> SimulatedAnswer {
        let entries = body["requests"]?.array ?? []
        guard !entries.isEmpty else { return invalid("* BatchEmbedContentsRequest.requests: required field is empty") }
        guard entries.count <= maximumEntries else {
            return invalid("* BatchEmbedContentsRequest.requests: at most 100 requests can be in one batch")
        }
        let names =
            isVertex ? ["content", "embedContentConfig"] : ["model", "content", "taskType", "outputDimensionality"]
        var embeddings: [JSONValue] = []
        for (index, entry) in entries.enumerated() {
            let place = "requests[\(index)]"
            if let other = entry.members?.first(where: { !names.contains($0.key) })?.key {
                return unknown(other, place)
            }
            if !isVertex, entry["model"]?.string != "models/" + model {
                return invalid("* BatchEmbedContentsRequest.\(place).model: unexpected model name format")
            }
            let options = isVertex ? entry["embedContentConfig"] ?? [:] : entry
            if let problem = self.options(options) { return problem }
            guard let text = text(entry) else {
                return invalid("* BatchEmbedContentsRequest.\(place).content: contents is not specified")
            }
            embeddings.append(["values": values(text, options["outputDimensionality"])])
        }
        return .json(["embeddings": .array(embeddings)])
    }

    private static func single(_ body: JSONValue) -> SimulatedAnswer {
        if let other = body.members?.first(where: { !["content", "embedContentConfig"].contains($0.key) })?.key {
            return unknown(other, "embed_content_request")
        }
        let options = body["embedContentConfig"] ?? [:]
        if let problem = self.options(options) { return problem }
        guard let text = text(body) else { return invalid("Content is empty.") }
        let tokens = SimulatedEmbedding.tokens(text)
        return .json([
            "embedding": ["values": values(text, options["outputDimensionality"])],
            "usageMetadata": ["promptTokenCount": .int(min(tokens, usedTokens))],
            "truncated": .bool(tokens > usedTokens),
        ])
    }

    private static func text(_ entry: JSONValue) -> String? {
        let text = (entry["content"]?["parts"]?.array ?? []).compactMap { $0["text"]?.string }.joined()
        return text.isEmpty ? nil : text
    }

    private static func options(_ options: JSONValue) -> SimulatedAnswer? {
        if let type = options["taskType"], !taskTypes.contains(type.string ?? "") {
            return invalid("Invalid value at 'task_type' (type.googleapis.com/google.ai.TaskType), \(type.text)")
        }
        return dimensions(options["outputDimensionality"])
    }

    private static func dimensions(_ wanted: JSONValue?) -> SimulatedAnswer? {
        guard let wanted else { return nil }
        guard let count = wanted.int, (1...defaultDimensions).contains(count) else {
            return invalid("The outputDimensionality must be between 1 and \(defaultDimensions).")
        }
        return nil
    }

    private static func values(_ text: String, _ dimensions: JSONValue?) -> JSONValue {
        let vector = SimulatedEmbedding(text, dimensions: dimensions?.int ?? defaultDimensions)
        return .array(vector.numbers.map { .double(Double($0)) })
    }

    // MARK: - Predictions

    private static func predict(_ body: JSONValue, model: String) -> SimulatedAnswer {
        let instances = body["instances"]?.array ?? []
        guard !instances.isEmpty else { return invalid("Failed to parse instances: empty.") }
        let most = modelsForOneText.contains(model) ? 1 : maximumInstances
        guard instances.count <= most else {
            return invalid("\(most) instance(s) is allowed per prediction. Actual: \(instances.count)")
        }
        if let problem = dimensions(body["parameters"]?["outputDimensionality"]) { return problem }
        let texts = instances.map { $0["content"]?.string ?? "" }
        guard !texts.contains(where: \.isEmpty) else { return invalid("The text content is empty.") }
        if let wrong = instances.first(where: { $0["task_type"].map { !taskTypes.contains($0.string ?? "") } ?? false })
        {
            return invalid("Unsupported task type: \(wrong["task_type"]?.text ?? "")")
        }
        let tokens = texts.map(SimulatedEmbedding.tokens)
        let sum = tokens.reduce(0, +)
        guard sum <= maximumPredictTokens else {
            return invalid(
                "Unable to submit request because the input token count is \(sum) but the model supports up to "
                    + "\(maximumPredictTokens). Reduce the input token count and try again.")
        }
        let predictions: [JSONValue] = zip(texts, tokens).map { text, count in
            [
                "embeddings": [
                    "values": values(text, body["parameters"]?["outputDimensionality"]),
                    "statistics": [
                        "token_count": .int(min(count, usedTokens)), "truncated": .bool(count > usedTokens),
                    ],
                ]
            ]
        }
        return .json(["predictions": .array(predictions), "metadata": ["billableCharacterCount": .int(sum * 4)]])
    }
}
