package import Generation

/// The request of a call, by kind.
package enum Question {
    /// A conversation to respond to.
    case chat(ChatRequest)
    /// Texts to embed. The table receives the vectors; the trailer has everything else.
    case embed(EmbedRequest, into: VectorTable)

    /// The model, route or `provider/model_name` as the caller wrote it; empty for the default.
    package var model: String {
        switch self {
        case .chat(let request): request.model
        case .embed(let request, _): request.model
        }
    }

    /// The models and routes to try after `model`.
    package var fallbacks: [String] {
        switch self {
        case .chat(let request): request.options.fallbacks
        case .embed: []
        }
    }

    /// Approximate memory use of the request in bytes.
    package var memoryBytes: Int {
        switch self {
        case .chat(let request): request.memoryBytes
        case .embed(let request, _): request.memoryBytes
        }
    }

    /// An estimate of the number of input tokens.
    package var estimatedTokens: Int {
        switch self {
        case .chat(let request): estimateTokens(of: request)
        case .embed(let request, _): request.inputs.reduce(0) { $0 + estimateTokens($1) }
        }
    }

    /// Rejects requests that are invalid for every model.
    /// - Throws: `.invalidRequest` that names the field.
    package func check() throws(GenerationError) {
        switch self {
        case .chat(let request):
            guard !request.messages.isEmpty else {
                throw GenerationError(
                    .invalidRequest, "messages is empty: a chat needs at least one message")
            }
        case .embed(let request, let table): try table.check(request)
        }
    }
}
