internal import EventLoop
internal import Generation

/// Keeps questions about credentials rare: a burst of five a model, then one a second; in between the last answer
/// stands. They cost nothing, but a vendor counts them all the same.
final class ProbeLimiter: Sendable {
    private struct State {
        var allowance = ProbeLimiter.burst
        var countedAt: UInt64 = 0
        var last: Result<Void, GenerationError>?
    }

    private static let burst = 5.0
    private static let perSecond = 1.0

    private let state = Locked(State())

    /// The last answer where it is too early to ask again; `nil` where one may ask.
    func lastAnswer(now: UInt64 = EventLoop.monotonicNanoseconds()) -> Result<Void, GenerationError>? {
        state.withLock { state in
            let seconds = Double(now - min(now, state.countedAt)) / 1e9
            state.allowance = min(Self.burst, state.allowance + seconds * Self.perSecond)
            state.countedAt = now
            if state.allowance < 1, let last = state.last { return last }
            state.allowance = max(0, state.allowance - 1)
            return nil
        }
    }

    /// Notes an answer.
    func record(_ error: GenerationError?) {
        state.withLock { $0.last = error.map { .failure($0) } ?? .success(()) }
    }
}
