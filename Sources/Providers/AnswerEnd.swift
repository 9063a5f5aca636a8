internal import Generation

/// How an answer ended, by the vendor's own word for it.
struct AnswerEnd {
    /// What the word means, leaving calls aside.
    let reason: FinishReason
    /// Whether the model came to its end: then all of its calls are whole.
    let isGood: Bool

    /// - Parameter isGood: `false` where the vendor says that the answer is broken without a reason of ours.
    init(_ reason: FinishReason, isGood: Bool = true) {
        self.reason = reason
        switch reason {
        case .length, .contentFilter, .refusal: self.isGood = false
        case .stop, .toolCalls, .other: self.isGood = isGood
        }
    }

    /// Where calls that were cut off go.
    enum Form {
        /// What was delivered stays delivered.
        case stream
        /// They are left out.
        case whole
    }

    /// Completes `completion` by the answer's calls, and delivers what is left of them.
    /// - Returns: the indexes of calls that are to be left out.
    func close(
        _ completion: inout Completion, _ calls: inout ToolCallAssembler, _ form: Form,
        _ deliver: (ChunkEvent) -> Void
    ) -> Set<Int> {
        completion.finishReason = reason
        guard !isGood else {
            for piece in calls.finish() { deliver(.toolCall(piece)) }
            // Not every vendor has a word of its own for it.
            if calls.count > 0 { completion.finishReason = .toolCalls }
            return []
        }
        let (pieces, cut) = calls.finishCutShort()
        for piece in pieces { deliver(.toolCall(piece)) }
        for call in cut.prefix(Self.maximumWarnings) { completion.warnings.append(warning(call, form)) }
        return form == .whole ? Set(cut.compactMap(\.index)) : []
    }

    private func warning(_ call: ToolCallAssembler.CutCall, _ form: Form) -> String {
        let cause =
            switch reason {
            case .length: "the token limit"
            case .contentFilter: "the provider's filter"
            case .refusal: "the model's refusal"
            case .stop, .toolCalls, .other: "the end of the answer"
            }
        let name = call.name.isEmpty ? "a tool call" : "the tool call '\(call.name.truncated(toBytes: 100))'"
        let remedy = reason == .length ? "; raise options.max_tokens" : ""
        return form == .whole || call.index == nil
            ? "\(name) was cut off by \(cause) and is left out\(remedy)"
            : "\(name) was cut off by \(cause): its arguments are not complete\(remedy)"
    }

    /// One is the rule.
    private static let maximumWarnings = 8
}

extension Completion {
    /// What an answer in progress keeps here, in bytes; it has a warning or two, all of them ours.
    var keptBytes: Int { id.utf8.count + model.utf8.count + rawFinishReason.utf8.count }
}

extension Message {
    /// Leaves out the calls at `indexes`.
    mutating func leaveOutCalls(_ indexes: Set<Int>) {
        guard !indexes.isEmpty else { return }
        toolCalls = toolCalls.enumerated().filter { !indexes.contains($0.offset) }.map(\.element)
    }
}
