internal import Generation

/// What one call may make us keep of its answer at a time: a whole answer's body, or of a stream the event that is
/// coming in and everything that its decoder holds until the end. Text that is passed on is not kept.
enum CallBudget {
    /// In bytes.
    static let bytes = 16 << 20
    /// The largest event of a stream, in bytes.
    static let eventBytes = 8 << 20
    /// What all calls of the process may make us keep at a time, in bytes: see `AnswerBudget`.
    static let processBytes = 512 << 20
    /// The most tool calls of an answer.
    static let toolCalls = 1024
    /// The most blocks of an answer that are kept in their order, and the most pieces of one event.
    static let blocks = 16_384

    /// Checks what a decoder holds; called within every loop over what one event or one whole answer has.
    /// - Throws: `.badProviderResponse` where it is too much.
    static func check(
        _ providerName: String, bytes: Int = 0, toolCalls: Int = 0, blocks: Int = 0
    ) throws(GenerationError) {
        if bytes > Self.bytes {
            throw exceeded(providerName, "makes us keep more than \(Self.bytes) bytes of it until its end")
        }
        if toolCalls > Self.toolCalls { throw exceeded(providerName, "has more than \(Self.toolCalls) tool calls") }
        if blocks > Self.blocks { throw exceeded(providerName, "has more than \(Self.blocks) blocks") }
    }

    /// The error of an answer that needs more. Another try would bring the same answer.
    static func exceeded(_ providerName: String, _ what: String) -> GenerationError {
        var error = GenerationError(.badProviderResponse, "\(providerName)'s response \(what)")
        error.isRetryable = false
        return error
    }
}
