internal import Generation
internal import JSON

/// Google's embedding requests: one method of the Gemini API and three of Vertex AI, in the format of the official SDK
/// (`google-genai` 3.4, `models.py`).
struct GoogleEmbeddings: EmbeddingDialect {
    enum Form: Sendable {
        /// The Gemini API's `batchEmbedContents`. Every entry names the model, as `models/NAME`.
        case gemini(model: String)
        /// Vertex AI's `batchEmbedContents`.
        case batch
        /// Vertex AI's `embedContent`, for one text.
        case single
        /// Vertex AI's `predict`.
        case predict
    }

    let form: Form

    var hasInputType: Bool { true }

    var limits: EmbeddingLimits {
        switch form {
        // At most 100 entries ("at most 100 requests can be in one batch").
        case .gemini, .batch: EmbeddingLimits(inputs: 100, bytes: 400_000)
        case .single: EmbeddingLimits(inputs: 1, bytes: .max)
        // At most 250 texts and 20,000 tokens.
        case .predict: EmbeddingLimits(inputs: 250, bytes: 40_000)
        }
    }

    // MARK: - Requests

    func encode(_ inputs: [String], _ request: EmbedRequest, modelName: String) -> JSONWriter {
        var writer = JSONWriter(capacity: inputs.reduce(256) { $0 + $1.utf8.count + 128 })
        writer.beginObject()
        switch form {
        case .gemini(let model):
            writer.key("requests")
            writer.beginArray()
            for input in inputs {
                writer.beginObject()
                writer.key("model")
                writer.string(model)
                Self.content(input, &writer)
                Self.options(request, &writer)
                writer.endObject()
            }
            writer.endArray()
        case .batch:
            writer.key("requests")
            writer.beginArray()
            for input in inputs {
                writer.beginObject()
                Self.content(input, &writer)
                Self.nestedOptions(request, &writer)
                writer.endObject()
            }
            writer.endArray()
        case .single:
            Self.content(inputs.first ?? "", &writer)
            Self.nestedOptions(request, &writer)
        case .predict: Self.predict(inputs, request, &writer)
        }
        writer.endObject()
        return writer
    }

    private static func content(_ text: String, _ writer: inout JSONWriter) {
        writer.key("content")
        writer.beginObject()
        writer.key("parts")
        writer.beginArray()
        writer.beginObject()
        writer.key("text")
        writer.string(text)
        writer.endObject()
        writer.endArray()
        writer.endObject()
    }

    private static func options(_ request: EmbedRequest, _ writer: inout JSONWriter) {
        if !request.inputType.isEmpty {
            writer.key("taskType")
            writer.string(request.inputType)
        }
        if let dimensions = request.dimensions {
            writer.key("outputDimensionality")
            writer.int(dimensions)
        }
    }

    private static func nestedOptions(_ request: EmbedRequest, _ writer: inout JSONWriter) {
        guard !request.inputType.isEmpty || request.dimensions != nil else { return }
        writer.key("embedContentConfig")
        writer.beginObject()
        options(request, &writer)
        writer.endObject()
    }

    private static func predict(_ inputs: [String], _ request: EmbedRequest, _ writer: inout JSONWriter) {
        writer.key("instances")
        writer.beginArray()
        for input in inputs {
            writer.beginObject()
            writer.key("content")
            writer.string(input)
            if !request.inputType.isEmpty {
                writer.key("task_type")
                writer.string(request.inputType)
            }
            writer.endObject()
        }
        writer.endArray()
        guard let dimensions = request.dimensions else { return }
        writer.key("parameters")
        writer.beginObject()
        writer.key("outputDimensionality")
        writer.int(dimensions)
        writer.endObject()
    }

    // MARK: - Responses

    func decode(_ root: JSONElement, count: Int, providerName: String) throws(GenerationError) -> EmbeddedBatch {
        var batch = EmbeddedBatch()
        var tokens: Int?
        func add(_ embedding: JSONElement?) throws(GenerationError) {
            guard batch.vectors.count < count, let vector = embedding?["values"]?.vector, !vector.isEmpty else {
                throw GenerationError(.badProviderResponse, "\(providerName) returned an invalid vector")
            }
            batch.vectors.append(vector)
            let statistics = embedding?["statistics"]
            if statistics?["truncated"]?.bool == true { batch.truncatedCount += 1 }
            if let own = statistics?["token_count"]?.tokens ?? statistics?["tokenCount"]?.tokens {
                tokens = min((tokens ?? 0) + own, Int(Int32.max))
            }
        }
        switch form {
        case .gemini, .batch:
            if let embeddings = root["embeddings"] {
                for embedding in embeddings.elements { try add(embedding) }
            }
        case .single:
            try add(root["embedding"])
            if root["truncated"]?.bool == true { batch.truncatedCount = 1 }
        case .predict:
            if let predictions = root["predictions"] {
                for prediction in predictions.elements { try add(prediction["embeddings"]) }
            }
        }
        batch.use(root["usageMetadata"]?["promptTokenCount"]?.tokens ?? tokens)
        return batch
    }
}
