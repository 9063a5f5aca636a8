internal import CGenwireProto
internal import CProtobufC
internal import Generation

extension GenerationOptions: MappedValue {
    static var empty: GenerationOptions { GenerationOptions() }

    static func initialise(_ wire: UnsafeMutablePointer<Gw__GenerationOptions>) { gw__generation_options__init(wire) }

    static func map<P: FieldPass>(
        _ pass: P, _ wire: UnsafeMutablePointer<Gw__GenerationOptions>, _ value: inout GenerationOptions
    ) throws(P.Failure) {
        pass.optional(
            &wire.pointee.max_tokens_opt_case, GW__GENERATION_OPTIONS__MAX_TOKENS_OPT_MAX_TOKENS,
            &wire.pointee.max_tokens, &value.maxTokens)
        pass.optional(
            &wire.pointee.temperature_opt_case, GW__GENERATION_OPTIONS__TEMPERATURE_OPT_TEMPERATURE,
            &wire.pointee.temperature, &value.temperature)
        pass.optional(
            &wire.pointee.top_p_opt_case, GW__GENERATION_OPTIONS__TOP_P_OPT_TOP_P, &wire.pointee.top_p, &value.topP)
        pass.optional(
            &wire.pointee.top_k_opt_case, GW__GENERATION_OPTIONS__TOP_K_OPT_TOP_K, &wire.pointee.top_k, &value.topK)
        try pass.texts(
            &wire.pointee.n_stop, &wire.pointee.stop, &value.stop, "options.stop", atMost: .max,
            count: RequestBounds.stops)
        pass.optional(
            &wire.pointee.seed_opt_case, GW__GENERATION_OPTIONS__SEED_OPT_SEED, &wire.pointee.seed, &value.seed)
        pass.optional(
            &wire.pointee.presence_penalty_opt_case, GW__GENERATION_OPTIONS__PRESENCE_PENALTY_OPT_PRESENCE_PENALTY,
            &wire.pointee.presence_penalty, &value.presencePenalty)
        pass.optional(
            &wire.pointee.frequency_penalty_opt_case, GW__GENERATION_OPTIONS__FREQUENCY_PENALTY_OPT_FREQUENCY_PENALTY,
            &wire.pointee.frequency_penalty, &value.frequencyPenalty)
        try pass.message(&wire.pointee.response_format, &value.responseFormat, absent: .text)
        try pass.message(&wire.pointee.reasoning, &value.reasoning, absent: ReasoningOptions())
        pass.optional(
            &wire.pointee.parallel_tool_calls_opt_case,
            GW__GENERATION_OPTIONS__PARALLEL_TOOL_CALLS_OPT_PARALLEL_TOOL_CALLS, &wire.pointee.parallel_tool_calls,
            &value.parallelToolCalls)
        try pass.text(&wire.pointee.user, &value.user, "options.user", atMost: RequestBounds.id)
        try pass.message(&wire.pointee.cache, &value.cache, absent: CacheOptions())
        try pass.texts(
            &wire.pointee.n_fallbacks, &wire.pointee.fallbacks, &value.fallbacks, "options.fallbacks",
            atMost: RequestBounds.name, count: GenerationOptions.maximumFallbacks)
        pass.flag(&wire.pointee.drop_unsupported, &value.dropUnsupported)
        try pass.text(
            &wire.pointee.prompt_cache_key, &value.promptCacheKey, "options.prompt_cache_key", atMost: RequestBounds.id)
        try pass.text(
            &wire.pointee.cached_content, &value.cachedContent, "options.cached_content", atMost: RequestBounds.id)
        try pass.text(
            &wire.pointee.service_tier, &value.serviceTier, "options.service_tier", atMost: RequestBounds.name)
        try pass.text(&wire.pointee.verbosity, &value.verbosity, "options.verbosity", atMost: RequestBounds.name)
        try pass.text(&wire.pointee.extra_json, &value.extraJSON, "options.extra_json")
        pass.flag(&wire.pointee.include_extra, &value.includeExtra)
    }
}

