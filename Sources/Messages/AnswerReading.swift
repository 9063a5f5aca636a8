internal import CGenwireProto
internal import CProtobufC
public import Generation

/// One message of a streamed answer, as a client reads it.
public struct StreamedChunk: Sendable, Equatable {
    /// What the message carries.
    public enum Content: Sendable, Equatable {
        /// A piece of the answer.
        case event(ChunkEvent)
        /// The good end, with how many chunks came before it.
        case completed(Completion, chunkCount: UInt64)
    }
    /// Its number, from 0 without gaps.
    public var seq: UInt64
    /// What it carries.
    public var content: Content
}

extension MessageCoder {
    /// Reads a `ChatResponse`.
    /// - Throws: `MessageError` where the bytes are not one.
    public func chatResponse(_ bytes: UnsafeRawBufferPointer) throws(MessageError) -> ChatResponse {
        guard let message = arena.unpack(bytes, with: { gw__chat_response__unpack($0, $1, $2) }) else {
            throw MessageError("the bytes are not a readable ChatResponse")
        }
        let raw = message.pointee
        var completion = Completion()
        completion.id = try raw.id.text("id")
        completion.model = try raw.model.text("model")
        completion.provider = try raw.provider.text("provider")
        completion.finishReason = Self.value(raw.finish_reason)
        completion.rawFinishReason = try raw.raw_finish_reason.text("raw_finish_reason")
        completion.usage = Self.read(raw.usage)
        completion.timing = Self.read(raw.timing)
        completion.attempts = try Self.read(raw.attempts, raw.n_attempts)
        completion.cache = try Self.read(raw.cache)
        completion.providerRequestID = try raw.provider_request_id.text("provider_request_id")
        completion.warnings = try Self.texts(raw.warnings, raw.n_warnings)
        let answer = try raw.message.map { pointer throws(MessageError) in try Self.read(pointer.pointee) }
        return ChatResponse(message: answer ?? Message(role: .assistant), completion: completion)
    }

    /// Reads a `GenerateResponse` as the answer that it stands for.
    /// - Throws: `MessageError` where the bytes are not one.
    public func generateResponse(_ bytes: UnsafeRawBufferPointer) throws(MessageError) -> ChatResponse {
        guard let message = arena.unpack(bytes, with: { gw__generate_response__unpack($0, $1, $2) }) else {
            throw MessageError("the bytes are not a readable GenerateResponse")
        }
        let raw = message.pointee
        var completion = Completion()
        completion.id = try raw.id.text("id")
        completion.model = try raw.model.text("model")
        completion.provider = try raw.provider.text("provider")
        completion.finishReason = Self.value(raw.finish_reason)
        completion.rawFinishReason = try raw.raw_finish_reason.text("raw_finish_reason")
        completion.usage = Self.read(raw.usage)
        completion.timing = Self.read(raw.timing)
        completion.attempts = try Self.read(raw.attempts, raw.n_attempts)
        completion.cache = try Self.read(raw.cache)
        completion.providerRequestID = try raw.provider_request_id.text("provider_request_id")
        completion.warnings = try Self.texts(raw.warnings, raw.n_warnings)
        return ChatResponse(
            message: Message(role: .assistant, content: try raw.text.text("text")), completion: completion)
    }

    /// Reads a `ChatChunk`.
    /// - Throws: `MessageError` where the bytes are not one.
    public func chatChunk(_ bytes: UnsafeRawBufferPointer) throws(MessageError) -> StreamedChunk {
        guard let message = arena.unpack(bytes, with: { gw__chat_chunk__unpack($0, $1, $2) }) else {
            throw MessageError("the bytes are not a readable ChatChunk")
        }
        let raw = message.pointee
        let content: StreamedChunk.Content
        switch raw.event_case {
        case GW__CHAT_CHUNK__EVENT_TEXT: content = .event(.text(try raw.text.text("text")))
        case GW__CHAT_CHUNK__EVENT_REASONING: content = .event(.reasoning(try raw.reasoning.text("reasoning")))
        case GW__CHAT_CHUNK__EVENT_TOOL_CALL:
            let delta = raw.tool_call.pointee
            content = .event(
                .toolCall(
                    ToolCallDelta(
                        index: Int(delta.index), id: try delta.id.text("tool_call.id"),
                        name: try delta.name.text("tool_call.name"),
                        argumentsJSONDelta: try delta.arguments_json_delta.text("tool_call.arguments_json_delta"),
                        providerState: delta.provider_state.array)))
        case GW__CHAT_CHUNK__EVENT_COMPLETED:
            let end = raw.completed.pointee
            var completion = Completion()
            completion.id = try end.id.text("id")
            completion.model = try end.model.text("model")
            completion.provider = try end.provider.text("provider")
            completion.finishReason = Self.value(end.finish_reason)
            completion.rawFinishReason = try end.raw_finish_reason.text("raw_finish_reason")
            completion.usage = Self.read(end.usage)
            completion.timing = Self.read(end.timing)
            completion.attempts = try Self.read(end.attempts, end.n_attempts)
            completion.cache = try Self.read(end.cache)
            completion.providerRequestID = try end.provider_request_id.text("provider_request_id")
            completion.warnings = try Self.texts(end.warnings, end.n_warnings)
            completion.providerState = end.provider_state.array
            content = .completed(completion, chunkCount: UInt64(end.chunk_count))
        default: throw MessageError("a chunk is empty")
        }
        return StreamedChunk(seq: raw.seq, content: content)
    }

