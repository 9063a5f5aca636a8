internal import Generation
internal import Synchronization

/// Counts what is kept of the vendors' answers in progress, over all calls and loops.
public final class AnswerBudget: Sendable {
    /// Everybody's.
    public static let process = AnswerBudget(limit: CallBudget.processBytes)

    private let limit: Int
    private let total = Atomic<Int>(0)

    /// A budget of `limit` bytes.
    init(limit: Int) { self.limit = limit }

    /// The sum now.
    var bytes: Int { total.load(ordering: .relaxed) }

    /// One answer's part of a budget. What it holds goes back at the latest with itself.
    struct Share: ~Copyable {
        /// What is counted at a time, in bytes: small answers, which are the rule, share no counter.
        private static let step = 16 << 10

        private let budget: AnswerBudget
        private var held = 0

        init(_ budget: AnswerBudget) { self.budget = budget }

        deinit { budget.total.wrappingSubtract(held, ordering: .relaxed) }

        /// Says how many bytes are kept now.
        /// - Throws: `.overloaded` where it is more than before, and more than there is for all calls.
        mutating func hold(_ bytes: Int) throws(GenerationError) {
            let more = bytes / Self.step * Self.step - held
            guard more != 0 else { return }
            let sum = budget.total.wrappingAdd(more, ordering: .relaxed).newValue
            held += more
            guard more > 0, sum > budget.limit else { return }
            giveBack()
            throw GenerationError(
                .overloaded,
                "the responses in progress of all calls exceed \(budget.limit) bytes; try again later")
        }

        /// The answer is over.
        mutating func giveBack() {
            budget.total.wrappingSubtract(held, ordering: .relaxed)
            held = 0
        }
    }
}
