/// A rate limiter: allows a burst of `capacity` operations, then `perSecond`. A value without a clock.
package struct TokenBucket: Sendable {
    /// The maximum burst.
    package let capacity: Double
    /// The refill rate per second.
    package let perSecond: Double
    private var level: Double
    private var filledAt: Instant

    /// Creates a full bucket.
    /// - Parameters:
    ///   - capacity: at least 1; otherwise nothing is ever allowed.
    ///   - perSecond: greater than 0.
    package init(capacity: Double, perSecond: Double) {
        self.capacity = capacity
        self.perSecond = perSecond
        level = capacity
        filledAt = Instant(nanoseconds: 0)
    }

    /// Whether an operation is allowed at `now`.
    package func isAllowed(_ now: Instant) -> Bool { level(now) >= 1 }

    /// Consumes one operation if it is allowed at `now`. Returns whether it is.
    package mutating func take(_ now: Instant) -> Bool {
        let level = level(now)
        guard level >= 1 else { return false }
        self.level = level - 1
        filledAt = max(filledAt, now)
        return true
    }

    private func level(_ now: Instant) -> Double { min(capacity, level + (now - filledAt).seconds * perSecond) }
}
