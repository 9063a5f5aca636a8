/// A `retry` map: how a failed attempt is repeated.
public struct RetryConfiguration: Sendable, Equatable {
    /// How many attempts at most, the first included; 1 means no retry.
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
            "Attempts at one model, the first included; 1 means no retry."),
        Key(
            initialBackoffName, \.initialBackoff, .seconds(), unit: "seconds",
            "The longest pause before the second attempt, which doubles each time; at most `max_backoff`."),
        Key("max_backoff", \.maxBackoff, .seconds(), unit: "seconds", "The longest pause."),
        Key(
            "max_retry_after", \.maxRetryAfter, .seconds(), unit: "seconds",
            "The longest wait that a vendor may ask for; a longer one ends the attempts."),
    ]

    mutating func check(_ section: Section, given: Set<String>) -> Bool {
        if given.contains(Self.initialBackoffName), initialBackoff > maxBackoff {
            section[Self.initialBackoffName]?.report(
                "is above 'max_backoff'; lower it, or raise 'max_backoff' too")
        }
        // A lower 'max_backoff' alone bounds a first pause that nobody wrote here.
        initialBackoff = min(initialBackoff, maxBackoff)
        return true
    }
}
