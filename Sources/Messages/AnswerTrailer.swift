internal import CGenwireProto
internal import CProtobufC
package import Generation

/// The messages that end a response. Each has every field of `AnswerTrailer` under the same name, except the provider's
/// state, which an unstreamed response has in its message.
protocol AnswerTrailerWire {
    var id: ProtobufCBinaryData { get set }
    var model: ProtobufCBinaryData { get set }
    var provider: ProtobufCBinaryData { get set }
    var finish_reason: Gw__FinishReason { get set }
    var raw_finish_reason: ProtobufCBinaryData { get set }
    var usage: UnsafeMutablePointer<Gw__Usage>! { get set }
    var timing: UnsafeMutablePointer<Gw__Timing>! { get set }
    var n_attempts: Int { get set }
    var attempts: UnsafeMutablePointer<UnsafeMutablePointer<Gw__Attempt>?>! { get set }
    var cache: UnsafeMutablePointer<Gw__CacheInfo>! { get set }
    var provider_request_id: ProtobufCBinaryData { get set }
    var n_warnings: Int { get set }
    var warnings: UnsafeMutablePointer<ProtobufCBinaryData>! { get set }
    var n_citations: Int { get set }
    var citations: UnsafeMutablePointer<UnsafeMutablePointer<Gw__Citation>?>! { get set }
    var extra_json: ProtobufCBinaryData { get set }
}

extension Gw__ChatResponse: AnswerTrailerWire {}
extension Gw__GenerateResponse: AnswerTrailerWire {}
extension Gw__Completed: AnswerTrailerWire {}

extension FieldPass {
    /// Maps the fields of an `AnswerTrailer` in any message that has them.
    func completion<W: AnswerTrailerWire>(_ wire: UnsafeMutablePointer<W>, _ value: inout AnswerTrailer) throws(Failure)
    {
        try text(&wire.pointee.id, &value.id, "id")
        try text(&wire.pointee.model, &value.model, "model")
        try text(&wire.pointee.provider, &value.provider, "provider")
        choice(&wire.pointee.finish_reason, &value.finishReason, unknown: .other)
        try text(&wire.pointee.raw_finish_reason, &value.rawFinishReason, "raw_finish_reason")
        try message(&wire.pointee.usage, &value.usage)
        try message(&wire.pointee.timing, &value.timing)
        try list(&wire.pointee.n_attempts, &wire.pointee.attempts, &value.attempts)
        try message(&wire.pointee.cache, &value.cache, absent: CacheInfo())
        try text(&wire.pointee.provider_request_id, &value.providerRequestID, "provider_request_id")
        try texts(&wire.pointee.n_warnings, &wire.pointee.warnings, &value.warnings, "warnings")
        try list(&wire.pointee.n_citations, &wire.pointee.citations, &value.citations)
        try text(&wire.pointee.extra_json, &value.extraJSON, "extra_json")
    }
}

extension FinishReason: WireEnum {
    var wire: Gw__FinishReason {
        switch self {
        case .stop: GW__FINISH_REASON__FINISH_STOP
        case .length: GW__FINISH_REASON__FINISH_LENGTH
        case .toolCalls: GW__FINISH_REASON__FINISH_TOOL_CALLS
        case .contentFilter: GW__FINISH_REASON__FINISH_CONTENT_FILTER
        case .refusal: GW__FINISH_REASON__FINISH_REFUSAL
        case .other: GW__FINISH_REASON__FINISH_OTHER
        }
    }
}

extension FinishReason {
    /// The name in the contract, for example `FINISH_STOP`.
    package var contractName: String {
        MessageFields.name(Int32(truncatingIfNeeded: wire.rawValue), in: gw__finish_reason__descriptor) ?? ""
    }
}

extension Usage: MappedValue {
    static var empty: Usage { Usage() }

    static func initialise(_ wire: UnsafeMutablePointer<Gw__Usage>) { gw__usage__init(wire) }

