internal import Encodings
internal import Generation
internal import JSON

/// The URL for embeddings at a vendor. The method of a model is a fact of the catalogue.
enum EmbeddingAddress: Sendable {
    /// The URL of OpenAI's `/embeddings` at a server.
    case openAI(String)
    /// The URL of a model at the Gemini API, and the model's resource name `models/NAME`.
    case gemini(String, model: String)
    /// The URL of a model on Vertex AI.
    case vertex(String)
}

/// The URL and format of a model's embedding requests.
struct EmbeddingEndpoint: Sendable {
    let url: String
    let dialect: any EmbeddingDialect
    /// The limits of one request: the lower ones of the vendor and the model.
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

/// A format of embedding requests, which several vendors may share.
protocol EmbeddingDialect: Sendable {
    /// The vendor's limits of one request.
    var limits: EmbeddingLimits { get }

    /// Whether a request can have an `input_type`.
    var hasInputType: Bool { get }

    /// Encodes the request for the vectors of `inputs`.
    func encode(_ inputs: [String], _ request: EmbedRequest, modelName: String) -> JSONWriter

    /// Decodes the response to a request with `count` inputs.
    /// - Throws: `.badProviderResponse` if it is invalid.
    func decode(_ root: JSONElement, count: Int, providerName: String) throws(GenerationError) -> EmbeddedBatch
}

/// The limits of one embedding request.
struct EmbeddingLimits: Sendable {
    /// Number of bytes that count as one token. It is lower than the average in any language, so that a request stays
    /// within the vendor's limit.
    static let bytesPerToken = 2
    /// Target for the maximum size of a response in bytes: half of what one call may buffer.
    private static let responseBytes = CallBudget.bytes / 2
    /// Maximum size of one number in JSON, in bytes.
    private static let numberBytes = 16
    /// The assumed length of the vectors before the first one is known.
    private static let assumedDimensions = 4096

    /// Maximum number of inputs.
    var inputs: Int
    /// Maximum total size of the inputs, in bytes. A single larger input is sent alone, and the vendor checks it.
    var bytes: Int

    /// The end of the batch that begins at `start`, within these limits and the target size of a response.
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

/// The result of one request.
struct EmbeddedBatch {
    /// The model as the vendor reports it; empty if it does not.
    var model = ""
    /// One vector per input, in order.
    var vectors: [[Float]] = []
    var usage = Usage()
    /// The number of inputs of which the vendor used only the beginning.
    var truncatedCount = 0

    /// Sets the usage to that of a prompt, as reported by the vendor: `JSONElement.tokens`, so that sums cannot overflow.
    mutating func use(_ tokens: Int?) {
        guard let tokens else { return }
        usage.inputTokens = tokens
        usage.totalTokens = tokens
        usage.source = .provider
    }
}

extension JSONElement {
    /// A vector: an array of numbers, or little-endian floats in Base64; `nil` for anything else, and for numbers that
    /// are infinite or none: one of them spoils every comparison with the vector.
    var vector: [Float]? {
        guard let vector = numbers, vector.allSatisfy(\.isFinite) else { return nil }
        return vector
    }

    private var numbers: [Float]? {
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
