internal import CGenwireProto
internal import CProtobufC
public import Generation

/// An `EmbedRequest`.
struct EmbedCall: MappedValue {
    var request: EmbedRequest
    var call: CallFields

    static var empty: EmbedCall { EmbedCall(request: EmbedRequest(inputs: []), call: CallFields()) }

    static func initialise(_ wire: UnsafeMutablePointer<Gw__EmbedRequest>) { gw__embed_request__init(wire) }

    static func map<P: FieldPass>(
        _ pass: P, _ wire: UnsafeMutablePointer<Gw__EmbedRequest>, _ value: inout EmbedCall
    ) throws(P.Failure) {
        try pass.text(&wire.pointee.model, &value.request.model, "model", atMost: RequestBounds.name)
        try pass.texts(
            &wire.pointee.n_inputs, &wire.pointee.inputs, &value.request.inputs, "inputs", atMost: .max,
            count: RequestBounds.inputs)
        pass.optional(
            &wire.pointee.dimensions_opt_case, GW__EMBED_REQUEST__DIMENSIONS_OPT_DIMENSIONS,
            &wire.pointee.dimensions, &value.request.dimensions)
        try pass.text(
            &wire.pointee.input_type, &value.request.inputType, "input_type", atMost: RequestBounds.name)
        pass.flag(&wire.pointee.drop_unsupported, &value.request.dropUnsupported)
        try pass.call(&wire.pointee.call_id, &wire.pointee.deadline_ms, &value.call)
    }
}

extension EmbedResponse: MappedValue {
    static var empty: EmbedResponse { EmbedResponse() }

    static func initialise(_ wire: UnsafeMutablePointer<Gw__EmbedResponse>) { gw__embed_response__init(wire) }

    static func map<P: FieldPass>(
        _ pass: P, _ wire: UnsafeMutablePointer<Gw__EmbedResponse>, _ value: inout EmbedResponse
    ) throws(P.Failure) {
        try pass.text(&wire.pointee.model, &value.model, "model")
        try pass.text(&wire.pointee.provider, &value.provider, "provider")
        try pass.list(&wire.pointee.n_embeddings, &wire.pointee.embeddings, &value.embeddings)
        try pass.message(&wire.pointee.usage, &value.usage)
        try pass.message(&wire.pointee.timing, &value.timing)
        try pass.list(&wire.pointee.n_attempts, &wire.pointee.attempts, &value.attempts)
        try pass.text(&wire.pointee.provider_request_id, &value.providerRequestID, "provider_request_id")
        try pass.texts(&wire.pointee.n_warnings, &wire.pointee.warnings, &value.warnings, "warnings")
    }
}

/// An `Embedding`: the components of one vector.
extension [Float]: WireValue, MappedValue {
    static var empty: [Float] { [] }

    static func initialise(_ wire: UnsafeMutablePointer<Gw__Embedding>) { gw__embedding__init(wire) }

    static func map<P: FieldPass>(
        _ pass: P, _ wire: UnsafeMutablePointer<Gw__Embedding>, _ value: inout [Float]
    ) throws(P.Failure) {
        pass.numbers(&wire.pointee.n_values, &wire.pointee.values, &value)
    }
}

extension MessageCoder {
    /// Decodes an `EmbedRequest`.
    /// - Throws: `MessageError` if the bytes are malformed, contain text that is not UTF-8, or exceed a limit of
    ///   `RequestBounds`.
    public func embedRequest(
        _ bytes: UnsafeRawBufferPointer
    ) throws(MessageError) -> (request: EmbedRequest, call: CallFields) {
        let call = try read(EmbedCall.self, bytes)
        return (call.request, call.call)
    }

    /// Encodes an `EmbedRequest`.
    public func encode(_ request: EmbedRequest, call: CallFields = CallFields()) -> [UInt8] {
        bytes(EmbedCall(request: request, call: call))
    }

    /// Decodes an `EmbedResponse`.
    /// - Throws: `MessageError` if the bytes are malformed.
    public func embedResponse(_ bytes: UnsafeRawBufferPointer) throws(MessageError) -> EmbedResponse {
        try read(EmbedResponse.self, bytes)
    }

    /// Encodes an `EmbedResponse`.
    public func encode<R>(_ response: EmbedResponse, into body: PackedMessage<R>) -> R { pack(response, body) }

    /// Describes to `visitor` the fields of an `EmbedResponse`.
    package func describe(_ response: EmbedResponse, to visitor: inout some MessageVisitor) {
        describe(fieldsOf: response, to: &visitor)
    }
}
