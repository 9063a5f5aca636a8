internal import Generation

/// How a response ended, according to the vendor's finish reason.
struct AnswerEnd {
    /// The finish reason, not considering tool calls.
    let reason: FinishReason
    /// What it implies for the tool calls.
    let standing: Standing

    /// What a vendor's finish reason implies for the tool calls of the response.
    enum Standing {
        /// The model finished: the calls are complete, and the finish reason becomes `.toolCalls`.
        case good
        /// An unknown or missing reason: the finish reason becomes `.toolCalls` if every call looks complete.
        case unknown
        /// The response was truncated or stopped: the calls may be incomplete, and the finish reason stays.
        case broken
    }

    /// - Parameter isBroken: the vendor reports a failure that has no finish reason in the API.
    init(_ reason: FinishReason, isBroken: Bool = false) {
        self.reason = reason
        standing =
            switch reason {
            case .length, .contentFilter, .refusal: .broken
            case .stop, .toolCalls: .good
            case .other: isBroken ? .broken : .unknown
            }
    }

    /// Whether all calls are complete, without looking at their arguments.
    var isGood: Bool { standing == .good }

    /// What happens to truncated calls.
    enum Form {
        /// They stay, since they were delivered already.
        case stream
        /// They are removed from the response.
        case whole
    }

    /// Sets the finish reason and the warnings of `completion`, and delivers the remaining pieces of the calls.
    /// - Returns: the indexes of the calls to remove from the message.
    func close(
        _ completion: inout AnswerTrailer, _ calls: inout ToolCallAssembler, _ form: Form,
        _ deliver: (ChunkEvent) -> Void
    ) -> Set<Int> {
        completion.finishReason = reason
        // Not every vendor has a finish reason for tool calls.
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

    /// Usually there is at most one truncated call.
    private static let maximumWarnings = 8
}

extension AnswerTrailer {
    /// The memory used here, in bytes. Warnings do not count: they are few and written by Genwire.
    var keptBytes: Int { id.utf8.count + model.utf8.count + rawFinishReason.utf8.count }
}

extension Message {
    /// Removes the calls at `indexes`.
    mutating func leaveOutCalls(_ indexes: Set<Int>) {
        guard !indexes.isEmpty else { return }
        toolCalls = toolCalls.enumerated().filter { !indexes.contains($0.offset) }.map(\.element)
    }
}
