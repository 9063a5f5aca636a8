internal import Generation

extension Claude {
    /// The thinking mode and the corresponding `max_tokens`.
    struct Thinking {
        enum Mode: Equatable {
            case off
            case disabled
            case betweenTools
            case adaptive
            case budget(Int)
        }

        /// The default `max_tokens` for a model with unknown limits, because the vendor requires the field.
        private static let standardMaxTokens = 4096

        private(set) var mode = Mode.off
        private(set) var effort: String?
        let maxTokens: Int

        init(_ options: GenerationOptions, _ facts: ModelFacts) throws(GenerationError) {
            let reasoning = facts.reasoning
            let wanted = options.reasoning
            maxTokens =
                options.maxTokens ?? facts.defaultMaxTokens ?? facts.maxOutputTokens ?? Self.standardMaxTokens
            if let budget = wanted.budgetTokens, budget > 0 {
                // A caller's own max_tokens is not raised: the vendor reports that the budget does not fit.
                mode = .budget(options.maxTokens == nil ? min(budget, maxTokens - 1) : budget)
            } else if wanted.budgetTokens == 0 || wanted.effort == "none" {
                switch reasoning.off {
                case .disabled: mode = .disabled
                case .betweenTools: mode = .betweenTools
                case .omitted, nil: break
                }
            } else if reasoning.control == .adaptive {
                guard !wanted.effort.isEmpty || wanted.include || wanted.budgetTokens == -1 else { return }
                mode = .adaptive
                if !wanted.effort.isEmpty { effort = wanted.effort }
            } else if !wanted.effort.isEmpty || wanted.budgetTokens == -1 {
                let least = reasoning.budgets.lowerBound
                guard maxTokens > least else {
                    throw GenerationError(
                        .invalidRequest,
                        "options.max_tokens is \(maxTokens); reasoning counts towards it, so this model needs "
                            + "more than \(least)")
                }
                mode = .budget(min(Self.budget(effort: wanted.effort), maxTokens - 1))
            }
        }

        /// The budget for an effort, on models that support only budgets.
        private static func budget(effort: String) -> Int {
            switch effort {
            case "minimal", "low": 2048
            case "high": 16384
            case "xhigh": 24576
            case "max": 32000
            default: 8192
            }
        }
    }
}
