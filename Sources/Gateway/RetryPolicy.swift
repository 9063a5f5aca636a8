public import Config
public import Generation

/// When a failed attempt is repeated, and after how long.
public struct RetryPolicy: Sendable, Equatable {
    /// Attempts at one model, the first included.
    public var maxAttempts: Int
    /// The first wait, in seconds; each further one is twice as long.
    public var initialBackoff: Double
    /// The longest wait that is not the provider's own wish, in seconds.
    public var maxBackoff: Double
    /// A provider that asks for a longer wait than this many seconds is not asked again.
    public var maxRetryAfter: Double

    /// The rules of a configuration's `retry` map.
    public init(_ configuration: RetryConfiguration = RetryConfiguration()) {
        maxAttempts = configuration.maxAttempts
        initialBackoff = configuration.initialBackoff
        maxBackoff = configuration.maxBackoff
        maxRetryAfter = configuration.maxRetryAfter
    }

    /// Nanoseconds to wait before attempt number `attempt + 1` at the same model; `nil` to give this model up.
    /// - Parameters:
    ///   - attempt: how many attempts there were, from 1.
    ///   - jitter: 0 to 1; spreads callers that failed together.
    public func delay(after error: GenerationError, attempt: Int, jitter: Double) -> UInt64? {
        guard error.isRetryable, attempt < maxAttempts else { return nil }
        var seconds = min(initialBackoff * Double(1 << min(attempt - 1, 30)), maxBackoff) * (1 - 0.25 * jitter)
        if let hint = error.retryAfterMilliseconds {
            let asked = Double(hint) / 1000
            guard asked <= maxRetryAfter else { return nil }
            seconds = max(seconds, asked)
        }
        return UInt64(seconds * 1e9)
    }
}
