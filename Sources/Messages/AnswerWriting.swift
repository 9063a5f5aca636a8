internal import CGenwireProto
internal import CProtobufC
public import Generation

extension MessageCoder {
    /// Packs a `ChatResponse`.
    public func encode<R>(_ response: ChatResponse, into body: PackedMessage<R>) -> R {
        arena.reset()
        let out = arena.message(Gw__ChatResponse.self) { gw__chat_response__init($0) }
        let completion = response.completion
        out.pointee.id = arena.bytes(completion.id)
        out.pointee.model = arena.bytes(completion.model)
        out.pointee.provider = arena.bytes(completion.provider)
        out.pointee.message = write(response.message)
        out.pointee.finish_reason = Self.wire(completion.finishReason)
        out.pointee.raw_finish_reason = arena.bytes(completion.rawFinishReason)
        out.pointee.usage = write(completion.usage)
        out.pointee.timing = write(completion.timing)
        out.pointee.n_attempts = completion.attempts.count
        out.pointee.attempts = write(completion.attempts)
        out.pointee.cache = write(completion.cache)
        out.pointee.provider_request_id = arena.bytes(completion.providerRequestID)
        out.pointee.n_warnings = completion.warnings.count
        out.pointee.warnings = arena.texts(completion.warnings)
        return pack(out, body)
    }

    /// Packs a `GenerateResponse`: the answer's text without its other content.
    public func encodeGenerate<R>(_ response: ChatResponse, into body: PackedMessage<R>) -> R {
        arena.reset()
        let out = arena.message(Gw__GenerateResponse.self) { gw__generate_response__init($0) }
        let completion = response.completion
        out.pointee.id = arena.bytes(completion.id)
        out.pointee.model = arena.bytes(completion.model)
        out.pointee.provider = arena.bytes(completion.provider)
        out.pointee.text = arena.bytes(response.message.content)
        out.pointee.finish_reason = Self.wire(completion.finishReason)
        out.pointee.raw_finish_reason = arena.bytes(completion.rawFinishReason)
        out.pointee.usage = write(completion.usage)
        out.pointee.timing = write(completion.timing)
        out.pointee.n_attempts = completion.attempts.count
        out.pointee.attempts = write(completion.attempts)
        out.pointee.cache = write(completion.cache)
        out.pointee.provider_request_id = arena.bytes(completion.providerRequestID)
        out.pointee.n_warnings = completion.warnings.count
        out.pointee.warnings = arena.texts(completion.warnings)
        return pack(out, body)
    }

    /// Packs one `ChatChunk` with content. This is the hot one: a chunk costs one pass over its text.
    public func encode<R>(_ event: ChunkEvent, seq: UInt64, into body: PackedMessage<R>) -> R {
        arena.reset()
        let out = arena.message(Gw__ChatChunk.self) { gw__chat_chunk__init($0) }
        out.pointee.seq = seq
        switch event {
        case .text(let text):
            out.pointee.event_case = GW__CHAT_CHUNK__EVENT_TEXT
            out.pointee.text = arena.bytes(text)
        case .reasoning(let text):
            out.pointee.event_case = GW__CHAT_CHUNK__EVENT_REASONING
            out.pointee.reasoning = arena.bytes(text)
        case .toolCall(let delta):
            out.pointee.event_case = GW__CHAT_CHUNK__EVENT_TOOL_CALL
            let inner = arena.message(Gw__ToolCallDelta.self) { gw__tool_call_delta__init($0) }
            inner.pointee.index = .init(clamping: delta.index)
            inner.pointee.id = arena.bytes(delta.id)
            inner.pointee.name = arena.bytes(delta.name)
            inner.pointee.arguments_json_delta = arena.bytes(delta.argumentsJSONDelta)
            inner.pointee.provider_state = arena.bytes(delta.providerState)
            out.pointee.tool_call = inner
        }
        return pack(out, body)
    }

    /// Packs the `ChatChunk` that ends a good stream.
    public func encode<R>(
        _ completion: Completion, seq: UInt64, chunkCount: UInt64, into body: PackedMessage<R>
    ) -> R {
        arena.reset()
        let out = arena.message(Gw__ChatChunk.self) { gw__chat_chunk__init($0) }
        out.pointee.seq = seq
        out.pointee.event_case = GW__CHAT_CHUNK__EVENT_COMPLETED
        let inner = arena.message(Gw__Completed.self) { gw__completed__init($0) }
        inner.pointee.id = arena.bytes(completion.id)
        inner.pointee.model = arena.bytes(completion.model)
        inner.pointee.provider = arena.bytes(completion.provider)
        inner.pointee.finish_reason = Self.wire(completion.finishReason)
        inner.pointee.raw_finish_reason = arena.bytes(completion.rawFinishReason)
        inner.pointee.usage = write(completion.usage)
        inner.pointee.timing = write(completion.timing)
        inner.pointee.n_attempts = completion.attempts.count
        inner.pointee.attempts = write(completion.attempts)
        inner.pointee.cache = write(completion.cache)
        inner.pointee.chunk_count = .init(clamping: chunkCount)
        inner.pointee.provider_request_id = arena.bytes(completion.providerRequestID)
        inner.pointee.n_warnings = completion.warnings.count
        inner.pointee.warnings = arena.texts(completion.warnings)
        inner.pointee.provider_state = arena.bytes(completion.providerState)
        out.pointee.completed = inner
        return pack(out, body)
    }

