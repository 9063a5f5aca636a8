extension ModelFacts {
    /// How a model's reasoning is controlled.
    package struct Reasoning: Sendable, Equatable {
        /// What controls it.
        package enum Control: String, Sendable, CaseIterable {
            /// Nothing: the model does not reason, or does not say how.
            case none
            /// A word: OpenAI's `reasoning_effort`.
            case effort
            /// A number of tokens: Gemini's `thinkingBudget`, Claude's `budget_tokens`.
            case budget
            /// A level: Gemini's `thinkingLevel`.
            case level
            /// Claude's adaptive thinking, with an effort.
            case adaptive
        }

        /// What switches Claude's thinking off.
        package enum Off: String, Sendable, CaseIterable {
            /// Leaving `thinking` out.
            case omitted
            /// `{"type":"disabled"}`.
            case disabled
            /// `{"type":"between_tools"}`: it thinks only between tool calls.
            case betweenTools = "between_tools"
        }

        /// How strongly a model should reason, as callers say it, weakest first.
        package enum Effort: String, Sendable, CaseIterable, Comparable {
            case none, minimal, low, medium, high, xhigh, max

            package static func < (left: Effort, right: Effort) -> Bool { left.position < right.position }
            private var position: Int { Self.allCases.firstIndex(of: self) ?? 0 }
        }

        /// What controls it.
        package var control = Control.none
        /// The efforts that the vendor accepts, weakest first. Empty for all.
        package var efforts: [Effort] = []
        /// The vendor's words for efforts, where they differ from ours.
        package var words: [Effort: String] = [:]
        /// The effort of a request that names none; `nil` if unknown.
        package var defaultEffort: Effort?
        /// Whether it cannot be switched off.
        package var isAlwaysOn = false
        /// What switches it off, at Claude; `nil` if nothing does.
        package var off: Off? = .omitted
        /// The budgets that it accepts, in tokens.
        package var budgets = 0...Int(Int32.max)
        /// Whether an adaptive model also accepts a budget.
        package var acceptsBudget = false

        /// Whether the model reasons.
        package var isPossible: Bool { control != .none }

        /// The effort to ask for instead of `wanted`: itself where the vendor accepts it, else the nearest one, for
        /// efforts up to medium the next stronger one first, for others the next weaker one. `none` replaces nothing.
        package func nearest(to wanted: Effort) -> Effort {
            guard !efforts.isEmpty, !efforts.contains(wanted) else { return wanted }
            let usable = efforts.filter { $0 != .none }
            let stronger = usable.first { $0 > wanted }
            let weaker = usable.last { $0 < wanted }
            return (wanted <= .medium ? stronger ?? weaker : weaker ?? stronger) ?? wanted
        }

        /// The vendor's word for an effort.
        package func word(for effort: Effort) -> String { words[effort] ?? effort.rawValue }

        /// `budget` moved into the range that the vendor accepts. -1, which leaves it to the model, stays.
        package func clamped(_ budget: Int) -> Int {
            budget == -1 ? budget : Swift.min(Swift.max(budget, budgets.lowerBound), budgets.upperBound)
        }
    }
}
