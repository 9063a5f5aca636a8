internal import CGenwireProto
internal import CProtobufC
public import Generation

extension MessageCoder {
    /// The bytes of a `ChatRequest`.
    public func encode(_ request: ChatRequest, call: CallFields = CallFields()) -> [UInt8] {
        arena.reset()
        let message = arena.message(Gw__ChatRequest.self) { gw__chat_request__init($0) }
        message.pointee.model = arena.bytes(request.model)
        message.pointee.n_messages = request.messages.count
        message.pointee.messages = arena.pointers(request.messages) { write($0) }
        message.pointee.n_tools = request.tools.count
        message.pointee.tools = arena.pointers(request.tools) { write($0) }
        if let choice = request.toolChoice { message.pointee.tool_choice = write(choice) }
        message.pointee.options = write(request.options)
        message.pointee.call_id = arena.bytes(call.callID)
        message.pointee.deadline_ms = .init(clamping: call.deadlineMilliseconds)
        return packed(message)
    }

    /// The bytes of a `GenerateRequest`.
    public func encodeGenerate(
        model: String, prompt: String, system: String = "", options: GenerationOptions, call: CallFields = CallFields()
    ) -> [UInt8] {
        arena.reset()
        let message = arena.message(Gw__GenerateRequest.self) { gw__generate_request__init($0) }
        message.pointee.model = arena.bytes(model)
        message.pointee.prompt = arena.bytes(prompt)
        message.pointee.system = arena.bytes(system)
        message.pointee.options = write(options)
        message.pointee.call_id = arena.bytes(call.callID)
        message.pointee.deadline_ms = .init(clamping: call.deadlineMilliseconds)
        return packed(message)
    }

    func write(_ message: Message) -> UnsafeMutablePointer<Gw__Message> {
        let out = arena.message(Gw__Message.self) { gw__message__init($0) }
        switch message.role {
        case .system: out.pointee.role = GW__ROLE__ROLE_SYSTEM
        case .user: out.pointee.role = GW__ROLE__ROLE_USER
        case .assistant: out.pointee.role = GW__ROLE__ROLE_ASSISTANT
        case .tool: out.pointee.role = GW__ROLE__ROLE_TOOL
        }
        out.pointee.content = arena.bytes(message.content)
        out.pointee.n_parts = message.parts.count
        out.pointee.parts = arena.pointers(message.parts) { write($0) }
        out.pointee.n_tool_calls = message.toolCalls.count
        out.pointee.tool_calls = arena.pointers(message.toolCalls) { call in
            let out = arena.message(Gw__ToolCall.self) { gw__tool_call__init($0) }
            out.pointee.id = arena.bytes(call.id)
            out.pointee.name = arena.bytes(call.name)
            out.pointee.arguments_json = arena.bytes(call.argumentsJSON)
            out.pointee.provider_state = arena.bytes(call.providerState)
            return out
        }
        out.pointee.tool_call_id = arena.bytes(message.toolCallID)
        out.pointee.name = arena.bytes(message.name)
        out.pointee.reasoning = arena.bytes(message.reasoning)
        out.pointee.provider_state = arena.bytes(message.providerState)
        return out
    }

    private func write(_ part: Part) -> UnsafeMutablePointer<Gw__Part> {
        let out = arena.message(Gw__Part.self) { gw__part__init($0) }
        switch part {
        case .text(let text):
            out.pointee.kind_case = GW__PART__KIND_TEXT
            out.pointee.text = arena.bytes(text)
        case .image(let image):
            out.pointee.kind_case = GW__PART__KIND_IMAGE
            let inner = arena.message(Gw__Image.self) { gw__image__init($0) }
            inner.pointee.mime_type = arena.bytes(image.mimeType)
            inner.pointee.detail = arena.bytes(image.detail)
            switch image.source {
            case .data(let data):
                inner.pointee.source_case = GW__IMAGE__SOURCE_DATA
                inner.pointee.data = arena.bytes(data)
            case .url(let url):
                inner.pointee.source_case = GW__IMAGE__SOURCE_URL
                inner.pointee.url = arena.bytes(url)
            }
            out.pointee.image = inner
        case .file(let file):
            out.pointee.kind_case = GW__PART__KIND_FILE
            let inner = arena.message(Gw__File.self) { gw__file__init($0) }
            inner.pointee.mime_type = arena.bytes(file.mimeType)
            inner.pointee.name = arena.bytes(file.name)
            switch file.source {
            case .data(let data):
                inner.pointee.source_case = GW__FILE__SOURCE_DATA
                inner.pointee.data = arena.bytes(data)
            case .url(let url):
                inner.pointee.source_case = GW__FILE__SOURCE_URL
                inner.pointee.url = arena.bytes(url)
            }
            out.pointee.file = inner
        }
        return out
    }

    private func write(_ tool: Tool) -> UnsafeMutablePointer<Gw__Tool> {
        let out = arena.message(Gw__Tool.self) { gw__tool__init($0) }
        out.pointee.name = arena.bytes(tool.name)
        out.pointee.description = arena.bytes(tool.description)
        out.pointee.parameters_json = arena.bytes(tool.parametersJSON)
        if let strict = tool.strict {
            out.pointee.strict_opt_case = GW__TOOL__STRICT_OPT_STRICT
            out.pointee.strict = strict ? 1 : 0
        }
        return out
    }