    /// The bytes of an `ErrorDetail`.
    public func encode(_ error: GenerationError) -> [UInt8] {
        arena.reset()
        let out = arena.message(Gw__ErrorDetail.self) { gw__error_detail__init($0) }
        out.pointee.kind = arena.bytes(error.kind.rawValue)
        out.pointee.provider = arena.bytes(error.provider)
        out.pointee.model = arena.bytes(error.model)
        out.pointee.http_status = .init(clamping: error.httpStatus)
        out.pointee.provider_code = arena.bytes(error.providerCode)
        out.pointee.retry_after_ms = .init(clamping: error.retryAfterMilliseconds ?? 0)
        out.pointee.retryable = error.isRetryable ? 1 : 0
        out.pointee.n_attempts = error.attempts.count
        out.pointee.attempts = write(error.attempts)
        out.pointee.timeout_phase = arena.bytes(error.timeoutPhase?.rawValue ?? "")
        return packed(out)
    }

    private static func wire(_ reason: FinishReason) -> Gw__FinishReason {
        switch reason {
        case .stop: GW__FINISH_REASON__FINISH_STOP
        case .length: GW__FINISH_REASON__FINISH_LENGTH
        case .toolCalls: GW__FINISH_REASON__FINISH_TOOL_CALLS
        case .contentFilter: GW__FINISH_REASON__FINISH_CONTENT_FILTER
        case .refusal: GW__FINISH_REASON__FINISH_REFUSAL
        case .other: GW__FINISH_REASON__FINISH_OTHER
        }
    }

    private func write(_ usage: Usage) -> UnsafeMutablePointer<Gw__Usage> {
        let out = arena.message(Gw__Usage.self) { gw__usage__init($0) }
        out.pointee.input_tokens = .init(clamping: usage.inputTokens)
        out.pointee.output_tokens = .init(clamping: usage.outputTokens)
        out.pointee.total_tokens = .init(clamping: usage.totalTokens)
        out.pointee.cached_input_tokens = .init(clamping: usage.cachedInputTokens)
        out.pointee.reasoning_tokens = .init(clamping: usage.reasoningTokens)
        out.pointee.source = Self.wire(usage.source)
        return out
    }

    static func wire(_ source: Usage.Source) -> Gw__Usage__Source {
        switch source {
        case .absent: GW__USAGE__SOURCE__ABSENT
        case .provider: GW__USAGE__SOURCE__PROVIDER
        case .estimated: GW__USAGE__SOURCE__ESTIMATED
        }
    }

    private func write(_ timing: Timing) -> UnsafeMutablePointer<Gw__Timing> {
        let out = arena.message(Gw__Timing.self) { gw__timing__init($0) }
        out.pointee.queue_us = .init(clamping: timing.queueMicroseconds)
        out.pointee.auth_us = .init(clamping: timing.authMicroseconds)
        out.pointee.connect_us = .init(clamping: timing.connectMicroseconds)
        out.pointee.first_token_us = .init(clamping: timing.firstTokenMicroseconds)
        out.pointee.total_us = .init(clamping: timing.totalMicroseconds)
        out.pointee.gateway_us = .init(clamping: timing.gatewayMicroseconds)
        return out
    }

    private func write(_ attempts: [Attempt]) -> UnsafeMutablePointer<UnsafeMutablePointer<Gw__Attempt>?>? {
        arena.pointers(attempts) { attempt in
            let out = arena.message(Gw__Attempt.self) { gw__attempt__init($0) }
            out.pointee.model = arena.bytes(attempt.model)
            out.pointee.provider = arena.bytes(attempt.provider)
            out.pointee.status = .init(clamping: attempt.status)
            out.pointee.error = arena.bytes(attempt.error)
            out.pointee.duration_us = .init(clamping: attempt.durationMicroseconds)
            return out
        }
    }

    private func write(_ cache: CacheInfo) -> UnsafeMutablePointer<Gw__CacheInfo>? {
        guard cache != CacheInfo() else { return nil }
        let out = arena.message(Gw__CacheInfo.self) { gw__cache_info__init($0) }
        out.pointee.hit = cache.hit ? 1 : 0
        out.pointee.age_seconds = cache.ageSeconds
        out.pointee.key = arena.bytes(cache.key)
        return out
    }
}
