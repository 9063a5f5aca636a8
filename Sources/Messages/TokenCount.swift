internal import CGenwireProto
internal import CProtobufC
public import Generation

/// A `CountTokensRequest`: a chat to count, and a text to count in addition.
struct TokenQuestion: MappedValue {
    var request: ChatRequest
    var text: String

    static var empty: TokenQuestion { TokenQuestion(request: ChatRequest(messages: []), text: "") }

    static func initialise(_ wire: UnsafeMutablePointer<Gw__CountTokensRequest>) {
        gw__count_tokens_request__init(wire)
    }

    static func map<P: FieldPass>(
        _ pass: P, _ wire: UnsafeMutablePointer<Gw__CountTokensRequest>, _ value: inout TokenQuestion
    ) throws(P.Failure) {
        try pass.text(&wire.pointee.model, &value.request.model, "model", atMost: RequestBounds.name)
        try pass.conversation(&wire.pointee.n_messages, &wire.pointee.messages, &value.request.messages)
        try pass.tools(&wire.pointee.n_tools, &wire.pointee.tools, &value.request.tools)
        try pass.text(&wire.pointee.text, &value.text, "text")
    }
}

/// A `CountTokensResponse`.
struct TokenCount: MappedValue {
    var tokens: Int
    var source: Usage.Source

    static var empty: TokenCount { TokenCount(tokens: 0, source: .absent) }

    static func initialise(_ wire: UnsafeMutablePointer<Gw__CountTokensResponse>) {
        gw__count_tokens_response__init(wire)
    }

    static func map<P: FieldPass>(
        _ pass: P, _ wire: UnsafeMutablePointer<Gw__CountTokensResponse>, _ value: inout TokenCount
    ) throws(P.Failure) {
        pass.number(&wire.pointee.input_tokens, &value.tokens)
        pass.choice(&wire.pointee.source, &value.source, unknown: .absent)
    }
}

extension MessageCoder {
    /// Decodes a `CountTokensRequest`: the chat and the text to count.
    /// - Throws: `MessageError` if the bytes are malformed.
    public func countTokensRequest(
        _ bytes: UnsafeRawBufferPointer
    ) throws(MessageError) -> (request: ChatRequest, text: String) {
        let question = try read(TokenQuestion.self, bytes)
        return (question.request, question.text)
    }

    /// Encodes a `CountTokensRequest` for one text.
    public func encodeCountTokensRequest(model: String, text: String) -> [UInt8] {
        bytes(TokenQuestion(request: ChatRequest(model: model, messages: []), text: text))
    }

    /// Decodes a `CountTokensResponse`.
    /// - Throws: `MessageError` if the bytes are malformed.
    public func tokenCount(
        _ bytes: UnsafeRawBufferPointer
    ) throws(MessageError) -> (tokens: Int, source: Usage.Source) {
        let count = try read(TokenCount.self, bytes)
        return (count.tokens, count.source)
    }

    /// Encodes a `CountTokensResponse`.
    public func encodeTokenCount<R>(_ tokens: Int, source: Usage.Source, into body: PackedMessage<R>) -> R {
        pack(TokenCount(tokens: tokens, source: source), body)
    }

    /// Describes to `visitor` the fields of a `CountTokensResponse`.
    package func describeTokenCount(
        _ tokens: Int, source: Usage.Source, to visitor: inout some MessageVisitor
    ) {
        describe(fieldsOf: TokenCount(tokens: tokens, source: source), to: &visitor)
    }
}
