internal import Generation

/// What depends on more than one option, or on a model's numbers.
extension PreparedRequest {
    /// Leaves the choice to a model that cannot be told to call a tool.
    /// - Throws: `.unsupported` unless with `drop_unsupported`.
    mutating func checkForcedTools() throws(GenerationError) {
        guard !tools.isEmpty, !facts.forcedTools, let toolChoice, toolChoice != .auto, toolChoice != ToolChoice.none
        else { return }
        guard options.dropUnsupported else {
            throw GenerationError(
                .unsupported,
                "\(providerName) does not support a tool_choice that requires a call with this model; use AUTO, or set "
                    + "options.drop_unsupported")
        }
        self.toolChoice = .auto
        warn("tool_choice: AUTO replaces it, since \(providerName) cannot force a call with this model")
    }

    /// Leaves out the thinking blocks of earlier responses, which the vendor refused.
    mutating func leaveOutThinking() {
        leavesOutThinking = true
        warn("the thinking of earlier responses is left out: \(providerName) refused it")
    }

    /// Replaces an effort or budget that the model does not take by the nearest that it takes.
    mutating func settleReasoning(_ reasoning: ModelFacts.Reasoning) {
        typealias Effort = ModelFacts.Reasoning.Effort
        let isBudgeted = reasoning.control == .budget
        if let budget = options.reasoning.budgetTokens {
            if isBudgeted {
                let isOff = budget == 0 && !reasoning.isAlwaysOn
                let usable = isOff ? 0 : reasoning.clamped(budget)
                replace("options.reasoning.budget_tokens", "\(budget)", by: "\(usable)")
                options.reasoning.budgetTokens = usable
            } else if budget == 0 {
                // No tokens for reasoning: what other models call no effort.
                options.reasoning.budgetTokens = nil
                options.reasoning.effort = Effort.none.rawValue
            } else if budget == -1, reasoning.control == .level {
                options.reasoning.budgetTokens = nil
            }
        }
        guard !isBudgeted, let wanted = Effort(rawValue: options.reasoning.effort) else { return }
        // Claude has words of its own for no thinking.
        if wanted == .none, reasoning.control == .adaptive, reasoning.off != nil { return }
        let usable = reasoning.nearest(to: wanted).rawValue
        replace("options.reasoning.effort", wanted.rawValue, by: usable)
        options.reasoning.effort = usable
    }

    private mutating func replace(_ field: String, _ wanted: String, by usable: String) {
        guard wanted != usable else { return }
        warn("\(field): \(usable) replaces \(wanted), which this model does not take")
    }

    /// What the vendor refuses in this request: some models take sampling parameters only where they do not reason.
    func refused(of api: ModelAPI) -> Capabilities {
        guard facts.sampling == .withoutReasoning, facts.temperature else { return api.likelyUnsupported }
        let asked = ModelFacts.Reasoning.Effort(rawValue: options.reasoning.effort)
        let sampling = Capabilities([.temperature, .topP]).intersection(api.capabilities)
        return facts.acceptsSampling(effort: asked ?? facts.reasoning.defaultEffort)
            ? api.likelyUnsupported.subtracting(sampling) : api.likelyUnsupported.union(sampling)
    }

    /// Leaves one of temperature and top_p for a model that does not take both: the caller's own, else temperature.
    /// - Parameter asked: the caller's options.
    /// - Throws: `.unsupported` where the caller sets both, unless with `drop_unsupported`.
    mutating func settleSampling(_ asked: GenerationOptions) throws(GenerationError) {
        guard !facts.temperatureWithTopP, options.temperature != nil, options.topP != nil else { return }
        switch (asked.temperature, asked.topP) {
        case (nil, .some): options.temperature = nil
        case (_, nil): options.topP = nil
        case (.some, .some):
            guard options.dropUnsupported else {
                throw GenerationError(
                    .unsupported,
                    "\(providerName) does not support options.temperature together with options.top_p with this "
                        + "model; leave one out, or set options.drop_unsupported")
            }
            options.topP = nil
            warn("dropped options.top_p: \(providerName) does not support it together with options.temperature")
        }
    }
}
