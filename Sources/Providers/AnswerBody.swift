internal import Generation
internal import HTTPClient
internal import JSON

/// The body of a unary response or of an error, collected within the limits.
struct AnswerBody: ~Copyable {
    /// Maximum length of an error body in bytes; the rest is not read.
    private static let maximumErrorBytes = 64 << 10

    /// The body so far.
    private(set) var bytes: [UInt8] = []
    /// The memory that the response uses.
    var share: AnswerBudget.Share

    init(_ budget: AnswerBudget) { share = AnswerBudget.Share(budget) }

    /// Appends bytes.
    /// - Returns: `false` if the body is that of an error and enough of it was read to report it.
    /// - Throws: `.badProviderResponse` if the body exceeds `CallBudget.bytes`, `.overloaded` if the process has no
    ///   memory for it.
    mutating func add(
        _ piece: UnsafeRawBufferPointer, status: Int, providerName: String
    ) throws(GenerationError) -> Bool {
        if status >= 300 {
            bytes.append(contentsOf: piece.prefix(Self.maximumErrorBytes - bytes.count))
            // Errors of vendors are shorter; for any other body, the beginning suffices.
            return bytes.count < Self.maximumErrorBytes
        }
        guard bytes.count + piece.count <= CallBudget.bytes else {
            throw CallBudget.exceeded(providerName, "exceeds \(CallBudget.bytes) bytes")
        }
        bytes.append(contentsOf: piece)
        try share.hold(bytes.capacity)
        return true
    }

    /// Releases the memory.
    mutating func clear() {
        bytes = []
        share.giveBack()
    }

    /// The body as JSON.
    /// - Throws: `.badProviderResponse` with the beginning of the body if it is not JSON.
    func parse(_ parser: JSONParser, providerName: String) throws(GenerationError) -> JSONElement {
        do {
            return try parser.parse(bytes)
        } catch {
            let words = bytes.isEmpty ? "it is empty" : PageText.beginning(bytes)
            throw GenerationError(
                .badProviderResponse,
                "\(providerName)'s response is not JSON: \(words.isEmpty ? error.description : words)")
        }
    }

    /// The error of a response with an error status.
    func error(_ head: HTTPResponseHead, of model: ConfiguredModel, _ parser: JSONParser) -> GenerationError {
        VendorError(body: bytes, status: head.status, providerName: model.providerName, parser: parser)
            .generationError(httpStatus: head.status, head: head, model: model)
    }
}

extension HTTPResponseHead {
    /// The headers in which vendors return request ids, which their support asks for.
    private static let requestIDHeaders: [StaticString] = [
        "x-request-id", "request-id", "apim-request-id", "x-goog-request-id",
    ]

    /// The vendor's id of the request; empty if it sent none.
    var requestID: String { Self.requestIDHeaders.lazy.compactMap { header($0) }.first ?? "" }
}

extension ConfiguredModel {
    /// The error of a transfer that failed.
    /// - Parameter httpStatus: the status of the response; 0 if none was received.
    func error(from error: HTTPError, httpStatus: Int) -> GenerationError {
        let hasContent = httpStatus != 0 && httpStatus < 300
        let words = "\(providerName): \(error.description)"
        switch error.kind {
        case .timeout(let phase):
            var result = GenerationError(.timeout, words)
            result.timeoutPhase =
                switch phase {
                case .connect: .connect
                case .firstByte: .firstToken
                case .idle: .idle
                case .total: .total
                }
            return result
        case .interrupted: return GenerationError(hasContent ? .streamInterrupted : .network, words)
        case .resolve, .connect, .tls: return GenerationError(.network, words)
        case .badURL: return GenerationError(.invalidRequest, "\(name): api_base is not a valid URL: \(error)")
        case .tooLarge: return GenerationError(.badProviderResponse, words)
        case .other: return GenerationError(hasContent ? .streamInterrupted : .network, words)
        }
    }
}
