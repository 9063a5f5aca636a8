internal import Generation

/// How much of its response one call may buffer: the body of a unary response, or the current event of a stream and
/// everything that the decoder holds until the end. Text that was delivered is not buffered.
enum CallBudget {
    /// The bytes that one call may buffer.
    static let bytes = 16 << 20
    /// The largest event of a stream, in bytes.
    static let eventBytes = 8 << 20
    /// The bytes that all calls of the process may buffer together: see `AnswerBudget`.
    static let processBytes = 512 << 20
    /// The maximum number of tool calls per response.
    static let toolCalls = 1024
    /// The maximum number of blocks per response whose order is kept, and of pieces per event.
    static let blocks = 16_384

    /// Checks what a decoder holds; called in every loop over the contents of an event or a response.
    /// - Throws: `.badProviderResponse` if it exceeds a limit.
    static func check(
        _ providerName: String, bytes: Int = 0, toolCalls: Int = 0, blocks: Int = 0
    ) throws(GenerationError) {
        if bytes > Self.bytes {
            throw exceeded(providerName, "makes us keep more than \(Self.bytes) bytes of it until its end")
        }
        if toolCalls > Self.toolCalls { throw exceeded(providerName, "has more than \(Self.toolCalls) tool calls") }
        if blocks > Self.blocks { throw exceeded(providerName, "has more than \(Self.blocks) blocks") }
    }

    /// The error of a response that exceeds a limit. It is not retried: the next response would be as large.
    static func exceeded(_ providerName: String, _ what: String) -> GenerationError {
        var error = GenerationError(.badProviderResponse, "\(providerName)'s response \(what)")
        error.isRetryable = false
        return error
    }
}
