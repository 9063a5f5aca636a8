internal import CGenwireProto
internal import CProtobufC
public import Generation

/// The server's side of the small RPCs: requests read, reports packed.
extension MessageCoder {
    /// Packs a `HealthResponse`.
    public func encode<R>(_ report: HealthReport, into body: PackedMessage<R>) -> R {
        arena.reset()
        let out = arena.message(Gw__HealthResponse.self) { gw__health_response__init($0) }
        out.pointee.status = arena.bytes(report.status)
        out.pointee.version = arena.bytes(report.version)
        out.pointee.uptime_seconds = report.uptimeSeconds
        out.pointee.n_providers = report.providers.count
        out.pointee.providers = arena.pointers(report.providers) { provider in
            let out = arena.message(Gw__ProviderHealth.self) { gw__provider_health__init($0) }
            out.pointee.provider = arena.bytes(provider.provider)
            out.pointee.model = arena.bytes(provider.model)
            out.pointee.status = arena.bytes(provider.status)
            out.pointee.detail = arena.bytes(provider.detail)
            return out
        }
        return pack(out, body)
    }

    /// Packs a `ListModelsResponse`.
    public func encode<R>(_ list: ModelList, into body: PackedMessage<R>) -> R {
        arena.reset()
        let out = arena.message(Gw__ListModelsResponse.self) { gw__list_models_response__init($0) }
        out.pointee.n_models = list.models.count
        out.pointee.models = arena.pointers(list.models) { model in
            let out = arena.message(Gw__ModelInfo.self) { gw__model_info__init($0) }
            out.pointee.name = arena.bytes(model.name)
            out.pointee.provider = arena.bytes(model.provider)
            out.pointee.model_name = arena.bytes(model.modelName)
            out.pointee.n_capabilities = model.capabilities.count
            out.pointee.capabilities = arena.texts(model.capabilities)
            out.pointee.default_ = model.isDefault ? 1 : 0
            return out
        }
        out.pointee.n_routes = list.routes.count
        out.pointee.routes = arena.pointers(list.routes) { route in
            let out = arena.message(Gw__RouteInfo.self) { gw__route_info__init($0) }
            out.pointee.name = arena.bytes(route.name)
            out.pointee.strategy = arena.bytes(route.strategy)
            out.pointee.n_targets = route.targets.count
            out.pointee.targets = arena.texts(route.targets)
            return out
        }
        out.pointee.n_providers = list.providers.count
        out.pointee.providers = arena.pointers(list.providers) { provider in
            let out = arena.message(Gw__ProviderInfo.self) { gw__provider_info__init($0) }
            out.pointee.name = arena.bytes(provider.name)
            out.pointee.n_capabilities = provider.capabilities.count
            out.pointee.capabilities = arena.texts(provider.capabilities)
            return out
        }
        return pack(out, body)
    }

    /// Packs a `ValidateAuthResponse`.
    public func encode<R>(_ results: [AuthReport], into body: PackedMessage<R>) -> R {
        arena.reset()
        let out = arena.message(Gw__ValidateAuthResponse.self) { gw__validate_auth_response__init($0) }
        out.pointee.n_results = results.count
        out.pointee.results = arena.pointers(results) { result in
            let out = arena.message(Gw__AuthResult.self) { gw__auth_result__init($0) }
            out.pointee.model = arena.bytes(result.model)
            out.pointee.provider = arena.bytes(result.provider)
            out.pointee.valid = result.isValid ? 1 : 0
            out.pointee.status = arena.bytes(result.status)
            out.pointee.detail = arena.bytes(result.detail)
            out.pointee.expires_in_seconds = result.expiresInSeconds
            out.pointee.last_error = arena.bytes(result.lastError)
            out.pointee.seconds_since_refresh = result.secondsSinceRefresh
            out.pointee.optional = result.isOptional ? 1 : 0
            return out
        }
        return pack(out, body)
    }

    /// Packs a `GetUsageResponse`.
    public func encode<R>(_ rows: [UsageReport], into body: PackedMessage<R>) -> R {
        arena.reset()
        let out = arena.message(Gw__GetUsageResponse.self) { gw__get_usage_response__init($0) }
        out.pointee.n_rows = rows.count
        out.pointee.rows = arena.pointers(rows) { row in
            let out = arena.message(Gw__UsageRow.self) { gw__usage_row__init($0) }
            out.pointee.provider = arena.bytes(row.provider)
            out.pointee.model = arena.bytes(row.model)
            out.pointee.requests = row.requests
            out.pointee.successful_requests = row.successfulRequests
            out.pointee.failed_requests = row.failedRequests
            out.pointee.cancelled_requests = row.cancelledRequests
            out.pointee.input_tokens = row.inputTokens
            out.pointee.output_tokens = row.outputTokens
            out.pointee.average_latency_seconds = row.averageLatencySeconds
            out.pointee.error_rate = row.errorRate
            return out
        }
        return pack(out, body)
    }