    private func write(_ choice: ToolChoice) -> UnsafeMutablePointer<Gw__ToolChoice> {
        let out = arena.message(Gw__ToolChoice.self) { gw__tool_choice__init($0) }
        switch choice {
        case .auto: out.pointee.mode = GW__TOOL_CHOICE__MODE__AUTO
        case .none: out.pointee.mode = GW__TOOL_CHOICE__MODE__NONE
        case .required: out.pointee.mode = GW__TOOL_CHOICE__MODE__REQUIRED
        case .named(let name):
            out.pointee.mode = GW__TOOL_CHOICE__MODE__NAMED
            out.pointee.name = arena.bytes(name)
        }
        return out
    }

    private func write(_ options: GenerationOptions) -> UnsafeMutablePointer<Gw__GenerationOptions>? {
        guard options != GenerationOptions() else { return nil }
        let out = arena.message(Gw__GenerationOptions.self) { gw__generation_options__init($0) }
        if let value = options.maxTokens {
            out.pointee.max_tokens_opt_case = GW__GENERATION_OPTIONS__MAX_TOKENS_OPT_MAX_TOKENS
            out.pointee.max_tokens = .init(clamping: value)
        }
        if let value = options.temperature {
            out.pointee.temperature_opt_case = GW__GENERATION_OPTIONS__TEMPERATURE_OPT_TEMPERATURE
            out.pointee.temperature = value
        }
        if let value = options.topP {
            out.pointee.top_p_opt_case = GW__GENERATION_OPTIONS__TOP_P_OPT_TOP_P
            out.pointee.top_p = value
        }
        if let value = options.topK {
            out.pointee.top_k_opt_case = GW__GENERATION_OPTIONS__TOP_K_OPT_TOP_K
            out.pointee.top_k = .init(clamping: value)
        }
        out.pointee.n_stop = options.stop.count
        out.pointee.stop = arena.texts(options.stop)
        if let value = options.seed {
            out.pointee.seed_opt_case = GW__GENERATION_OPTIONS__SEED_OPT_SEED
            out.pointee.seed = value
        }
        if let value = options.presencePenalty {
            out.pointee.presence_penalty_opt_case = GW__GENERATION_OPTIONS__PRESENCE_PENALTY_OPT_PRESENCE_PENALTY
            out.pointee.presence_penalty = value
        }
        if let value = options.frequencyPenalty {
            out.pointee.frequency_penalty_opt_case = GW__GENERATION_OPTIONS__FREQUENCY_PENALTY_OPT_FREQUENCY_PENALTY
            out.pointee.frequency_penalty = value
        }
        if options.responseFormat != .text { out.pointee.response_format = write(options.responseFormat) }
        if options.reasoning != ReasoningOptions() {
            let inner = arena.message(Gw__ReasoningOptions.self) { gw__reasoning_options__init($0) }
            inner.pointee.effort = arena.bytes(options.reasoning.effort)
            if let budget = options.reasoning.budgetTokens {
                inner.pointee.budget_tokens_opt_case = GW__REASONING_OPTIONS__BUDGET_TOKENS_OPT_BUDGET_TOKENS
                inner.pointee.budget_tokens = .init(clamping: budget)
            }
            inner.pointee.include = options.reasoning.include ? 1 : 0
            out.pointee.reasoning = inner
        }
        if let value = options.parallelToolCalls {
            out.pointee.parallel_tool_calls_opt_case =
                GW__GENERATION_OPTIONS__PARALLEL_TOOL_CALLS_OPT_PARALLEL_TOOL_CALLS
            out.pointee.parallel_tool_calls = value ? 1 : 0
        }
        out.pointee.user = arena.bytes(options.user)
        if options.cache != CacheOptions() {
            let inner = arena.message(Gw__CacheOptions.self) { gw__cache_options__init($0) }
            switch options.cache.mode {
            case .standard: inner.pointee.mode = GW__CACHE_OPTIONS__MODE__DEFAULT
            case .off: inner.pointee.mode = GW__CACHE_OPTIONS__MODE__OFF
            case .refresh: inner.pointee.mode = GW__CACHE_OPTIONS__MODE__REFRESH
            case .only: inner.pointee.mode = GW__CACHE_OPTIONS__MODE__ONLY
            }
            if let ttl = options.cache.ttlSeconds {
                inner.pointee.ttl_seconds_opt_case = GW__CACHE_OPTIONS__TTL_SECONDS_OPT_TTL_SECONDS
                inner.pointee.ttl_seconds = .init(clamping: ttl)
            }
            out.pointee.cache = inner
        }
        out.pointee.n_fallbacks = options.fallbacks.count
        out.pointee.fallbacks = arena.texts(options.fallbacks)
        out.pointee.drop_unsupported = options.dropUnsupported ? 1 : 0
        return out
    }

    private func write(_ format: ResponseFormat) -> UnsafeMutablePointer<Gw__ResponseFormat> {
        let out = arena.message(Gw__ResponseFormat.self) { gw__response_format__init($0) }
        switch format {
        case .text: out.pointee.type = GW__RESPONSE_FORMAT__TYPE__TEXT
        case .jsonObject: out.pointee.type = GW__RESPONSE_FORMAT__TYPE__JSON_OBJECT
        case .jsonSchema(let schema, let name, let strict):
            out.pointee.type = GW__RESPONSE_FORMAT__TYPE__JSON_SCHEMA
            out.pointee.json_schema = arena.bytes(schema)
            out.pointee.name = arena.bytes(name)
            if let strict {
                out.pointee.strict_opt_case = GW__RESPONSE_FORMAT__STRICT_OPT_STRICT
                out.pointee.strict = strict ? 1 : 0
            }
        }
        return out
    }
}
