internal import CGenwireProto
internal import CProtobufC
public import Generation

/// The fields of a request that control the call: its id and its deadline.
public struct CallFields: Sendable, Equatable {
    /// The id that `Control.Cancel` refers to, chosen by the caller; empty for none.
    public var callID = ""
    /// Maximum duration of the call in milliseconds, from the arrival of the request; 0 for no limit.
    public var deadlineMilliseconds: UInt64 = 0

    /// Creates the fields; by default without an id and a deadline.
    public init() {}
}

extension FieldPass {
    /// Maps the fields of `CallFields`.
    func call(
        _ id: inout ProtobufCBinaryData, _ deadline: inout UInt64, _ call: inout CallFields
    ) throws(Failure) {
        try text(&id, &call.callID, "call_id", atMost: RequestBounds.name)
        number(&deadline, &call.deadlineMilliseconds)
    }
}

/// A `ChatRequest`.
struct ChatCall: MappedValue {
    var request: ChatRequest
    var call: CallFields

    static var empty: ChatCall { ChatCall(request: ChatRequest(messages: []), call: CallFields()) }

    static func initialise(_ wire: UnsafeMutablePointer<Gw__ChatRequest>) { gw__chat_request__init(wire) }

    static func map<P: FieldPass>(
        _ pass: P, _ wire: UnsafeMutablePointer<Gw__ChatRequest>, _ value: inout ChatCall
    ) throws(P.Failure) {
        try pass.text(&wire.pointee.model, &value.request.model, "model", atMost: RequestBounds.name)
        try pass.conversation(&wire.pointee.n_messages, &wire.pointee.messages, &value.request.messages)
        try pass.tools(&wire.pointee.n_tools, &wire.pointee.tools, &value.request.tools)
        try pass.message(&wire.pointee.tool_choice, &value.request.toolChoice)
        try pass.message(&wire.pointee.options, &value.request.options, absent: GenerationOptions())
        try pass.call(&wire.pointee.call_id, &wire.pointee.deadline_ms, &value.call)
    }
}

/// A `GenerateRequest`.
struct GenerateCall: MappedValue {
    var model: String
    var prompt: String
    var system: String
    var options: GenerationOptions
    var call: CallFields

    static var empty: GenerateCall {
        GenerateCall(model: "", prompt: "", system: "", options: GenerationOptions(), call: CallFields())
    }

    static func initialise(_ wire: UnsafeMutablePointer<Gw__GenerateRequest>) { gw__generate_request__init(wire) }

    static func map<P: FieldPass>(
        _ pass: P, _ wire: UnsafeMutablePointer<Gw__GenerateRequest>, _ value: inout GenerateCall
    ) throws(P.Failure) {
        try pass.text(&wire.pointee.model, &value.model, "model", atMost: RequestBounds.name)
        try pass.text(&wire.pointee.prompt, &value.prompt, "prompt")
        try pass.text(&wire.pointee.system, &value.system, "system")
        try pass.message(&wire.pointee.options, &value.options, absent: GenerationOptions())
        try pass.call(&wire.pointee.call_id, &wire.pointee.deadline_ms, &value.call)
    }

    /// The equivalent chat: the system text, if any, and the prompt as a user message.
    var request: ChatRequest {
        var messages: [Message] = []
        if !system.isEmpty { messages.append(Message(role: .system, content: system)) }
        messages.append(Message(role: .user, content: prompt))
        return ChatRequest(model: model, messages: messages, options: options)
    }
}

extension MessageCoder {
    /// Decodes a `ChatRequest`.
    /// - Throws: `MessageError` if the bytes are malformed, contain text that is not UTF-8, or exceed a limit of
    ///   `RequestBounds`.
    public func chatRequest(
        _ bytes: UnsafeRawBufferPointer
    ) throws(MessageError) -> (request: ChatRequest, call: CallFields) {
        let call = try read(ChatCall.self, bytes)
        return (call.request, call.call)
    }

    /// Encodes a `ChatRequest`.
    public func encode(_ request: ChatRequest, call: CallFields = CallFields()) -> [UInt8] {
        bytes(ChatCall(request: request, call: call))
    }

    /// Decodes a `GenerateRequest` as the equivalent chat.
    /// - Throws: `MessageError`, as `chatRequest`.
    public func generateRequest(
        _ bytes: UnsafeRawBufferPointer
    ) throws(MessageError) -> (request: ChatRequest, call: CallFields) {
        let call = try read(GenerateCall.self, bytes)
        return (call.request, call.call)
    }

    /// Encodes a `GenerateRequest`.
    public func encodeGenerate(
        model: String, prompt: String, system: String = "", options: GenerationOptions, call: CallFields = CallFields()
    ) -> [UInt8] {
        bytes(GenerateCall(model: model, prompt: prompt, system: system, options: options, call: call))
    }
}
