internal import Generation
internal import Synchronization

/// Limits the memory that vendors' responses in progress use, over all calls and loops.
package final class AnswerBudget: Sendable {
    /// The budget of the process: `CallBudget.processBytes`.
    package static let process = AnswerBudget(limit: CallBudget.processBytes)

    private let limit: Int
    private let total = Atomic<Int>(0)

    /// - Parameter limit: in bytes.
    init(limit: Int) { self.limit = limit }

    /// The bytes in use, in steps of 16 KiB per response.
    var bytes: Int { total.load(ordering: .relaxed) }

    /// One response's part of a budget. Its deinitializer returns what it still holds.
    struct Share: ~Copyable {
        /// The granularity in bytes. Most responses are smaller and never touch the shared counter.
        private static let step = 16 << 10

        private let budget: AnswerBudget
        private var held = 0

        init(_ budget: AnswerBudget) { self.budget = budget }

        deinit { budget.total.wrappingSubtract(held, ordering: .relaxed) }

        /// Sets the number of bytes in use.
        /// - Throws: `.overloaded` if the number has grown and the budget is exceeded.
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

        /// Returns everything to the budget; called at the end of the response.
        mutating func giveBack() {
            budget.total.wrappingSubtract(held, ordering: .relaxed)
            held = 0
        }
    }
}
