internal import Encodings
internal import Generation
internal import JSON

/// Where a vendor's vectors are asked for. The catalogue knows which of its methods a model has.
enum EmbeddingAddress: Sendable {
    /// A server with OpenAI's `/embeddings`, by that URL.
    case openAI(String)
    /// The Gemini API, by the model's URL and the name of the resource, such as `models/NAME`.
    case gemini(String, model: String)
    /// Vertex AI, by the model's URL.
    case vertex(String)
}

/// Where and how a model's vectors are asked for.
struct EmbeddingEndpoint: Sendable {
    let url: String
    let dialect: any EmbeddingDialect
    /// What one request may hold: the vendor's limits, or the model's own, which are lower.
    let limits: EmbeddingLimits

    init(_ address: EmbeddingAddress, _ facts: ModelFacts) {
        switch address {
        case .openAI(let url):
            self.url = url
            dialect = OpenAIEmbeddings()
        case .gemini(let url, let model):
            self.url = url + ":batchEmbedContents"
            dialect = GoogleEmbeddings(form: .gemini(model: model))
        case .vertex(let url):
            switch facts.embeddingMethod {
            case .embedContent:
                self.url = url + ":embedContent"
                dialect = GoogleEmbeddings(form: .single)
            case .batchEmbedContents:
                self.url = url + ":batchEmbedContents"
                dialect = GoogleEmbeddings(form: .batch)
            case .predict, .embeddings:
                self.url = url + ":predict"
                dialect = GoogleEmbeddings(form: .predict)
            }
        }
        var limits = dialect.limits
        limits.inputs = min(limits.inputs, facts.embeddingBatch)
        if let tokens = facts.embeddingBatchTokens {
            limits.bytes = min(limits.bytes, tokens * EmbeddingLimits.bytesPerToken)
        }
        self.limits = limits
    }
}

/// The format of requests for vectors, shared by several vendors.
protocol EmbeddingDialect: Sendable {
    /// What one request of the vendor may hold at most.
    var limits: EmbeddingLimits { get }

    /// Whether a request can say what the vectors are for.
    var hasInputType: Bool { get }

    /// Writes the request for the vectors of `inputs`.
    func encode(_ inputs: [String], _ request: EmbedRequest, modelName: String) -> JSONWriter

    /// Reads the response to a request with `count` inputs.
    /// - Throws: `.badProviderResponse` if it is invalid.
    func decode(_ root: JSONElement, count: Int, providerName: String) throws(GenerationError) -> EmbeddedBatch
}

/// The limits of one request for vectors.
struct EmbeddingLimits: Sendable {
    /// The bytes that count as a token: fewer than the tokens of any language have on average, so that a request stays
    /// within the vendor's limit.
    static let bytesPerToken = 2
    /// The size of a response that a request should not exceed, in bytes: half of what one call may buffer.
    private static let responseBytes = CallBudget.bytes / 2
    /// The size of one number in JSON, in bytes, at most.
    private static let numberBytes = 16
    /// The length that is assumed of vectors before the first one is known.
    private static let assumedDimensions = 4096

    /// Maximum number of inputs.
    var inputs: Int
    /// Maximum size of the inputs together, in bytes. A single input may be larger; the vendor judges it.
    var bytes: Int

    /// The end of the batch that begins at `start`: within these limits, and with a response of moderate size.
    /// - Parameters:
    ///   - missing: indices into `inputs`.
    ///   - dimensions: the length of the vectors; 0 if unknown.
    func end(of missing: [Int], from start: Int, _ inputs: [String], dimensions: Int) -> Int {
        let length = dimensions == 0 ? Self.assumedDimensions : dimensions
        let most = min(self.inputs, max(1, Self.responseBytes / (Self.numberBytes * length)))
        var bytes = 0
        var end = start
        while end < missing.count, end - start < most {
            bytes += inputs[missing[end]].utf8.count
            if end > start, bytes > self.bytes { break }
            end += 1
        }
        return end
    }
}

/// What came of one request.
struct EmbeddedBatch {
    /// The model in the vendor's words; empty if it does not say.
    var model = ""
    /// One per input, in order.
    var vectors: [[Float]] = []
    var usage = Usage()
    /// The number of inputs of which the vendor used only the beginning.
    var truncatedCount = 0

    /// Sets the usage to that of a prompt, as reported by the vendor.
    mutating func use(_ tokens: Int?) {
        guard let tokens, tokens >= 0 else { return }
        usage.inputTokens = tokens
        usage.totalTokens = tokens
        usage.source = .provider
    }
}

extension JSONElement {
    /// A vector: an array of numbers, or little-endian floats in Base64; `nil` for anything else.
    var vector: [Float]? {
        switch kind {
        case .array:
            guard count <= VectorTable.maximumDimensions else { return nil }
            var vector: [Float] = []
            vector.reserveCapacity(count)
            for element in elements {
                guard let number = element.double else { return nil }
                vector.append(Float(number))
            }
            return vector
        case .string:
            let bytes = Base64.decode((string ?? "").utf8)
            guard bytes.count % 4 == 0, bytes.count / 4 <= VectorTable.maximumDimensions else { return nil }
            return bytes.withUnsafeBytes { bytes in
                stride(from: 0, to: bytes.count, by: 4).map {
                    Float(bitPattern: UInt32(littleEndian: bytes.loadUnaligned(fromByteOffset: $0, as: UInt32.self)))
                }
            }
        default: return nil
        }
    }
}