    /// Reads an `ErrorDetail` and joins it with the status it came with.
    /// - Throws: `MessageError` where the bytes are not one.
    public func generationError(_ bytes: UnsafeRawBufferPointer, message text: String) throws(MessageError)
        -> GenerationError
    {
        guard let message = arena.unpack(bytes, with: { gw__error_detail__unpack($0, $1, $2) }) else {
            throw MessageError("the bytes are not a readable ErrorDetail")
        }
        let raw = message.pointee
        let name = try raw.kind.text("kind")
        guard let kind = GenerationError.Kind(rawValue: name) else {
            throw MessageError("the error kind '\(name)' is unknown")
        }
        var error = GenerationError(kind, text)
        error.provider = try raw.provider.text("provider")
        error.model = try raw.model.text("model")
        error.httpStatus = Int(raw.http_status)
        error.providerCode = try raw.provider_code.text("provider_code")
        error.retryAfterMilliseconds = raw.retry_after_ms == 0 ? nil : Int64(raw.retry_after_ms)
        error.isRetryable = raw.retryable != 0
        error.attempts = try Self.read(raw.attempts, raw.n_attempts)
        error.timeoutPhase = .init(rawValue: try raw.timeout_phase.text("timeout_phase"))
        return error
    }

    private static func value(_ reason: Gw__FinishReason) -> FinishReason {
        switch reason {
        case GW__FINISH_REASON__FINISH_STOP: .stop
        case GW__FINISH_REASON__FINISH_LENGTH: .length
        case GW__FINISH_REASON__FINISH_TOOL_CALLS: .toolCalls
        case GW__FINISH_REASON__FINISH_CONTENT_FILTER: .contentFilter
        case GW__FINISH_REASON__FINISH_REFUSAL: .refusal
        default: .other
        }
    }

    static func value(_ source: Gw__Usage__Source) -> Usage.Source {
        switch source {
        case GW__USAGE__SOURCE__PROVIDER: .provider
        case GW__USAGE__SOURCE__ESTIMATED: .estimated
        default: .absent
        }
    }

    private static func read(_ pointer: UnsafeMutablePointer<Gw__Usage>?) -> Usage {
        var usage = Usage()
        guard let raw = pointer?.pointee else { return usage }
        usage.inputTokens = Int(raw.input_tokens)
        usage.outputTokens = Int(raw.output_tokens)
        usage.totalTokens = Int(raw.total_tokens)
        usage.cachedInputTokens = Int(raw.cached_input_tokens)
        usage.reasoningTokens = Int(raw.reasoning_tokens)
        usage.source = value(raw.source)
        return usage
    }

    private static func read(_ pointer: UnsafeMutablePointer<Gw__Timing>?) -> Timing {
        var timing = Timing()
        guard let raw = pointer?.pointee else { return timing }
        timing.queueMicroseconds = Int64(raw.queue_us)
        timing.authMicroseconds = Int64(raw.auth_us)
        timing.connectMicroseconds = Int64(raw.connect_us)
        timing.firstTokenMicroseconds = Int64(raw.first_token_us)
        timing.totalMicroseconds = Int64(raw.total_us)
        timing.gatewayMicroseconds = Int64(raw.gateway_us)
        return timing
    }

    private static func read(
        _ pointers: UnsafeMutablePointer<UnsafeMutablePointer<Gw__Attempt>?>?, _ count: Int
    ) throws(MessageError) -> [Attempt] {
        var attempts: [Attempt] = []
        for raw in each(pointers, count) {
            attempts.append(
                Attempt(
                    model: try raw.model.text("attempts.model"), provider: try raw.provider.text("attempts.provider"),
                    status: Int(raw.status), error: try raw.error.text("attempts.error"),
                    durationMicroseconds: Int64(raw.duration_us)))
        }
        return attempts
    }

    private static func read(_ pointer: UnsafeMutablePointer<Gw__CacheInfo>?) throws(MessageError) -> CacheInfo {
        var cache = CacheInfo()
        guard let raw = pointer?.pointee else { return cache }
        cache.hit = raw.hit != 0
        cache.ageSeconds = raw.age_seconds
        cache.key = try raw.key.text("cache.key")
        return cache
    }

    static func texts(_ pointer: UnsafeMutablePointer<ProtobufCBinaryData>?, _ count: Int) throws(MessageError)
        -> [String]
    {
        var texts: [String] = []
        guard let pointer else { return texts }
        for index in 0..<count { texts.append(try pointer[index].text("a list of texts")) }
        return texts
    }
}
