internal import Generation
internal import GenwireClient
internal import Glibc
internal import JSON
internal import Messages

/// Prints answers, whole or as they come.
struct AnswerPrinter {
    let json: Bool
    private var builder = MessageBuilder()
    private var endsWithLineFeed = true
    private var isThinking = false

    /// What was printed so far, as the assistant's message.
    var message: Message { builder.message }

    init(json: Bool) { self.json = json }

    func whole(_ response: ChatResponse) {
        if json { return Output.line(JSONForms.response(response)) }
        if !response.message.reasoning.isEmpty {
            Output.errorLine(Output.dim(response.message.reasoning, on: STDERR_FILENO))
        }
        if !response.message.content.isEmpty { Output.line(response.message.content) }
        for call in response.message.toolCalls { Output.line("-> \(call.name)(\(call.argumentsJSON))") }
        summary(response.completion)
    }

    /// Prints one piece of a streamed answer.
    mutating func piece(_ chunk: StreamedChunk) {
        if json { Output.line(JSONForms.chunk(chunk)) }
        let callCount = message.toolCalls.count
        switch chunk.content {
        case .event(let event):
            builder.add(event)
            if !json { show(event, isNewCall: message.toolCalls.count > callCount, isFirstCall: callCount == 0) }
        case .completed(let completion, _):
            _ = builder.finish(completion)
            guard !json else { return }
            if !message.toolCalls.isEmpty { write(")") }
            finishLine()
            summary(completion)
        }
    }

    private mutating func show(_ event: ChunkEvent, isNewCall: Bool, isFirstCall: Bool) {
        // Thoughts go to standard error; what follows them begins a line of its own there.
        if case .reasoning = event {} else if isThinking { Output.errorLine("") }
        isThinking = if case .reasoning = event { true } else { false }
        switch event {
        case .text(let text): write(text)
        case .reasoning(let text): Output.error(Output.dim(text, on: STDERR_FILENO))
        case .toolCall(let delta):
            if isNewCall {
                if !isFirstCall { write(")") }
                finishLine()
                write("-> \(delta.name)(")
            }
            write(delta.argumentsJSONDelta)
        }
    }

    /// Ends a line that an error left half done.
    mutating func finishLine() {
        if !endsWithLineFeed { write("\n") }
    }

    private mutating func write(_ text: String) {
        Output.write(text)
        if let last = text.utf8.last { endsWithLineFeed = last == 0x0A }
    }

    /// One line about the answer, for people.
    private func summary(_ completion: Completion) {
        for warning in completion.warnings { Output.errorLine("note: \(warning)") }
        guard isatty(STDERR_FILENO) == 1 else { return }
        var words = "\(completion.provider) \(completion.model)"
        if completion.usage.source != .absent {
            words += " · \(completion.usage.inputTokens) + \(completion.usage.outputTokens) tokens"
        }
        words += " · first content \(completion.timing.firstTokenMicroseconds / 1000) ms"
        words += ", all \(completion.timing.totalMicroseconds / 1000) ms"
        if completion.finishReason != .stop { words += " · \(JSONForms.name(completion.finishReason))" }
        Output.errorLine(Output.dim(words, on: STDERR_FILENO))
    }
}
