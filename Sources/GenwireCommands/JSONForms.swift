internal import Generation
internal import GenwireClient
internal import JSON
internal import Messages

/// The stable JSON that `--json` prints. Names are those of the Protobuf contract.
enum JSONForms {
    static func object(_ body: (inout JSONWriter) -> Void) -> String {
        var writer = JSONWriter()
        writer.beginObject()
        body(&writer)
        writer.endObject()
        return String(decoding: writer.bytes, as: UTF8.self)
    }

    static func error(_ error: ClientError) -> String {
        object { writer in
            writer.key("error")
            writer.beginObject()
            text(&writer, "kind", error.detail?.kind.rawValue ?? "")
            writer.key("code")
            writer.int(error.code)
            text(&writer, "message", error.message)
            if let detail = error.detail {
                text(&writer, "provider", detail.provider)
                text(&writer, "model", detail.model)
                writer.key("http_status")
                writer.int(detail.httpStatus)
                text(&writer, "provider_code", detail.providerCode)
                writer.key("retry_after_ms")
                writer.int(detail.retryAfterMilliseconds ?? 0)
                writer.key("retryable")
                writer.bool(detail.isRetryable)
            }
            writer.endObject()
        }
    }

    static func response(_ response: ChatResponse) -> String {
        object { writer in
            text(&writer, "text", response.message.content)
            if !response.message.reasoning.isEmpty { text(&writer, "reasoning", response.message.reasoning) }
            if !response.message.toolCalls.isEmpty {
                writer.key("tool_calls")
                writer.beginArray()
                for call in response.message.toolCalls {
                    writer.beginObject()
                    text(&writer, "id", call.id)
                    text(&writer, "name", call.name)
                    text(&writer, "arguments_json", call.argumentsJSON)
                    writer.endObject()
                }
                writer.endArray()
            }
            completion(&writer, response.completion)
        }
    }

    static func chunk(_ chunk: StreamedChunk) -> String {
        object { writer in
            writer.key("seq")
            writer.int(chunk.seq)
            switch chunk.content {
            case .event(.text(let piece)): text(&writer, "text", piece)
            case .event(.reasoning(let piece)): text(&writer, "reasoning", piece)
            case .event(.toolCall(let delta)):
                writer.key("tool_call")
                writer.beginObject()
                writer.key("index")
                writer.int(delta.index)
                text(&writer, "id", delta.id)
                text(&writer, "name", delta.name)
                text(&writer, "arguments_json_delta", delta.argumentsJSONDelta)
                writer.endObject()
            case .completed(let end, let count):
                writer.key("completed")
                writer.beginObject()
                completion(&writer, end)
                writer.key("chunk_count")
                writer.int(count)
                writer.endObject()
            }
        }
    }

    private static func completion(_ writer: inout JSONWriter, _ completion: Completion) {
        text(&writer, "id", completion.id)
        text(&writer, "model", completion.model)
        text(&writer, "provider", completion.provider)
        text(&writer, "finish_reason", name(completion.finishReason))
        text(&writer, "raw_finish_reason", completion.rawFinishReason)
        writer.key("usage")
        writer.beginObject()
        number(&writer, "input_tokens", completion.usage.inputTokens)
        number(&writer, "output_tokens", completion.usage.outputTokens)
        number(&writer, "total_tokens", completion.usage.totalTokens)
        number(&writer, "cached_input_tokens", completion.usage.cachedInputTokens)
        number(&writer, "reasoning_tokens", completion.usage.reasoningTokens)
        text(&writer, "source", name(completion.usage.source))
        writer.endObject()
        writer.key("timing")
        writer.beginObject()
        number(&writer, "connect_us", Int(completion.timing.connectMicroseconds))
        number(&writer, "first_token_us", Int(completion.timing.firstTokenMicroseconds))
        number(&writer, "total_us", Int(completion.timing.totalMicroseconds))
        number(&writer, "gateway_us", Int(completion.timing.gatewayMicroseconds))
        writer.endObject()
        writer.key("attempts")
        writer.beginArray()
        for attempt in completion.attempts {
            writer.beginObject()
            text(&writer, "model", attempt.model)
            text(&writer, "provider", attempt.provider)
            number(&writer, "status", attempt.status)
            text(&writer, "error", attempt.error)
            number(&writer, "duration_us", Int(attempt.durationMicroseconds))
            writer.endObject()
        }
        writer.endArray()
        text(&writer, "provider_request_id", completion.providerRequestID)
        if !completion.warnings.isEmpty {
            writer.key("warnings")
            writer.beginArray()
            for warning in completion.warnings { writer.string(warning) }
            writer.endArray()
        }
    }

    static func text(_ writer: inout JSONWriter, _ key: StaticString, _ value: String) {
        writer.key(key)
        writer.string(value)
    }

    static func number(_ writer: inout JSONWriter, _ key: StaticString, _ value: Int) {
        writer.key(key)
        writer.int(value)
    }

    static func name(_ reason: FinishReason) -> String {
        switch reason {
        case .stop: "FINISH_STOP"
        case .length: "FINISH_LENGTH"
        case .toolCalls: "FINISH_TOOL_CALLS"
        case .contentFilter: "FINISH_CONTENT_FILTER"
        case .refusal: "FINISH_REFUSAL"
        case .other: "FINISH_OTHER"
        }
    }

    static func name(_ source: Usage.Source) -> String {
        switch source {
        case .absent: "ABSENT"
        case .provider: "PROVIDER"
        case .estimated: "ESTIMATED"
        }
    }
}
