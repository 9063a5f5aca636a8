internal import CGenwireProto
internal import CProtobufC
public import Generation

extension ChatResponse: MappedValue {
    static var empty: ChatResponse { ChatResponse(message: .empty, completion: AnswerTrailer()) }

    static func initialise(_ wire: UnsafeMutablePointer<Gw__ChatResponse>) { gw__chat_response__init(wire) }

    static func map<P: FieldPass>(
        _ pass: P, _ wire: UnsafeMutablePointer<Gw__ChatResponse>, _ value: inout ChatResponse
    ) throws(P.Failure) {
        try pass.message(&wire.pointee.message, &value.message)
        try pass.completion(wire, &value.completion)
    }
}

/// A `GenerateResponse`: the text of a response without its other content.
struct GeneratedText: MappedValue {
    var text: String
    var completion: AnswerTrailer

    static var empty: GeneratedText { GeneratedText(text: "", completion: AnswerTrailer()) }

    static func initialise(_ wire: UnsafeMutablePointer<Gw__GenerateResponse>) { gw__generate_response__init(wire) }

    static func map<P: FieldPass>(
        _ pass: P, _ wire: UnsafeMutablePointer<Gw__GenerateResponse>, _ value: inout GeneratedText
    ) throws(P.Failure) {
        try pass.text(&wire.pointee.text, &value.text, "text")
        try pass.completion(wire, &value.completion)
    }

    /// Takes the text and the trailer from a chat response.
    init(_ response: ChatResponse) { self.init(text: response.message.content, completion: response.completion) }

    private init(text: String, completion: AnswerTrailer) {
        self.text = text
        self.completion = completion
    }

    /// The equivalent chat response.
    var response: ChatResponse {
        ChatResponse(message: Message(role: .assistant, content: text), completion: completion)
    }
}

extension MessageCoder {
    /// Decodes a `ChatResponse`.
    /// - Throws: `MessageError` if the bytes are malformed.
    public func chatResponse(_ bytes: UnsafeRawBufferPointer) throws(MessageError) -> ChatResponse {
        try read(ChatResponse.self, bytes)
    }

    /// Encodes a `ChatResponse`.
    public func encode<R>(_ response: ChatResponse, into body: PackedMessage<R>) -> R { pack(response, body) }

    /// Describes to `visitor` the fields of a `ChatResponse`.
    package func describe(_ response: ChatResponse, to visitor: inout some MessageVisitor) {
        describe(fieldsOf: response, to: &visitor)
    }

    /// Decodes a `GenerateResponse` as the equivalent chat response.
    /// - Throws: `MessageError` if the bytes are malformed.
    public func generateResponse(_ bytes: UnsafeRawBufferPointer) throws(MessageError) -> ChatResponse {
        try read(GeneratedText.self, bytes).response
    }

    /// Encodes a `GenerateResponse`: the response's text without its other content.
    public func encodeGenerate<R>(_ response: ChatResponse, into body: PackedMessage<R>) -> R {
        pack(GeneratedText(response), body)
    }

    /// Describes to `visitor` the fields of a `GenerateResponse`.
    package func describeGenerated(_ response: ChatResponse, to visitor: inout some MessageVisitor) {
        describe(fieldsOf: GeneratedText(response), to: &visitor)
    }
}
