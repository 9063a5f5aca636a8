public import Config
public import Generation

/// When a failed attempt is repeated, and after how long.
public struct RetryPolicy: Sendable, Equatable {
    /// Attempts at one model, the first included.
    public var maxAttempts: Int
    /// The upper bound of the first backoff, in seconds; each further one is twice as long.
    public var initialBackoff: Double
    /// The upper bound of every backoff, in seconds.
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
    ///
    /// The backoff has full jitter and comes on top of the wait that the provider asked for: callers that were refused
    /// together were asked for the same wait, and must not come back together.
    /// - Parameters:
    ///   - attempt: how many attempts there were, from 1.
    ///   - jitter: the share of the backoff that is waited for, drawn from 0 to 1.
    public func delay(after error: GenerationError, attempt: Int, jitter: Double) -> UInt64? {
        guard error.isRetryable, attempt < maxAttempts else { return nil }
        let asked = Double(error.retryAfterMilliseconds ?? 0) / 1000
        guard asked <= maxRetryAfter else { return nil }
        let backoff = min(initialBackoff * Double(1 << min(attempt - 1, 30)), maxBackoff)
        return UInt64((asked + backoff * jitter) * 1e9)
    }
}
