public import Config
public import Generation

/// When a failed attempt is repeated, and after how long.
public struct RetryPolicy: Sendable, Equatable {
    /// The rules of the model.
    public var rules: RetryConfiguration

    /// The rules of a configuration's `retry` map.
    public init(_ rules: RetryConfiguration = RetryConfiguration()) { self.rules = rules }

    /// Nanoseconds to wait before attempt number `attempt + 1` at the same model; `nil` to give this model up.
    ///
    /// The backoff has full jitter and comes on top of the wait that the provider asked for: callers that were refused
    /// together were asked for the same wait, and must not come back together.
    /// - Parameters:
    ///   - attempt: how many attempts there were, from 1.
    ///   - jitter: the share of the backoff that is waited for, drawn from 0 to 1.
    public func delay(after error: GenerationError, attempt: Int, jitter: Double) -> UInt64? {
        guard error.isRetryable, attempt < rules.maxAttempts else { return nil }
        let asked = Double(error.retryAfterMilliseconds ?? 0) / 1000
        guard asked <= rules.maxRetryAfter else { return nil }
        let backoff = min(rules.initialBackoff * Double(1 << min(attempt - 1, 30)), rules.maxBackoff)
        return UInt64((asked + backoff * jitter) * 1e9)
    }
}
