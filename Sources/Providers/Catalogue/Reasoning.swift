extension ModelFacts {
    /// How a model's reasoning is controlled.
    package struct Reasoning: Sendable, Equatable {
        /// The means of control.
        package enum Control: String, Sendable, CaseIterable {
            /// Nothing: the model does not reason, or its reasoning cannot be controlled.
            case none
            /// An effort: OpenAI's `reasoning_effort`.
            case effort
            /// A number of tokens: Gemini's `thinkingBudget`, Claude's `budget_tokens`.
            case budget
            /// A level: Gemini's `thinkingLevel`.
            case level
            /// Claude's adaptive thinking, with an effort.
            case adaptive
        }

        /// How to disable Claude's thinking.
        package enum Off: String, Sendable, CaseIterable {
            /// By omitting `thinking`.
            case omitted
            /// With `{"type":"disabled"}`.
            case disabled
            /// With `{"type":"between_tools"}`, after which the model thinks only between tool calls.
            case betweenTools = "between_tools"
        }

        /// The efforts that callers can request, weakest first.
        package enum Effort: String, Sendable, CaseIterable, Comparable {
            case none, minimal, low, medium, high, xhigh, max

            package static func < (left: Effort, right: Effort) -> Bool { left.position < right.position }
            private var position: Int { Self.allCases.firstIndex(of: self) ?? 0 }
        }

        /// The means of control.
        package var control = Control.none
        /// The efforts that the vendor accepts, weakest first. Empty for all.
        package var efforts: [Effort] = []
        /// The efforts that chat completions accept, if fewer than those of the Responses API; otherwise empty.
        package var chatEfforts: [Effort] = []
        /// The vendor's names for efforts that differ from those of the contract.
        package var words: [Effort: String] = [:]
        /// The effort of a request without one; `nil` if unknown.
        package var defaultEffort: Effort?
        /// Whether reasoning cannot be disabled.
        package var isAlwaysOn = false
        /// How to disable thinking, for Claude; `nil` if it cannot be disabled.
        package var off: Off? = .omitted
        /// The range of accepted budgets, in tokens.
        package var budgets = 0...Int(Int32.max)
        /// Whether an adaptive model also accepts a budget.
        package var acceptsBudget = false

        /// The same through chat completions.
        package var inChat: Reasoning {
            var reasoning = self
            if !chatEfforts.isEmpty { reasoning.efforts = chatEfforts }
            return reasoning
        }

        /// Whether the model reasons.
        package var isPossible: Bool { control != .none }

        /// The effort to send instead of `wanted`: the same if the vendor accepts it, otherwise the nearest one. For
        /// efforts up to medium, the next stronger one is preferred, for others the next weaker one. `none` is never
        /// used as a replacement.
        package func nearest(to wanted: Effort) -> Effort {
            guard !efforts.isEmpty, !efforts.contains(wanted) else { return wanted }
            let usable = efforts.filter { $0 != .none }
            let stronger = usable.first { $0 > wanted }
            let weaker = usable.last { $0 < wanted }
            return (wanted <= .medium ? stronger ?? weaker : weaker ?? stronger) ?? wanted
        }

        /// The vendor's name for an effort.
        package func word(for effort: Effort) -> String { words[effort] ?? effort.rawValue }

        /// `budget` clamped to the range that the vendor accepts. -1, which lets the model decide, is unchanged.
        package func clamped(_ budget: Int) -> Int {
            budget == -1 ? budget : Swift.min(Swift.max(budget, budgets.lowerBound), budgets.upperBound)
        }
    }
}
