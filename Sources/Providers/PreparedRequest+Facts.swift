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

    /// Leaves out the beginning of the answer for a model that takes none. A message with the vendor's own state is
    /// not one: it can be a turn that the vendor paused.
    /// - Throws: `.unsupported` unless with `drop_unsupported`.
    mutating func checkPrefill() throws(GenerationError) {
        guard !facts.prefill else { return }
        func isAnswer(_ message: Message) -> Bool {
            message.role == .assistant && message.toolCalls.isEmpty && message.providerState.isEmpty
        }
        let last = messages.lastIndex { $0.role != .system && !isAnswer($0) } ?? -1
        let end = messages[(last + 1)...]
        guard end.contains(where: { isAnswer($0) && $0.hasContent }) else { return }
        try leaveOut("an assistant message at the end", isAsked: true, "with this model") { request in
            request.messages = request.messages[...last] + end.filter { $0.role == .system }
        }
    }

    /// Leaves out what this request cannot have: silently where nobody asked for it.
    /// - Throws: `.unsupported` unless with `drop_unsupported`.
    mutating func leaveOut(
        _ what: String, isAsked: Bool, _ why: String, drop: (inout PreparedRequest) -> Void
    ) throws(GenerationError) {
        guard isAsked else { return drop(&self) }
        guard options.dropUnsupported else {
            throw GenerationError(
                .unsupported,
                "\(providerName) does not support \(what) \(why); leave it out, or set options.drop_unsupported")
        }
        drop(&self)
        warn("dropped \(what): \(providerName) does not support it \(why)")
    }

    /// Moves the limit of the response's length into what the model accepts.
    /// - Parameters:
    ///   - asked: the caller's options.
    ///   - least: the API's least limit.
    mutating func settleLimit(_ asked: GenerationOptions, least: Int) {
        guard let limit = options.maxTokens else { return }
        let usable = max(least, min(limit, facts.maxOutputTokens ?? limit))
        options.maxTokens = usable
        if asked.maxTokens != nil { replace("options.max_tokens", "\(limit)", by: "\(usable)") }
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
            } else if budget > 0, reasoning.acceptsBudget {
                let usable = reasoning.clamped(budget)
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
            try leaveOut("options.top_p", isAsked: true, "together with options.temperature with this model") {
                $0.options.topP = nil
            }
        }
    }
}
