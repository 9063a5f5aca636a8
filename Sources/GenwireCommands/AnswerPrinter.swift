internal import Generation
internal import GenwireClient
internal import Glibc
internal import JSON
internal import Messages

/// Prints answers, whole or as they come.
struct AnswerPrinter {
    let json: Bool
    private var endsWithLineFeed = true

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

    /// Prints one piece; returns it as an element of the whole message.
    mutating func piece(_ chunk: StreamedChunk, _ message: inout Message) {
        if json { Output.line(JSONForms.chunk(chunk)) }
        switch chunk.content {
        case .event(.text(let text)):
            message.content += text
            if !json { write(text) }
        case .event(.reasoning(let text)):
            message.reasoning += text
            if !json { Output.errorLine(Output.dim(text, on: STDERR_FILENO)) }
        case .event(.toolCall(let delta)):
            if message.toolCalls.count <= delta.index {
                message.toolCalls.append(ToolCall(id: delta.id, name: delta.name, argumentsJSON: ""))
                if !json {
                    finishLine()
                    write("-> \(delta.name)(")
                }
            }
            message.toolCalls[delta.index].argumentsJSON += delta.argumentsJSONDelta
            message.toolCalls[delta.index].providerState += delta.providerState
            if !json { write(delta.argumentsJSONDelta) }
        case .completed(let completion, _):
            message.providerState = completion.providerState
            if !json {
                if !message.toolCalls.isEmpty { write(")") }
                finishLine()
                summary(completion)
            }
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
