/// Joins the pieces of a streamed answer into the assistant's message, ready to be appended to the conversation.
public struct MessageBuilder: Sendable {
    /// The message so far.
    public private(set) var message = Message(role: .assistant)

    /// An empty message.
    public init() {}

    /// Adds a piece.
    public mutating func add(_ event: ChunkEvent) {
        switch event {
        case .text(let text): message.content += text
        case .reasoning(let text): message.reasoning += text
        case .toolCall(let delta):
            // The contract has indexes without gaps; anything else belongs to the newest call.
            if delta.index >= message.toolCalls.count {
                message.toolCalls.append(ToolCall(id: delta.id, name: delta.name, argumentsJSON: ""))
            }
            let index = min(max(0, delta.index), message.toolCalls.count - 1)
            message.toolCalls[index].argumentsJSON += delta.argumentsJSONDelta
            if !delta.providerState.isEmpty { message.toolCalls[index].providerState = delta.providerState }
        }
    }

    /// Takes over what only the end of the stream tells, and returns the message.
    public mutating func finish(_ completion: Completion) -> Message {
        message.providerState = completion.providerState
        return message
    }
}
