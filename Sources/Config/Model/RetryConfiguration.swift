/// A `retry` map: how a failed attempt is repeated.
public struct RetryConfiguration: Sendable, Equatable {
    /// Maximum number of attempts, including the first; 1 disables retries.
    public var maxAttempts = 3
    /// The pause before the second attempt, in seconds, at most `maxBackoff`; it doubles each time.
    public var initialBackoff = 0.5
    /// The longest pause, in seconds.
    public var maxBackoff: Double = 8
    /// The longest `Retry-After` that is waited for, in seconds; a longer one ends the attempts.
    public var maxRetryAfter: Double = 60

    /// The defaults.
    public init() {}
}

extension RetryConfiguration: Keyed {
    static let standard = RetryConfiguration()
    private static let initialBackoffName = "initial_backoff"

    static let keys: [Key<RetryConfiguration>] = [
        Key(
            "max_attempts", \.maxAttempts, .integer(in: 1...100), unit: "attempts",
            "Maximum number of attempts per model, including the first; 1 disables retries."),
        Key(
            initialBackoffName, \.initialBackoff, .seconds(), unit: "seconds",
            "Maximum pause before the second attempt; it doubles with each attempt, up to `max_backoff`."),
        Key("max_backoff", \.maxBackoff, .seconds(), unit: "seconds", "Maximum pause between attempts."),
        Key(
            "max_retry_after", \.maxRetryAfter, .seconds(), unit: "seconds",
            "Maximum wait that a vendor may request; a longer one ends the attempts."),
    ]

    mutating func check(_ section: Section, given: Set<String>) -> Bool {
        if given.contains(Self.initialBackoffName), initialBackoff > maxBackoff {
            section[Self.initialBackoffName]?.report(
                "is greater than 'max_backoff'; lower it or raise 'max_backoff'")
        }
        // If only 'max_backoff' is given, it also bounds the default of 'initial_backoff'.
        initialBackoff = min(initialBackoff, maxBackoff)
        return true
    }
}
