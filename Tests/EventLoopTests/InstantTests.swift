import EventLoop
import Testing

@Suite struct InstantTests {
    @Test func arithmeticSaturates() {
        let instant = Instant(nanoseconds: 100)
        #expect(instant + .nanoseconds(20) == Instant(nanoseconds: 120))
        #expect(instant + TimeAmount(nanoseconds: .max) == .never)
        #expect(instant - Instant(nanoseconds: 70) == .nanoseconds(30))
        #expect(Instant(nanoseconds: 70) - instant == .zero)
        #expect(TimeAmount(nanoseconds: .max) + .seconds(1) == TimeAmount(nanoseconds: .max))
        #expect(TimeAmount.seconds(1) * .max == TimeAmount(nanoseconds: .max))
        #expect(TimeAmount.milliseconds(.max) == TimeAmount(nanoseconds: .max))
        #expect(instant < .never && Instant.now() < .never)
    }

    @Test func unitsConvertBothWays() {
        #expect(TimeAmount.milliseconds(1500) == .seconds(1.5))
        let amount = TimeAmount.nanoseconds(2_345_678_901)
        #expect(amount.microseconds == 2_345_678 && amount.milliseconds == 2345)
        #expect(TimeAmount.seconds(0.25).seconds == 0.25)
        for none in [0, -1, -Double.infinity, Double.nan] { #expect(TimeAmount.seconds(none) == .zero) }
        for endless in [1e11, Double.infinity] { #expect(TimeAmount.seconds(endless).nanoseconds == .max) }
    }

    @Test func theClockGoesForward() {
        let first = Instant.now()
        #expect(Instant.now() >= first)
    }
}

@Suite struct TokenBucketTests {
    private func at(_ seconds: Double) -> Instant { Instant(nanoseconds: 0) + .seconds(1000 + seconds) }

    @Test func aBurstAndThenSoManyPerSecond() {
        var bucket = TokenBucket(capacity: 3, perSecond: 2)
        let burst = (0..<5).map { _ in bucket.take(at(0)) }
        #expect(burst == [true, true, true, false, false])
        let refilled = [0.25, 0.5, 0.5].map { bucket.take(at($0)) }
        #expect(refilled == [false, true, false])
        // An idle period of any length refills at most the burst.
        let later = (0..<5).map { _ in bucket.take(at(1000)) }
        #expect(later == [true, true, true, false, false])
    }

    @Test func askingTakesNothing() {
        var bucket = TokenBucket(capacity: 1, perSecond: 0.1)
        for _ in 0..<5 { #expect(bucket.isAllowed(at(0))) }
        let taken = bucket.take(at(0))
        #expect(taken && !bucket.isAllowed(at(9)) && bucket.isAllowed(at(10)))
    }

    /// Loops read their clocks at different times, so an earlier one may come late.
    @Test func anEarlierInstantGivesNothingTwice() {
        var bucket = TokenBucket(capacity: 1, perSecond: 1)
        let taken = [5, 1, 5.5, 6].map { bucket.take(at($0)) }
        #expect(taken == [true, false, false, true])
    }
}
