internal import CGenwireProto
internal import CProtobufC
public import Generation

/// The client's side of the small RPCs: requests packed, reports read.
extension MessageCoder {
    /// The bytes of a `HealthRequest`.
    public func encodeHealthRequest(deep: Bool) -> [UInt8] {
        arena.reset()
        let out = arena.message(Gw__HealthRequest.self) { gw__health_request__init($0) }
        out.pointee.deep = deep ? 1 : 0
        return packed(out)
    }

    /// The bytes of a `ValidateAuthRequest`.
    public func encodeValidateAuthRequest(model: String, provider: String) -> [UInt8] {
        arena.reset()
        let out = arena.message(Gw__ValidateAuthRequest.self) { gw__validate_auth_request__init($0) }
        out.pointee.model = arena.bytes(model)
        out.pointee.provider = arena.bytes(provider)
        return packed(out)
    }

    /// The bytes of a `CancelRequest`.
    public func encodeCancelRequest(callID: String) -> [UInt8] {
        arena.reset()
        let out = arena.message(Gw__CancelRequest.self) { gw__cancel_request__init($0) }
        out.pointee.call_id = arena.bytes(callID)
        return packed(out)
    }

    /// The bytes of a `CountTokensRequest` over one text.
    public func encodeCountTokensRequest(model: String, text: String) -> [UInt8] {
        arena.reset()
        let out = arena.message(Gw__CountTokensRequest.self) { gw__count_tokens_request__init($0) }
        out.pointee.model = arena.bytes(model)
        out.pointee.text = arena.bytes(text)
        return packed(out)
    }

    /// Reads a `HealthResponse`.
    /// - Throws: `MessageError` where the bytes are not one.
    public func healthReport(_ bytes: UnsafeRawBufferPointer) throws(MessageError) -> HealthReport {
        guard let message = arena.unpack(bytes, with: { gw__health_response__unpack($0, $1, $2) }) else {
            throw MessageError("the bytes are not a readable HealthResponse")
        }
        let raw = message.pointee
        var report = HealthReport(
            status: try raw.status.text("status"), version: try raw.version.text("version"),
            uptimeSeconds: raw.uptime_seconds)
        for provider in Self.each(raw.providers, raw.n_providers) {
            report.providers.append(
                HealthReport.Provider(
                    provider: try provider.provider.text("provider"), model: try provider.model.text("model"),
                    status: try provider.status.text("status"), detail: try provider.detail.text("detail")))
        }
        return report
    }

    /// Reads a `ListModelsResponse`.
    /// - Throws: `MessageError` where the bytes are not one.
    public func modelList(_ bytes: UnsafeRawBufferPointer) throws(MessageError) -> ModelList {
        guard let message = arena.unpack(bytes, with: { gw__list_models_response__unpack($0, $1, $2) }) else {
            throw MessageError("the bytes are not a readable ListModelsResponse")
        }
        let raw = message.pointee
        var list = ModelList()
        for model in Self.each(raw.models, raw.n_models) {
            list.models.append(
                ModelList.Model(
                    name: try model.name.text("name"), provider: try model.provider.text("provider"),
                    modelName: try model.model_name.text("model_name"),
                    capabilities: try Self.texts(model.capabilities, model.n_capabilities),
                    isDefault: model.default_ != 0))
        }
        for route in Self.each(raw.routes, raw.n_routes) {
            list.routes.append(
                ModelList.Route(
                    name: try route.name.text("name"), strategy: try route.strategy.text("strategy"),
                    targets: try Self.texts(route.targets, route.n_targets)))
        }
        for provider in Self.each(raw.providers, raw.n_providers) {
            list.providers.append(
                ModelList.Provider(
                    name: try provider.name.text("name"),
                    capabilities: try Self.texts(provider.capabilities, provider.n_capabilities)))
        }
        return list
    }

    /// Reads a `ValidateAuthResponse`.
    /// - Throws: `MessageError` where the bytes are not one.
    public func authReports(_ bytes: UnsafeRawBufferPointer) throws(MessageError) -> [AuthReport] {
        guard let message = arena.unpack(bytes, with: { gw__validate_auth_response__unpack($0, $1, $2) }) else {
            throw MessageError("the bytes are not a readable ValidateAuthResponse")
        }
        var reports: [AuthReport] = []
        for raw in Self.each(message.pointee.results, message.pointee.n_results) {
            reports.append(
                AuthReport(
                    model: try raw.model.text("model"), provider: try raw.provider.text("provider"),
                    isValid: raw.valid != 0, status: try raw.status.text("status"),
                    detail: try raw.detail.text("detail"), expiresInSeconds: raw.expires_in_seconds,
                    lastError: try raw.last_error.text("last_error"), secondsSinceRefresh: raw.seconds_since_refresh,
                    isOptional: raw.optional != 0))
        }
        return reports
    }

    /// Reads a `GetUsageResponse`.
    /// - Throws: `MessageError` where the bytes are not one.
    public func usageReports(_ bytes: UnsafeRawBufferPointer) throws(MessageError) -> [UsageReport] {
        guard let message = arena.unpack(bytes, with: { gw__get_usage_response__unpack($0, $1, $2) }) else {
            throw MessageError("the bytes are not a readable GetUsageResponse")
        }
        var reports: [UsageReport] = []
        for raw in Self.each(message.pointee.rows, message.pointee.n_rows) {
            var row = UsageReport()
            row.provider = try raw.provider.text("provider")
            row.model = try raw.model.text("model")
            row.requests = raw.requests
            row.successfulRequests = raw.successful_requests
            row.failedRequests = raw.failed_requests
            row.cancelledRequests = raw.cancelled_requests
            row.inputTokens = raw.input_tokens
            row.outputTokens = raw.output_tokens
            row.averageLatencySeconds = raw.average_latency_seconds
            row.errorRate = raw.error_rate
            reports.append(row)
        }
        return reports
    }

    /// Reads a `CountTokensResponse`.
    /// - Throws: `MessageError` where the bytes are not one.
    public func tokenCount(
        _ bytes: UnsafeRawBufferPointer
    ) throws(MessageError) -> (tokens: Int, source: Usage.Source) {
        guard let message = arena.unpack(bytes, with: { gw__count_tokens_response__unpack($0, $1, $2) }) else {
            throw MessageError("the bytes are not a readable CountTokensResponse")
        }
        return (Int(message.pointee.input_tokens), Self.value(message.pointee.source))
    }

    /// Reads a `CancelResponse`: whether a call was running under the id.
    /// - Throws: `MessageError` where the bytes are not one.
    public func cancelled(_ bytes: UnsafeRawBufferPointer) throws(MessageError) -> Bool {
        guard let message = arena.unpack(bytes, with: { gw__cancel_response__unpack($0, $1, $2) }) else {
            throw MessageError("the bytes are not a readable CancelResponse")
        }
        return message.pointee.found != 0
    }

    /// Reads a `HelloResponse`.
    /// - Throws: `MessageError` where the bytes are not one.
    public func serverInfo(_ bytes: UnsafeRawBufferPointer) throws(MessageError) -> ServerInfo {
        guard let message = arena.unpack(bytes, with: { gw__hello_response__unpack($0, $1, $2) }) else {
            throw MessageError("the bytes are not a readable HelloResponse")
        }
        let raw = message.pointee
        return ServerInfo(
            server: try raw.server.text("server"), version: try raw.version.text("version"),
            features: try Self.texts(raw.features, raw.n_features), maxMessageBytes: raw.max_message_bytes,
            maxStreams: raw.max_streams)
    }
}
