/// A point on CLOCK_MONOTONIC, as nanoseconds. Arithmetic saturates: no sum is ever before its parts, and the time since a
/// later instant is zero.
public struct Instant: Sendable, Hashable, Comparable {
    /// The clock's reading. It has no meaning outside this boot of this machine.
    public let nanoseconds: UInt64

    /// The instant at a reading of the clock.
    @inlinable
    public init(nanoseconds: UInt64) { self.nanoseconds = nanoseconds }

    /// Reads the clock. Safe from any thread; on a loop `EventLoop.now` costs less.
    public static func now() -> Instant { Instant(nanoseconds: EventLoop.monotonicNanoseconds()) }

    /// Later than any instant that the clock will show.
    public static let never = Instant(nanoseconds: .max)

    /// The order in time.
    @inlinable
    public static func < (left: Instant, right: Instant) -> Bool { left.nanoseconds < right.nanoseconds }

    /// The instant `amount` later; `never` where that is beyond the clock.
    @inlinable
    public static func + (instant: Instant, amount: TimeAmount) -> Instant {
        let (sum, overflow) = instant.nanoseconds.addingReportingOverflow(amount.nanoseconds)
        return Instant(nanoseconds: overflow ? .max : sum)
    }

    /// How long after `earlier` it is; zero where it is before.
    @inlinable
    public static func - (later: Instant, earlier: Instant) -> TimeAmount {
        TimeAmount(nanoseconds: later.nanoseconds - min(later.nanoseconds, earlier.nanoseconds))
    }
}

/// A length of time, never negative, in nanoseconds: up to 584 years. What does not fit is as good as for ever.
///
/// Not the standard library's `Duration`, which counts attoseconds in 128 bits and may be negative.
public struct TimeAmount: Sendable, Hashable, Comparable {
    /// The whole length in nanoseconds.
    public let nanoseconds: UInt64

    /// So many nanoseconds.
    @inlinable
    public init(nanoseconds: UInt64) { self.nanoseconds = nanoseconds }

    /// No time.
    public static let zero = TimeAmount(nanoseconds: 0)

    /// So many nanoseconds.
    @inlinable
    public static func nanoseconds(_ count: UInt64) -> TimeAmount { TimeAmount(nanoseconds: count) }

    /// So many milliseconds.
    @inlinable
    public static func milliseconds(_ count: UInt64) -> TimeAmount { scaled(count, 1_000_000) }

    /// So many seconds; zero for a negative number or none.
    @inlinable
    public static func seconds(_ count: Double) -> TimeAmount {
        guard count > 0 else { return .zero }
        // 2^64 ns are 18,446,744,073.7 s.
        return count < 18_446_744_073 ? TimeAmount(nanoseconds: UInt64(count * 1e9)) : TimeAmount(nanoseconds: .max)
    }

    @usableFromInline
    static func scaled(_ count: UInt64, _ factor: UInt64) -> TimeAmount {
        let (product, overflow) = count.multipliedReportingOverflow(by: factor)
        return TimeAmount(nanoseconds: overflow ? .max : product)
    }

    /// Whole microseconds, rounded down.
    public var microseconds: Int64 { Int64(nanoseconds / 1000) }
    /// Whole milliseconds, rounded down.
    public var milliseconds: Int64 { Int64(nanoseconds / 1_000_000) }
    /// Seconds, with their fraction.
    public var seconds: Double { Double(nanoseconds) / 1e9 }

    /// The shorter one comes first.
    @inlinable
    public static func < (left: TimeAmount, right: TimeAmount) -> Bool { left.nanoseconds < right.nanoseconds }

    /// Both together.
    @inlinable
    public static func + (left: TimeAmount, right: TimeAmount) -> TimeAmount {
        let (sum, overflow) = left.nanoseconds.addingReportingOverflow(right.nanoseconds)
        return TimeAmount(nanoseconds: overflow ? .max : sum)
    }

    /// So many times as long.
    @inlinable
    public static func * (amount: TimeAmount, count: UInt64) -> TimeAmount { scaled(amount.nanoseconds, count) }
}
