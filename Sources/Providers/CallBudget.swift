internal import Generation

/// What one call may make us keep of its answer at a time: a whole answer's body, or of a stream the event that is
/// coming in and everything that its decoder holds until the end. Text that is passed on is not kept.
enum CallBudget {
    /// In bytes.
    static let bytes = 16 << 20
    /// The largest event of a stream, in bytes.
    static let eventBytes = 8 << 20

    /// The error of an answer that needs more. Another try would bring the same answer.
    static func exceeded(_ providerName: String, _ what: String) -> GenerationError {
        var error = GenerationError(.badProviderResponse, "\(providerName)'s answer \(what)")
        error.isRetryable = false
        return error
    }
}
