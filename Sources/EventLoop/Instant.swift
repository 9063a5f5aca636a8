internal import CLinux

/// A point in time on CLOCK_MONOTONIC, in nanoseconds. Arithmetic saturates: adding never overflows, and the time since
/// a later instant is zero.
package struct Instant: Sendable, Hashable, Comparable {
    /// The clock's value in nanoseconds. It is meaningful only until the machine reboots.
    package let nanoseconds: UInt64

    /// Creates the instant at a value of the clock.
    @inlinable
    package init(nanoseconds: UInt64) { self.nanoseconds = nanoseconds }

    /// Reads the clock. Safe from any thread; on a loop `EventLoop.now` costs less.
    package static func now() -> Instant { Instant(nanoseconds: gw_monotonic_ns()) }

    /// The zero of the clock: earlier than any value it returns.
    package static let boot = Instant(nanoseconds: 0)

    /// Later than any value the clock will reach.
    package static let never = Instant(nanoseconds: .max)

    /// Whether `left` is earlier than `right`.
    @inlinable
    package static func < (left: Instant, right: Instant) -> Bool { left.nanoseconds < right.nanoseconds }

    /// The instant `amount` later; `never` on overflow.
    @inlinable
    package static func + (instant: Instant, amount: TimeAmount) -> Instant {
        let (sum, overflow) = instant.nanoseconds.addingReportingOverflow(amount.nanoseconds)
        return Instant(nanoseconds: overflow ? .max : sum)
    }

    /// The time elapsed since `earlier`; zero if `earlier` is later.
    @inlinable
    package static func - (later: Instant, earlier: Instant) -> TimeAmount {
        TimeAmount(nanoseconds: later.nanoseconds - min(later.nanoseconds, earlier.nanoseconds))
    }
}

/// A non-negative duration in nanoseconds, at most 584 years. Larger values saturate.
///
/// Unlike the standard library's `Duration`, it is 64 bits wide and never negative.
package struct TimeAmount: Sendable, Hashable, Comparable {
    /// The duration in nanoseconds.
    package let nanoseconds: UInt64

    /// A duration in nanoseconds.
    @inlinable
    package init(nanoseconds: UInt64) { self.nanoseconds = nanoseconds }

    /// The duration of zero nanoseconds.
    package static let zero = TimeAmount(nanoseconds: 0)

    /// A duration in nanoseconds.
    @inlinable
    package static func nanoseconds(_ count: UInt64) -> TimeAmount { TimeAmount(nanoseconds: count) }

    /// A duration in microseconds.
    @inlinable
    package static func microseconds(_ count: UInt64) -> TimeAmount { scaled(count, 1000) }

    /// A duration in milliseconds.
    @inlinable
    package static func milliseconds(_ count: UInt64) -> TimeAmount { scaled(count, 1_000_000) }

    /// A duration in seconds; zero for a negative number or NaN.
    @inlinable
    package static func seconds(_ count: Double) -> TimeAmount {
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
    package var microseconds: Int64 { Int64(nanoseconds / 1000) }
    /// Whole milliseconds, rounded down.
    package var milliseconds: Int64 { Int64(nanoseconds / 1_000_000) }
    /// Seconds, with their fraction.
    package var seconds: Double { Double(nanoseconds) / 1e9 }

    /// Whether `left` is shorter than `right`.
    @inlinable
    package static func < (left: TimeAmount, right: TimeAmount) -> Bool { left.nanoseconds < right.nanoseconds }

    /// The sum; saturates.
    @inlinable
    package static func + (left: TimeAmount, right: TimeAmount) -> TimeAmount {
        let (sum, overflow) = left.nanoseconds.addingReportingOverflow(right.nanoseconds)
        return TimeAmount(nanoseconds: overflow ? .max : sum)
    }

    /// The difference; zero if `right` is longer.
    @inlinable
    package static func - (left: TimeAmount, right: TimeAmount) -> TimeAmount {
        TimeAmount(nanoseconds: left.nanoseconds - min(left.nanoseconds, right.nanoseconds))
    }

    /// The product; saturates.
    @inlinable
    package static func * (amount: TimeAmount, count: UInt64) -> TimeAmount { scaled(amount.nanoseconds, count) }
}
