internal import EventLoop
internal import Generation

/// Keeps questions about a model's credential rare: there is one at a time, whose answer goes to everybody who asks
/// meanwhile; a burst of five, then one a second; in between the last answer stands. They cost nothing, but a vendor
/// counts them all the same. Shared by all loops.
final class ProbeLimiter: Sendable {
    /// What a provider said of a credential.
    typealias Answer = Result<Void, GenerationError>

    /// Waits for an answer. Belongs to one loop.
    final class Waiter {
        private let completion: (Answer) -> Void

        init(_ completion: @escaping (Answer) -> Void) { self.completion = completion }

        fileprivate func finish(_ answer: Answer) { completion(answer) }
    }

    /// What a waiter gets.
    enum Turn {
        /// The last answer, at once: it is too early to ask again.
        case answered(Answer)
        /// The answer of the question in progress, later. The place is for `leave`.
        case waits(place: UInt64)
        /// The same, and the caller is to ask the question, and to call `finish` whatever comes of it.
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

    /// What `waiter` gets. Unless it is answered at once, it is finished on its loop, and never before this returns.
    func enter(_ waiter: LoopBound<Waiter>, now: UInt64 = EventLoop.monotonicNanoseconds()) -> Turn {
        state.withLock { state in
            let now = Instant(nanoseconds: now)
            if !state.isAsking, !state.questions.isAllowed(now), let last = state.last { return .answered(last) }
            let place = state.nextPlace
            state.nextPlace += 1
            state.waiters[place] = waiter
            guard !state.isAsking else { return .waits(place: place) }
            // Without an answer to give instead it is asked all the same.
            _ = state.questions.take(now)
            state.isAsking = true
            return .asks(place: place)
        }
    }

    /// Stops waiting. The question goes on, also when nobody waits any more: whoever asks next gets its answer, so that
    /// asking and leaving in turns makes no questions.
    func leave(_ place: UInt64) { state.withLock { $0.waiters[place] = nil } }

    /// Takes the answer of the question in progress to all who wait for it.
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
