package import Config
package import EventLoop
package import Generation

/// Decides whether a failed attempt is retried, and after what delay.
package struct RetryPolicy: Sendable, Equatable {
    /// The `retry` section that applies to the model.
    package var rules: RetryConfiguration

    /// Creates a policy from a `retry` section.
    package init(_ rules: RetryConfiguration = RetryConfiguration()) { self.rules = rules }

    /// Returns the delay before attempt number `attempt + 1` with the same model; `nil` for no retry.
    ///
    /// The backoff has full jitter and is added to the provider's `Retry-After`: callers that were rejected at the same
    /// time received the same value, and must not retry at the same time.
    /// - Parameters:
    ///   - attempt: the number of attempts so far, from 1.
    ///   - jitter: the fraction of the backoff to wait, drawn uniformly from 0 to 1.
    package func delay(after error: GenerationError, attempt: Int, jitter: Double) -> TimeAmount? {
        guard error.isRetryable, attempt < rules.maxAttempts else { return nil }
        let retryAfter = Double(error.retryAfterMilliseconds ?? 0) / 1000
        guard retryAfter <= rules.maxRetryAfter else { return nil }
        let backoff = min(rules.initialBackoff * Double(1 << min(attempt - 1, 30)), rules.maxBackoff)
        return .seconds(retryAfter + backoff * jitter)
    }
}