    /// Packs a `CountTokensResponse`.
    public func encodeTokenCount<R>(_ tokens: Int, source: Usage.Source, into body: PackedMessage<R>) -> R {
        arena.reset()
        let out = arena.message(Gw__CountTokensResponse.self) { gw__count_tokens_response__init($0) }
        out.pointee.input_tokens = Int64(tokens)
        out.pointee.source = Self.wire(source)
        return pack(out, body)
    }

    /// Reads a `HelloRequest`: the token; empty for none.
    /// - Throws: `MessageError` where the bytes are not one.
    public func helloRequest(_ bytes: UnsafeRawBufferPointer) throws(MessageError) -> String {
        guard let request = arena.unpack(bytes, with: { gw__hello_request__unpack($0, $1, $2) }) else {
            throw MessageError("the bytes are not a readable HelloRequest")
        }
        defer { arena.reset() }
        return try request.pointee.token.text("token", atMost: RequestBounds.token)
    }

    /// Packs a `HelloResponse`.
    public func encode<R>(_ info: ServerInfo, into body: PackedMessage<R>) -> R {
        arena.reset()
        let out = arena.message(Gw__HelloResponse.self) { gw__hello_response__init($0) }
        out.pointee.server = arena.bytes(info.server)
        out.pointee.version = arena.bytes(info.version)
        out.pointee.n_features = info.features.count
        out.pointee.features = arena.texts(info.features)
        out.pointee.max_message_bytes = info.maxMessageBytes
        out.pointee.max_streams = info.maxStreams
        return pack(out, body)
    }

    /// Packs a `CancelResponse`.
    public func encodeCancelled<R>(found: Bool, into body: PackedMessage<R>) -> R {
        arena.reset()
        let out = arena.message(Gw__CancelResponse.self) { gw__cancel_response__init($0) }
        out.pointee.found = found ? 1 : 0
        return pack(out, body)
    }

    /// Packs the `PingResponse` to a `PingRequest`.
    /// - Throws: `MessageError` where the bytes are not a request.
    public func ping(_ bytes: UnsafeRawBufferPointer) throws(MessageError) -> [UInt8] {
        guard let request = arena.unpack(bytes, with: { gw__ping_request__unpack($0, $1, $2) }) else {
            throw MessageError("the bytes are not a readable PingRequest")
        }
        defer { arena.reset() }
        let out = arena.message(Gw__PingResponse.self) { gw__ping_response__init($0) }
        out.pointee.payload = request.pointee.payload
        return packed(out)
    }

    /// Reads a `HealthRequest`: whether a deep check is asked for.
    /// - Throws: `MessageError` where the bytes are not one.
    public func healthRequest(_ bytes: UnsafeRawBufferPointer) throws(MessageError) -> Bool {
        // The commonest call of all is empty, and there is nothing to read in it.
        if bytes.isEmpty { return false }
        guard let request = arena.unpack(bytes, with: { gw__health_request__unpack($0, $1, $2) }) else {
            throw MessageError("the bytes are not a readable HealthRequest")
        }
        defer { arena.reset() }
        return request.pointee.deep != 0
    }

    /// Reads a `ValidateAuthRequest`.
    /// - Throws: `MessageError` where the bytes are not one.
    public func validateAuthRequest(
        _ bytes: UnsafeRawBufferPointer
    ) throws(MessageError) -> (model: String, provider: String) {
        guard let request = arena.unpack(bytes, with: { gw__validate_auth_request__unpack($0, $1, $2) }) else {
            throw MessageError("the bytes are not a readable ValidateAuthRequest")
        }
        defer { arena.reset() }
        let raw = request.pointee
        return (
            try raw.model.text("model", atMost: RequestBounds.name),
            try raw.provider.text("provider", atMost: RequestBounds.name)
        )
    }

    /// Reads a `CancelRequest`: the id of the call to end.
    /// - Throws: `MessageError` where the bytes are not one.
    public func cancelRequest(_ bytes: UnsafeRawBufferPointer) throws(MessageError) -> String {
        guard let request = arena.unpack(bytes, with: { gw__cancel_request__unpack($0, $1, $2) }) else {
            throw MessageError("the bytes are not a readable CancelRequest")
        }
        defer { arena.reset() }
        return try request.pointee.call_id.text("call_id", atMost: RequestBounds.name)
    }

    /// Reads a `CountTokensRequest` as the chat that it asks about, and the text to count beside it.
    /// - Throws: `MessageError` where the bytes are not one.
    public func countTokensRequest(
        _ bytes: UnsafeRawBufferPointer
    ) throws(MessageError) -> (request: ChatRequest, text: String) {
        guard let message = arena.unpack(bytes, with: { gw__count_tokens_request__unpack($0, $1, $2) }) else {
            throw MessageError("the bytes are not a readable CountTokensRequest")
        }
        defer { arena.reset() }
        let raw = message.pointee
        let request = ChatRequest(
            model: try raw.model.text("model", atMost: RequestBounds.name),
            messages: try Self.messages(raw.messages, raw.n_messages), tools: try Self.tools(raw.tools, raw.n_tools))
        return (request, try raw.text.text("text"))
    }
}
