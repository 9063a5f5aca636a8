internal import EventLoop
internal import Generation

/// Rate-limits the probes of a model's credential: one at a time, whose result every concurrent caller gets; a burst of
/// five, then one per second. In between, callers get the last result. Probes are free, but they count towards the
/// vendor's rate limits. Shared by all loops.
final class ProbeLimiter: Sendable {
    /// The result of a probe.
    typealias Answer = Result<Void, GenerationError>

    /// Waits for a result. Confined to one loop.
    final class Waiter {
        private let completion: (Answer) -> Void

        init(_ completion: @escaping (Answer) -> Void) { self.completion = completion }

        fileprivate func finish(_ answer: Answer) { completion(answer) }
    }

    /// What a waiter gets.
    enum Turn {
        /// The last result: it is too early for another probe.
        case answered(Answer)
        /// The result of the probe in progress, later. `place` is the argument of `leave`.
        case waits(place: UInt64)
        /// The same; the caller must send the probe and call `finish` with its result.
        case asks(place: UInt64)
    }

    private struct State {
        var questions = TokenBucket(capacity: 5, perSecond: 1)
        var last: Answer?
        var isAsking = false
        var waiters: [UInt64: LoopBound<Waiter>] = [:]
        var nextPlace: UInt64 = 0
    }

    private let state = Locked(State())

    /// Adds `waiter`. Unless there is a result already, it is finished on its loop, never before this returns.
    func enter(_ waiter: LoopBound<Waiter>, now: Instant = .now()) -> Turn {
        state.withLock { state in
            if !state.isAsking, !state.questions.isAllowed(now), let last = state.last { return .answered(last) }
            let place = state.nextPlace
            state.nextPlace += 1
            state.waiters[place] = waiter
            guard !state.isAsking else { return .waits(place: place) }
            // Without a previous result, the probe is sent despite the rate limit.
            _ = state.questions.take(now)
            state.isAsking = true
            return .asks(place: place)
        }
    }

    /// Stops waiting. The probe continues even without waiters: the next caller gets its result, so that repeatedly
    /// entering and leaving starts no further probes.
    func leave(_ place: UInt64) { state.withLock { $0.waiters[place] = nil } }

    /// Delivers the result of the probe in progress to every waiter.
    func finish(_ answer: Answer) {
        let waiters = state.withLock { state in
            defer { state.waiters = [:] }
            state.isAsking = false
            state.last = answer
            return state.waiters
        }
        for waiter in waiters.values { waiter.loop.execute { waiter.value.finish(answer) } }
    }
}
