package import Generation

/// What a call asks a model for.
package enum Question {
    /// An answer to a conversation.
    case chat(ChatRequest)
    /// Vectors; the table receives them, and the end of the answer has everything else.
    case embed(EmbedRequest, into: VectorTable)

    /// The model, route or `provider/model_name` as the caller wrote it; empty for the default.
    package var model: String {
        switch self {
        case .chat(let request): request.model
        case .embed(let request, _): request.model
        }
    }

    /// The names to try after `model`.
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

    /// A rough count of its tokens.
    package var estimatedTokens: Int {
        switch self {
        case .chat(let request): estimateTokens(of: request)
        case .embed(let request, _): request.inputs.reduce(0) { $0 + estimateTokens($1) }
        }
    }

    /// Checks what is wrong for every model, before any work.
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
