internal import Generation

/// How an answer ended, by the vendor's own word for it.
struct AnswerEnd {
    /// What the word means, leaving calls aside.
    let reason: FinishReason
    /// What the word says about the calls.
    let standing: Standing

    /// What a vendor's word for the end says about an answer's calls.
    enum Standing {
        /// The model came to its end: they are whole, and the answer is one for their sake.
        case good
        /// Nothing, as a word that nobody knows or none at all: they are the answer where each looks whole.
        case unknown
        /// The answer broke off: they are not the answer, and may be cut off.
        case broken
    }

    /// - Parameter isBroken: the vendor says that the answer broke off, without a reason of ours.
    init(_ reason: FinishReason, isBroken: Bool = false) {
        self.reason = reason
        standing =
            switch reason {
            case .length, .contentFilter, .refusal: .broken
            case .stop, .toolCalls: .good
            case .other: isBroken ? .broken : .unknown
            }
    }

    /// Whether all calls are whole, whatever they look like.
    var isGood: Bool { standing == .good }

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
        // Not every vendor has a word of its own for it.
        let isForCalls = standing != .broken && calls.count > 0
        guard !isGood else {
            for piece in calls.finish() { deliver(.toolCall(piece)) }
            if isForCalls { completion.finishReason = .toolCalls }
            return []
        }
        let (pieces, cut) = calls.finishCutShort()
        if isForCalls, cut.isEmpty { completion.finishReason = .toolCalls }
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
            case .stop, .toolCalls, .other: "the end of the response"
            }
        let name = call.name.isEmpty ? "a tool call" : "the tool call '\(call.name.truncated(toBytes: 100))'"
        let remedy = reason == .length ? "; raise options.max_tokens" : ""
        return form == .whole || call.index == nil
            ? "\(name) was truncated by \(cause) and is omitted\(remedy)"
            : "\(name) was truncated by \(cause): its arguments are not complete\(remedy)"
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
