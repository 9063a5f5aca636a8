internal import EventLoop
internal import Generation

/// Keeps questions about credentials rare: one at a time per model, whose answer everybody gets who asks meanwhile; a
/// burst of five, then one a second; in between the last answer stands. They cost nothing, but a vendor counts them all
/// the same. Shared by all loops.
final class ProbeLimiter: Sendable {
    /// What a provider said of a credential.
    typealias Answer = Result<Void, GenerationError>

    /// Somebody who waits for an answer. Belongs to the loop that it waits on.
    final class Waiter {
        private var completion: ((Answer) -> Void)?

        init(_ completion: @escaping (Answer) -> Void) { self.completion = completion }

        /// Stops waiting; the completion is not called any more.
        func cancel() { completion = nil }

        fileprivate func finish(_ answer: Answer) {
            let completion = completion
            self.completion = nil
            completion?(answer)
        }
    }

    /// What somebody who asks gets.
    enum Turn {
        /// It is too early to ask again: the last answer.
        case answered(Answer)
        /// The answer of the question that is on its way. The number stands for the place in the line.
        case waits(Int)
        /// The same, and it is for the caller to ask the question.
        case asks(Int)
    }

    private struct State {
        var allowance = ProbeLimiter.burst
        var countedAt: UInt64 = 0
        var last: Answer?
        /// Those who wait for the question on its way.
        var waiters: [Int: LoopBound<Waiter>] = [:]
        var nextPlace = 0
        /// Counts the questions, so that the late answer of one that was given up is not taken for another's.
        var question = 0
        /// Gives up the question on its way; `nil` while there is none, or before it can be given up.
        var giveUp: (@Sendable () -> Void)?
        var isAsking = false
    }

    private static let burst = 5.0
    private static let perSecond = 1.0

    private let state = Locked(State())

    /// Where `waiter` gets its answer from: called on its loop later, unless the answer is returned.
    func enter(_ waiter: LoopBound<Waiter>, now: UInt64 = EventLoop.monotonicNanoseconds()) -> Turn {
        state.withLock { state in
            func wait() -> Int {
                defer { state.nextPlace += 1 }
                state.waiters[state.nextPlace] = waiter
                return state.nextPlace
            }
            if state.isAsking { return .waits(wait()) }
            let seconds = Double(now - min(now, state.countedAt)) / 1e9
            state.allowance = min(Self.burst, state.allowance + seconds * Self.perSecond)
            state.countedAt = now
            if state.allowance < 1, let last = state.last { return .answered(last) }
            state.allowance = max(0, state.allowance - 1)
            state.isAsking = true
            state.question += 1
            return .asks(wait())
        }
    }
}
