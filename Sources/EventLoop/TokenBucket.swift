/// A limit on how often something may happen: a burst of `capacity`, then so many per second. A value without a clock.
public struct TokenBucket: Sendable {
    /// The most that may happen at once.
    public let capacity: Double
    /// How many more may happen after each second.
    public let perSecond: Double
    private var level: Double
    private var filledAt: Instant

    /// A full bucket.
    /// - Parameters:
    ///   - capacity: at least 1, or nothing is ever allowed.
    ///   - perSecond: more than 0.
    public init(capacity: Double, perSecond: Double) {
        self.capacity = capacity
        self.perSecond = perSecond
        level = capacity
        filledAt = Instant(nanoseconds: 0)
    }

    /// Whether it may happen at `now`.
    public func isAllowed(_ now: Instant) -> Bool { level(now) >= 1 }

    /// Takes one, if it may happen at `now`. Returns whether it may.
    public mutating func take(_ now: Instant) -> Bool {
        let level = level(now)
        guard level >= 1 else { return false }
        self.level = level - 1
        filledAt = max(filledAt, now)
        return true
    }

    private func level(_ now: Instant) -> Double { min(capacity, level + (now - filledAt).seconds * perSecond) }
}