    static func map<P: FieldPass>(
        _ pass: P, _ wire: UnsafeMutablePointer<Gw__Usage>, _ value: inout Usage
    ) throws(P.Failure) {
        pass.number(&wire.pointee.input_tokens, &value.inputTokens)
        pass.number(&wire.pointee.output_tokens, &value.outputTokens)
        pass.number(&wire.pointee.total_tokens, &value.totalTokens)
        pass.number(&wire.pointee.cached_input_tokens, &value.cachedInputTokens)
        pass.number(&wire.pointee.reasoning_tokens, &value.reasoningTokens)
        pass.choice(&wire.pointee.source, &value.source, unknown: .absent)
        pass.number(&wire.pointee.cache_write_input_tokens, &value.cacheWriteInputTokens)
    }
}

extension Usage.Source: WireEnum {
    var wire: Gw__Usage__Source {
        switch self {
        case .absent: GW__USAGE__SOURCE__ABSENT
        case .provider: GW__USAGE__SOURCE__PROVIDER
        case .estimated: GW__USAGE__SOURCE__ESTIMATED
        }
    }
}

extension Timing: MappedValue {
    static var empty: Timing { Timing() }

    static func initialise(_ wire: UnsafeMutablePointer<Gw__Timing>) { gw__timing__init(wire) }

    static func map<P: FieldPass>(
        _ pass: P, _ wire: UnsafeMutablePointer<Gw__Timing>, _ value: inout Timing
    ) throws(P.Failure) {
        pass.number(&wire.pointee.queue_us, &value.queueMicroseconds)
        pass.number(&wire.pointee.auth_us, &value.authMicroseconds)
        pass.number(&wire.pointee.connect_us, &value.connectMicroseconds)
        pass.number(&wire.pointee.first_token_us, &value.firstTokenMicroseconds)
        pass.number(&wire.pointee.total_us, &value.totalMicroseconds)
        pass.number(&wire.pointee.gateway_us, &value.gatewayMicroseconds)
    }
}

extension Attempt: MappedValue {
    static var empty: Attempt { Attempt(model: "", provider: "", status: 0, error: "", durationMicroseconds: 0) }

    static func initialise(_ wire: UnsafeMutablePointer<Gw__Attempt>) { gw__attempt__init(wire) }

    static func map<P: FieldPass>(
        _ pass: P, _ wire: UnsafeMutablePointer<Gw__Attempt>, _ value: inout Attempt
    ) throws(P.Failure) {
        try pass.text(&wire.pointee.model, &value.model, "attempts.model")
        try pass.text(&wire.pointee.provider, &value.provider, "attempts.provider")
        pass.number(&wire.pointee.status, &value.status)
        try pass.text(&wire.pointee.error, &value.error, "attempts.error")
        pass.number(&wire.pointee.duration_us, &value.durationMicroseconds)
    }
}

extension CacheInfo: MappedValue {
    static var empty: CacheInfo { CacheInfo() }

    static func initialise(_ wire: UnsafeMutablePointer<Gw__CacheInfo>) { gw__cache_info__init(wire) }

    static func map<P: FieldPass>(
        _ pass: P, _ wire: UnsafeMutablePointer<Gw__CacheInfo>, _ value: inout CacheInfo
    ) throws(P.Failure) {
        pass.flag(&wire.pointee.hit, &value.hit)
        pass.number(&wire.pointee.age_seconds, &value.ageSeconds)
        try pass.text(&wire.pointee.key, &value.key, "cache.key")
    }
}

extension Citation: MappedValue {
    static var empty: Citation { Citation() }

    static func initialise(_ wire: UnsafeMutablePointer<Gw__Citation>) { gw__citation__init(wire) }

    static func map<P: FieldPass>(
        _ pass: P, _ wire: UnsafeMutablePointer<Gw__Citation>, _ value: inout Citation
    ) throws(P.Failure) {
        try pass.text(&wire.pointee.document_id, &value.documentID, "citations.document_id")
        try pass.text(&wire.pointee.url, &value.url, "citations.url")
        try pass.text(&wire.pointee.title, &value.title, "citations.title")
        try pass.text(&wire.pointee.quote, &value.quote, "citations.quote")
        pass.number(&wire.pointee.start, &value.start)
        pass.number(&wire.pointee.end, &value.end)
    }
}
