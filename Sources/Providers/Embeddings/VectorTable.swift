package import Generation

/// The vectors of one `EmbedRequest` received so far. They are kept between attempts: a retry with the same model
/// requests only the missing ones. Confined to its loop.
package final class VectorTable {
    /// Maximum number of inputs of a request.
    package static let maximumInputs = 16_384
    /// Maximum length of a vector.
    package static let maximumDimensions = 65_536
    /// Maximum total size of the vectors in bytes for in-process calls, which have no message size limit.
    package static let processLimit = 64 << 20

    private let limit: Int
    private var share: AnswerBudget.Share
    /// The model that made the vectors; vectors of different models cannot be mixed.
    private var maker: ConfiguredModel?
    private var vectors: [[Float]]
    /// The length of the vectors; before the first vector, the expected length, or 0 if unknown.
    private(set) var dimensions = 0
    private var isEmpty = true
    /// The usage of all requests for this call, including those of failed attempts.
    private(set) var usage = Usage()
    /// The number of inputs that the provider truncated.
    private(set) var truncatedCount = 0

    /// Creates a table without vectors.
    /// - Parameter limit: the maximum size of the response, in bytes.
    package init(_ request: EmbedRequest, limit: Int, context: ProviderContext) {
        self.limit = limit
        share = AnswerBudget.Share(context.answers)
        vectors = Array(repeating: [], count: request.inputs.count)
    }

    /// The response of a call with the given trailer. No vector may be missing.
    package func response(_ trailer: AnswerTrailer) -> EmbedResponse {
        var response = EmbedResponse()
        response.model = trailer.model
        response.provider = trailer.provider
        response.embeddings = vectors
        response.usage = usage
        response.timing = trailer.timing
        response.attempts = trailer.attempts
        response.providerRequestID = trailer.providerRequestID
        response.warnings = trailer.warnings
        return response
    }

    func check(_ request: EmbedRequest) throws(GenerationError) {
        func invalid(_ words: String) -> GenerationError { GenerationError(.invalidRequest, words) }
        guard !request.inputs.isEmpty else { throw invalid("inputs is empty; send at least one text") }
        guard request.inputs.count <= Self.maximumInputs else {
            throw invalid("inputs has \(request.inputs.count) texts; at most \(Self.maximumInputs) are allowed")
        }
        if let index = request.inputs.firstIndex(where: \.isEmpty) {
            throw invalid("inputs[\(index)] is empty; every text must have content")
        }
        guard let dimensions = request.dimensions else { return }
        guard (1...Self.maximumDimensions).contains(dimensions) else {
            throw invalid("dimensions is \(dimensions); it must be from 1 to \(Self.maximumDimensions)")
        }
        try checkSize(dimensions)
    }

    /// Checks that the vectors fit into the response, as soon as their length is known.
    private func checkSize(_ dimensions: Int) throws(GenerationError) {
        // Four bytes per number, and two tags with lengths of one or two bytes each.
        let each = 4 * dimensions + 4
        guard vectors.count * each > limit else { return }
        throw GenerationError(
            .invalidRequest,
            "\(vectors.count) vectors of \(dimensions) dimensions exceed the limit of \(limit) bytes per response; "
                + "send at most \(max(1, limit / each)) inputs per request, or request fewer dimensions")
    }

    // MARK: - Attempts

    /// Prepares an attempt with `model`; discards the vectors of any other model.
    /// - Parameter dimensions: the length that the vectors will have; `nil` if unknown.
    /// - Throws: `.invalidRequest` if vectors of this length exceed the limit.
    func begin(_ model: ConfiguredModel, dimensions: Int?) throws(GenerationError) {
        guard maker !== model else { return }
        maker = model
        vectors = Array(repeating: [], count: vectors.count)
        self.dimensions = dimensions ?? 0
        isEmpty = true
        truncatedCount = 0
        share.giveBack()
        if let dimensions { try checkSize(dimensions) }
    }

    /// The inputs without a vector, in order.
    var missing: [Int] { vectors.indices.filter { vectors[$0].isEmpty } }

    /// Stores the vectors of the inputs at `indices`.
    /// - Throws: `.badProviderResponse` if they do not match the inputs or each other, `.invalidRequest` if all vectors
    ///   together exceed the limit, `.overloaded` if the process has no memory for them.
    func store(_ batch: EmbeddedBatch, at indices: ArraySlice<Int>, providerName: String) throws(GenerationError) {
        usage.add(batch.usage)
        guard batch.vectors.count == indices.count else {
            throw GenerationError(
                .badProviderResponse,
                "\(providerName) returned \(batch.vectors.count) vectors for \(indices.count) inputs")
        }
        if isEmpty, let first = batch.vectors.first {
            guard first.count <= Self.maximumDimensions else {
                throw CallBudget.exceeded(
                    providerName, "has vectors of more than \(Self.maximumDimensions) dimensions")
            }
            try checkSize(first.count)
            try share.hold(vectors.count * first.count * MemoryLayout<Float>.stride)
            dimensions = first.count
            isEmpty = false
        }
        guard batch.vectors.allSatisfy({ $0.count == dimensions && !$0.isEmpty }) else {
            throw GenerationError(.badProviderResponse, "\(providerName) returned vectors of different lengths")
        }
        truncatedCount += batch.truncatedCount
        for (index, vector) in zip(indices, batch.vectors) { vectors[index] = vector }
    }
}

extension Usage {
    /// Adds the usage of another request. The sum is an estimate if one of the two is.
    mutating func add(_ other: Usage) {
        guard other.source != .absent else { return }
        inputTokens += other.inputTokens
        outputTokens += other.outputTokens
        totalTokens += other.totalTokens
        source = source == .estimated ? .estimated : other.source
    }
}
