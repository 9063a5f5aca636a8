internal import CGenwireProto
internal import CProtobufC
public import Generation

/// An `ErrorDetail`. The error's message is not part of it: the enclosing status has it.
extension GenerationError: MappedValue {
    static var empty: GenerationError { GenerationError(.invalidRequest, "") }

    static func initialise(_ wire: UnsafeMutablePointer<Gw__ErrorDetail>) { gw__error_detail__init(wire) }

    static func map<P: FieldPass>(
        _ pass: P, _ wire: UnsafeMutablePointer<Gw__ErrorDetail>, _ value: inout GenerationError
    ) throws(P.Failure) {
        try pass.word(&wire.pointee.kind, &value.kind, "kind")
        try pass.text(&wire.pointee.provider, &value.provider, "provider")
        try pass.text(&wire.pointee.model, &value.model, "model")
        pass.number(&wire.pointee.http_status, &value.httpStatus)
        try pass.text(&wire.pointee.provider_code, &value.providerCode, "provider_code")
        pass.number(&wire.pointee.retry_after_ms, zeroAsNil: &value.retryAfterMilliseconds)
        pass.flag(&wire.pointee.retryable, &value.isRetryable)
        try pass.list(&wire.pointee.n_attempts, &wire.pointee.attempts, &value.attempts)
        try pass.word(&wire.pointee.timeout_phase, &value.timeoutPhase, "timeout_phase")
    }
}

extension MessageCoder {
    /// Decodes an `ErrorDetail` and combines it with the message of the status that contained it.
    /// - Throws: `MessageError` if the bytes are malformed or this release does not know the error's kind.
    public func generationError(_ bytes: UnsafeRawBufferPointer, message text: String) throws(MessageError)
        -> GenerationError
    {
        var error = try read(GenerationError.self, bytes)
        error.message = text
        return error
    }

    /// Encodes an `ErrorDetail`.
    public func encode(_ error: GenerationError) -> [UInt8] { bytes(error) }

    /// Describes to `visitor` the fields of an `ErrorDetail`.
    package func describe(_ error: GenerationError, to visitor: inout some MessageVisitor) {
        describe(fieldsOf: error, to: &visitor)
    }
}
