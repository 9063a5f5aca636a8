internal import Generation
internal import JSON

/// OpenAI's `/embeddings`, also offered by Azure, Groq and compatible servers.
struct OpenAIEmbeddings: EmbeddingDialect {
    /// 2,048 inputs and 300,000 tokens (the comment of `EmbeddingCreateParams` in OpenAI's SDK).
    var limits: EmbeddingLimits { EmbeddingLimits(inputs: 2048, bytes: 600_000) }
    var hasInputType: Bool { false }

    func encode(_ inputs: [String], _ request: EmbedRequest, modelName: String) -> JSONWriter {
        var writer = JSONWriter(capacity: inputs.reduce(256) { $0 + $1.utf8.count + 8 })
        writer.beginObject()
        writer.key("model")
        writer.string(modelName)
        writer.key("input")
        writer.beginArray()
        for input in inputs { writer.string(input) }
        writer.endArray()
        // Base64 has a third of the size of JSON numbers and is cheap to decode. Servers without it return numbers.
        writer.key("encoding_format")
        writer.string("base64")
        if let dimensions = request.dimensions {
            writer.key("dimensions")
            writer.int(dimensions)
        }
        writer.endObject()
        return writer
    }

    func decode(_ root: JSONElement, count: Int, providerName: String) throws(GenerationError) -> EmbeddedBatch {
        var batch = EmbeddedBatch()
        batch.model = root["model"]?.string ?? ""
        var vectors = [[Float]](repeating: [], count: count)
        var position = 0
        guard let data = root["data"], data.count == count else {
            throw GenerationError(
                .badProviderResponse,
                "\(providerName) returned \(root["data"]?.count ?? 0) vectors for \(count) inputs")
        }
        for element in data.elements {
            let index = element["index"]?.int ?? position
            position += 1
            guard vectors.indices.contains(index), vectors[index].isEmpty,
                let vector = element["embedding"]?.vector, !vector.isEmpty
            else { throw GenerationError(.badProviderResponse, "\(providerName) returned an invalid vector") }
            vectors[index] = vector
        }
        batch.vectors = vectors
        batch.use(root["usage"]?["prompt_tokens"]?.tokens ?? root["usage"]?["total_tokens"]?.tokens)
        return batch
    }
}
