internal import Generation

extension Claude {
    /// The lowest `top_p` with thinking.
    private static let leastTopP = 0.95

    /// Thinking excludes sampling parameters and forced tools, and a budget needs the thinking that led to earlier
    /// calls (platform.claude.com, extended thinking).
    func settle(
        _ request: inout PreparedRequest, _ asked: GenerationOptions, for model: ConfiguredModel
    ) throws(GenerationError) {
        try settleHistory(&request, model)
        let thinking = try Thinking(request.options, model.facts)
        guard thinking.isOn else { return }
        if case .budget(let usable) = thinking.mode, let budget = request.options.reasoning.budgetTokens,
            budget > usable
        {
            request.warn(
                "options.reasoning.budget_tokens: \(usable) replaces \(budget), since reasoning counts towards "
                    + "max_tokens")
        }
        let why = "with this model while it thinks"
        if let temperature = request.options.temperature, temperature != 1 {
            try request.leaveOut("options.temperature", isAsked: asked.temperature != nil, why) {
                $0.options.temperature = nil
            }
        }
        if let topP = request.options.topP, topP < Self.leastTopP {
            try request.leaveOut("options.top_p", isAsked: asked.topP != nil, why) { $0.options.topP = nil }
        }
        if request.options.topK != nil {
            try request.leaveOut("options.top_k", isAsked: asked.topK != nil, why) { $0.options.topK = nil }
        }
        guard !request.tools.isEmpty, let choice = request.toolChoice, choice != .auto, choice != ToolChoice.none else {
            return
        }
        try request.leaveOut("a tool_choice that requires a call", isAsked: true, why) { $0.toolChoice = .auto }
    }

    /// Leaves out a budget where the last calls came without thinking: from another model, or from one that did not
    /// think.
    private func settleHistory(
        _ request: inout PreparedRequest, _ model: ConfiguredModel
    ) throws(GenerationError) {
        guard case .budget = try Thinking(request.options, model.facts).mode else { return }
        var encoder = RequestEncoder(model: model, host: host)
        guard try !encoder.beginsWithThinking(lastCallsOf: request) else { return }
        // The vendor refused that thinking just now: the caller cannot leave it out.
        try request.leaveOut(
            "options.reasoning", isAsked: !request.leavesOutThinking,
            "with this model after tool calls without its thinking (provider_state)"
        ) {
            $0.options.reasoning.effort = ""
            $0.options.reasoning.budgetTokens = nil
        }
    }

    /// The thinking mode, and the `max_tokens` that goes with it.
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
        /// Whether the model thinks, as far as the request says so.
        var isOn: Bool { mode != .off && mode != .disabled }
        let maxTokens: Int

        init(_ options: GenerationOptions, _ facts: ModelFacts) throws(GenerationError) {
            let reasoning = facts.reasoning
            let wanted = options.reasoning
            maxTokens =
                options.maxTokens ?? facts.defaultMaxTokens ?? facts.maxOutputTokens ?? Self.standardMaxTokens
            if let budget = wanted.budgetTokens, budget > 0 {
                mode = .budget(try Self.fitting(budget, maxTokens, reasoning))
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
                mode = .budget(try Self.fitting(Self.budget(effort: wanted.effort), maxTokens, reasoning))
            }
        }

        /// `budget`, or less where `maxTokens` needs it: the vendor wants room for an answer.
        private static func fitting(
            _ budget: Int, _ maxTokens: Int, _ reasoning: ModelFacts.Reasoning
        ) throws(GenerationError) -> Int {
            let least = reasoning.budgets.lowerBound
            guard maxTokens > max(least, 1) else {
                throw GenerationError(
                    .invalidRequest,
                    "options.max_tokens is \(maxTokens); reasoning counts towards it, so this model needs "
                        + "more than \(max(least, 1))")
            }
            return min(budget, maxTokens - 1)
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