extension ReasoningOptions: MappedValue {
    static var empty: ReasoningOptions { ReasoningOptions() }

    static func initialise(_ wire: UnsafeMutablePointer<Gw__ReasoningOptions>) { gw__reasoning_options__init(wire) }

    static func map<P: FieldPass>(
        _ pass: P, _ wire: UnsafeMutablePointer<Gw__ReasoningOptions>, _ value: inout ReasoningOptions
    ) throws(P.Failure) {
        try pass.text(&wire.pointee.effort, &value.effort, "options.reasoning.effort", atMost: RequestBounds.name)
        pass.optional(
            &wire.pointee.budget_tokens_opt_case, GW__REASONING_OPTIONS__BUDGET_TOKENS_OPT_BUDGET_TOKENS,
            &wire.pointee.budget_tokens, &value.budgetTokens)
        pass.flag(&wire.pointee.include, &value.include)
    }
}

extension CacheOptions: MappedValue {
    static var empty: CacheOptions { CacheOptions() }

    static func initialise(_ wire: UnsafeMutablePointer<Gw__CacheOptions>) { gw__cache_options__init(wire) }

    static func map<P: FieldPass>(
        _ pass: P, _ wire: UnsafeMutablePointer<Gw__CacheOptions>, _ value: inout CacheOptions
    ) throws(P.Failure) {
        pass.choice(&wire.pointee.mode, &value.mode, unknown: .standard)
        pass.optional(
            &wire.pointee.ttl_seconds_opt_case, GW__CACHE_OPTIONS__TTL_SECONDS_OPT_TTL_SECONDS,
            &wire.pointee.ttl_seconds, &value.ttlSeconds)
    }
}

extension CacheOptions.Mode: WireEnum {
    var wire: Gw__CacheOptions__Mode {
        switch self {
        case .standard: GW__CACHE_OPTIONS__MODE__DEFAULT
        case .off: GW__CACHE_OPTIONS__MODE__OFF
        case .refresh: GW__CACHE_OPTIONS__MODE__REFRESH
        case .only: GW__CACHE_OPTIONS__MODE__ONLY
        }
    }
}

extension ResponseFormat: WireValue {
    static func initialise(_ wire: UnsafeMutablePointer<Gw__ResponseFormat>) { gw__response_format__init(wire) }

    static func read(
        _ wire: UnsafeMutablePointer<Gw__ResponseFormat>, _ reader: Reader
    ) throws(MessageError) -> ResponseFormat {
        switch wire.pointee.type {
        case GW__RESPONSE_FORMAT__TYPE__TEXT: return .text
        case GW__RESPONSE_FORMAT__TYPE__JSON_OBJECT: return .jsonObject
        case GW__RESPONSE_FORMAT__TYPE__JSON_SCHEMA:
            var strict: Bool?
            reader.optional(
                &wire.pointee.strict_opt_case, GW__RESPONSE_FORMAT__STRICT_OPT_STRICT, &wire.pointee.strict, &strict)
            return .jsonSchema(
                schema: try wire.pointee.json_schema.text("response_format.json_schema"),
                name: try wire.pointee.name.text("response_format.name", atMost: RequestBounds.name), strict: strict)
        default: throw MessageError("options.response_format.type \(wire.pointee.type.rawValue) is unknown")
        }
    }

    func write(_ wire: UnsafeMutablePointer<Gw__ResponseFormat>, _ writer: Writer) {
        switch self {
        case .text: wire.pointee.type = GW__RESPONSE_FORMAT__TYPE__TEXT
        case .jsonObject: wire.pointee.type = GW__RESPONSE_FORMAT__TYPE__JSON_OBJECT
        case .jsonSchema(let schema, let name, var strict):
            wire.pointee.type = GW__RESPONSE_FORMAT__TYPE__JSON_SCHEMA
            wire.pointee.json_schema = writer.arena.bytes(schema)
            wire.pointee.name = writer.arena.bytes(name)
            writer.optional(
                &wire.pointee.strict_opt_case, GW__RESPONSE_FORMAT__STRICT_OPT_STRICT, &wire.pointee.strict, &strict)
        }
    }
}
