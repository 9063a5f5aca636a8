internal import CGenwireProto
internal import CProtobufC
package import Generation

extension Message: MappedValue {
    static var empty: Message { Message(role: .assistant) }

    static func initialise(_ wire: UnsafeMutablePointer<Gw__Message>) { gw__message__init(wire) }

    static func map<P: FieldPass>(
        _ pass: P, _ wire: UnsafeMutablePointer<Gw__Message>, _ value: inout Message
    ) throws(P.Failure) {
        try pass.choice(
            &wire.pointee.role, &value.role,
            problem: "messages.role is missing or unknown; use ROLE_SYSTEM, ROLE_USER, ROLE_ASSISTANT or ROLE_TOOL")
        try pass.text(&wire.pointee.content, &value.content, "messages.content")
        try pass.list(&wire.pointee.n_parts, &wire.pointee.parts, &value.parts)
        try pass.list(&wire.pointee.n_tool_calls, &wire.pointee.tool_calls, &value.toolCalls)
        try pass.text(
            &wire.pointee.tool_call_id, &value.toolCallID, "messages.tool_call_id", atMost: RequestBounds.id)
        try pass.text(&wire.pointee.name, &value.name, "messages.name", atMost: RequestBounds.name)
        try pass.text(&wire.pointee.reasoning, &value.reasoning, "messages.reasoning")
        pass.bytes(&wire.pointee.provider_state, &value.providerState)
        pass.flag(&wire.pointee.is_error, &value.isError)
    }
}

extension FieldPass {
    /// Maps the messages of a request; their number is checked before any of them is decoded.
    func conversation(
        _ count: inout Int, _ wire: inout UnsafeMutablePointer<UnsafeMutablePointer<Gw__Message>?>?,
        _ messages: inout [Message]
    ) throws(Failure) {
        try check { () throws(MessageError) in
            try RequestBounds.check(count, of: "messages", atMost: RequestBounds.messages)
            var (parts, calls) = (0, 0)
            for message in UnsafeBufferPointer(start: wire, count: wire == nil ? 0 : count) {
                parts += message?.pointee.n_parts ?? 0
                try RequestBounds.check(parts, of: "messages.parts", atMost: RequestBounds.parts)
                calls += message?.pointee.n_tool_calls ?? 0
                try RequestBounds.check(calls, of: "messages.tool_calls", atMost: RequestBounds.toolCalls)
            }
        }
        try list(&count, &wire, &messages)
    }
}

extension Role: WireEnum {
    var wire: Gw__Role {
        switch self {
        case .system: GW__ROLE__ROLE_SYSTEM
        case .user: GW__ROLE__ROLE_USER
        case .assistant: GW__ROLE__ROLE_ASSISTANT
        case .tool: GW__ROLE__ROLE_TOOL
        }
    }
}

extension ToolCall: MappedValue {
    static var empty: ToolCall { ToolCall(id: "", name: "", argumentsJSON: "") }

    static func initialise(_ wire: UnsafeMutablePointer<Gw__ToolCall>) { gw__tool_call__init(wire) }

    static func map<P: FieldPass>(
        _ pass: P, _ wire: UnsafeMutablePointer<Gw__ToolCall>, _ value: inout ToolCall
    ) throws(P.Failure) {
        try pass.text(&wire.pointee.id, &value.id, "tool_calls.id", atMost: RequestBounds.id)
        try pass.text(&wire.pointee.name, &value.name, "tool_calls.name", atMost: RequestBounds.name)
        try pass.text(&wire.pointee.arguments_json, &value.argumentsJSON, "tool_calls.arguments_json")
        pass.bytes(&wire.pointee.provider_state, &value.providerState)
    }
}

extension MessageCoder {
    /// Describes to `visitor` the fields of a `ToolCall`.
    package func describe(_ call: ToolCall, to visitor: inout some MessageVisitor) {
        describe(fieldsOf: call, to: &visitor)
    }
}
