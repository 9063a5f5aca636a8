/// Assembles the pieces of a streamed response into the assistant's message, ready to be appended to the conversation.
public struct MessageBuilder: Sendable {
    /// The message as received so far.
    public private(set) var message = Message(role: .assistant)

    /// Starts with an empty assistant message.
    public init() {}

    /// Appends a piece. Pieces must be added in the order of the stream.
    public mutating func add(_ event: ChunkEvent) {
        switch event {
        case .text(let text): message.content += text
        case .reasoning(let text): message.reasoning += text
        case .toolCall(let delta):
            // Indexes have no gaps; a piece with a larger index starts the next call.
            if delta.index >= message.toolCalls.count {
                message.toolCalls.append(ToolCall(id: delta.id, name: delta.name, argumentsJSON: ""))
            }
            let index = min(max(0, delta.index), message.toolCalls.count - 1)
            message.toolCalls[index].argumentsJSON += delta.argumentsJSONDelta
            if !delta.providerState.isEmpty { message.toolCalls[index].providerState = delta.providerState }
        case .part(let part): message.parts.append(part)
        }
    }

    /// Adds what only the end of the stream contains (`providerState`), and returns the message.
    public mutating func finish(_ completion: AnswerTrailer) -> Message {
        message.providerState = completion.providerState
        return message
    }
}
