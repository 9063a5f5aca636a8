internal import CGenwireProto
internal import CProtobufC
public import Generation

/// What a request says about the call itself, beside what it asks for.
public struct CallFields: Sendable, Equatable {
    /// The caller's own id for `Control.Cancel`; empty for none.
    public var callID = ""
    /// Milliseconds from the request's arrival to its end; 0 for none.
    public var deadlineMilliseconds: UInt64 = 0

    /// No id, no deadline.
    public init() {}
}

extension MessageCoder {
    /// Reads a `ChatRequest`.
    /// - Throws: `MessageError` where the bytes are not one, or hold text that is not UTF-8.
    public func chatRequest(
        _ bytes: UnsafeRawBufferPointer
    ) throws(MessageError) -> (request: ChatRequest, call: CallFields) {
        guard let message = arena.unpack(bytes, with: { gw__chat_request__unpack($0, $1, $2) }) else {
            throw MessageError("the bytes are not a readable ChatRequest")
        }
        defer { arena.reset() }
        return try Self.read(message.pointee)
    }

    /// Reads a `GenerateRequest` as the chat that it stands for.
    /// - Throws: `MessageError`, as `chatRequest`.
    public func generateRequest(
        _ bytes: UnsafeRawBufferPointer
    ) throws(MessageError) -> (request: ChatRequest, call: CallFields) {
        guard let message = arena.unpack(bytes, with: { gw__generate_request__unpack($0, $1, $2) }) else {
            throw MessageError("the bytes are not a readable GenerateRequest")
        }
        defer { arena.reset() }
        let raw = message.pointee
        var messages: [Message] = []
        if raw.system.len > 0 { messages.append(Message(role: .system, content: try raw.system.text("system"))) }
        messages.append(Message(role: .user, content: try raw.prompt.text("prompt")))
        let request = ChatRequest(
            model: try raw.model.text("model", atMost: RequestBounds.name), messages: messages,
            options: try Self.read(raw.options))
        return (request, try Self.call(raw.call_id, raw.deadline_ms))
    }

    static func read(_ tool: Gw__Tool) throws(MessageError) -> Tool {
        Tool(
            name: try tool.name.text("tools.name", atMost: RequestBounds.name),
            description: try tool.description.text("tools.description"),
            parametersJSON: try tool.parameters_json.text("tools.parameters_json"),
            strict: tool.strict_opt_case == GW__TOOL__STRICT_OPT_STRICT ? tool.strict != 0 : nil)
    }

    private static func read(_ raw: Gw__ChatRequest) throws(MessageError) -> (request: ChatRequest, call: CallFields) {
        var request = ChatRequest(
            model: try raw.model.text("model", atMost: RequestBounds.name),
            messages: try messages(raw.messages, raw.n_messages), tools: try tools(raw.tools, raw.n_tools))
        if let choice = raw.tool_choice?.pointee {
            switch choice.mode {
            case GW__TOOL_CHOICE__MODE__AUTO: request.toolChoice = .auto
            case GW__TOOL_CHOICE__MODE__NONE: request.toolChoice = ToolChoice.none
            case GW__TOOL_CHOICE__MODE__REQUIRED: request.toolChoice = .required
            case GW__TOOL_CHOICE__MODE__NAMED:
                request.toolChoice =
                    .named(try choice.name.text("tool_choice.name", atMost: RequestBounds.name))
            default: throw MessageError("tool_choice.mode \(choice.mode.rawValue) is unknown")
            }
        }
        request.options = try read(raw.options)
        return (request, try call(raw.call_id, raw.deadline_ms))
    }

    static func call(_ id: ProtobufCBinaryData, _ deadline: some BinaryInteger) throws(MessageError) -> CallFields {
        var call = CallFields()
        call.callID = try id.text("call_id", atMost: RequestBounds.name)
        guard deadline >= 0 else { throw MessageError("deadline_ms is negative") }
        call.deadlineMilliseconds = UInt64(deadline)
        return call
    }

    static func messages(
        _ pointers: UnsafeMutablePointer<UnsafeMutablePointer<Gw__Message>?>?, _ count: Int
    ) throws(MessageError) -> [Message] {
        try RequestBounds.check(count, of: "messages", atMost: RequestBounds.messages)
        var messages: [Message] = []
        messages.reserveCapacity(count)
        var (parts, calls) = (0, 0)
        for message in each(pointers, count) {
            parts += message.n_parts
            try RequestBounds.check(parts, of: "messages.parts", atMost: RequestBounds.parts)
            calls += message.n_tool_calls
            try RequestBounds.check(calls, of: "messages.tool_calls", atMost: RequestBounds.toolCalls)
            messages.append(try read(message))
        }
        return messages
    }

    static func tools(
        _ pointers: UnsafeMutablePointer<UnsafeMutablePointer<Gw__Tool>?>?, _ count: Int
    ) throws(MessageError) -> [Tool] {
        try RequestBounds.check(count, of: "tools", atMost: RequestBounds.tools)
        var tools: [Tool] = []
        for tool in each(pointers, count) { tools.append(try read(tool)) }
        return tools
    }

    static func read(_ raw: Gw__Message) throws(MessageError) -> Message {
        var message = Message(role: try role(raw.role), content: try raw.content.text("messages.content"))
        for part in each(raw.parts, raw.n_parts) { message.parts.append(try read(part)) }
        for call in each(raw.tool_calls, raw.n_tool_calls) {
            message.toolCalls.append(
                ToolCall(
                    id: try call.id.text("tool_calls.id", atMost: RequestBounds.id),
                    name: try call.name.text("tool_calls.name", atMost: RequestBounds.name),
                    argumentsJSON: try call.arguments_json.text("tool_calls.arguments_json"),
                    providerState: call.provider_state.array))
        }
        message.toolCallID = try raw.tool_call_id.text("messages.tool_call_id", atMost: RequestBounds.id)
        message.name = try raw.name.text("messages.name", atMost: RequestBounds.name)
        message.reasoning = try raw.reasoning.text("messages.reasoning")
        message.providerState = raw.provider_state.array
        return message
    }

    private static func role(_ raw: Gw__Role) throws(MessageError) -> Role {
        switch raw {
        case GW__ROLE__ROLE_SYSTEM: .system
        case GW__ROLE__ROLE_USER: .user
        case GW__ROLE__ROLE_ASSISTANT: .assistant
        case GW__ROLE__ROLE_TOOL: .tool
        default:
            throw MessageError(
                "messages.role is missing or unknown; use ROLE_SYSTEM, ROLE_USER, ROLE_ASSISTANT or ROLE_TOOL")
        }
    }

    private static func read(_ raw: Gw__Part) throws(MessageError) -> Part {
        switch raw.kind_case {
        case GW__PART__KIND_TEXT: return .text(try raw.text.text("parts.text"))
        case GW__PART__KIND_IMAGE:
            let image = raw.image.pointee
            let source: MediaSource
            switch image.source_case {
            case GW__IMAGE__SOURCE_DATA: source = .data(image.data.array)
            case GW__IMAGE__SOURCE_URL: source = .url(try image.url.text("parts.image.url"))
            default: throw MessageError("parts.image has neither data nor url")
            }
            return .image(
                Image(
                    mimeType: try image.mime_type.text("parts.image.mime_type", atMost: RequestBounds.name),
                    source: source,
                    detail: try image.detail.text("parts.image.detail", atMost: RequestBounds.name)))
        case GW__PART__KIND_FILE:
            let file = raw.file.pointee
            let source: MediaSource
            switch file.source_case {
            case GW__FILE__SOURCE_DATA: source = .data(file.data.array)
            case GW__FILE__SOURCE_URL: source = .url(try file.url.text("parts.file.url"))
            default: throw MessageError("parts.file has neither data nor url")
            }
            return .file(
                File(
                    mimeType: try file.mime_type.text("parts.file.mime_type", atMost: RequestBounds.name),
                    name: try file.name.text("parts.file.name", atMost: RequestBounds.id), source: source))
        default: throw MessageError("a part is empty")
        }
    }

    static func read(_ pointer: UnsafeMutablePointer<Gw__GenerationOptions>?) throws(MessageError) -> GenerationOptions
    {
        var options = GenerationOptions()
        guard let raw = pointer?.pointee else { return options }
        if raw.max_tokens_opt_case == GW__GENERATION_OPTIONS__MAX_TOKENS_OPT_MAX_TOKENS {
            options.maxTokens = Int(raw.max_tokens)
        }
        if raw.temperature_opt_case == GW__GENERATION_OPTIONS__TEMPERATURE_OPT_TEMPERATURE {
            options.temperature = raw.temperature
        }
        if raw.top_p_opt_case == GW__GENERATION_OPTIONS__TOP_P_OPT_TOP_P { options.topP = raw.top_p }
        if raw.top_k_opt_case == GW__GENERATION_OPTIONS__TOP_K_OPT_TOP_K { options.topK = Int(raw.top_k) }
        try RequestBounds.check(raw.n_stop, of: "options.stop", atMost: RequestBounds.stops)
        for index in 0..<raw.n_stop { options.stop.append(try raw.stop[index].text("options.stop")) }
        if raw.seed_opt_case == GW__GENERATION_OPTIONS__SEED_OPT_SEED { options.seed = raw.seed }
        if raw.presence_penalty_opt_case == GW__GENERATION_OPTIONS__PRESENCE_PENALTY_OPT_PRESENCE_PENALTY {
            options.presencePenalty = raw.presence_penalty
        }
        if raw.frequency_penalty_opt_case == GW__GENERATION_OPTIONS__FREQUENCY_PENALTY_OPT_FREQUENCY_PENALTY {
            options.frequencyPenalty = raw.frequency_penalty
        }
        if let format = raw.response_format?.pointee { options.responseFormat = try read(format) }
        if let reasoning = raw.reasoning?.pointee {
            options.reasoning.effort = try reasoning.effort.text("options.reasoning.effort", atMost: RequestBounds.name)
            if reasoning.budget_tokens_opt_case == GW__REASONING_OPTIONS__BUDGET_TOKENS_OPT_BUDGET_TOKENS {
                options.reasoning.budgetTokens = Int(reasoning.budget_tokens)
            }
            options.reasoning.include = reasoning.include != 0
        }
        if raw.parallel_tool_calls_opt_case == GW__GENERATION_OPTIONS__PARALLEL_TOOL_CALLS_OPT_PARALLEL_TOOL_CALLS {
            options.parallelToolCalls = raw.parallel_tool_calls != 0
        }
        options.user = try raw.user.text("options.user", atMost: RequestBounds.id)
        if let cache = raw.cache?.pointee {
            switch cache.mode {
            case GW__CACHE_OPTIONS__MODE__OFF: options.cache.mode = .off
            case GW__CACHE_OPTIONS__MODE__REFRESH: options.cache.mode = .refresh
            case GW__CACHE_OPTIONS__MODE__ONLY: options.cache.mode = .only
            default: options.cache.mode = .standard
            }
            if cache.ttl_seconds_opt_case == GW__CACHE_OPTIONS__TTL_SECONDS_OPT_TTL_SECONDS {
                options.cache.ttlSeconds = Int(cache.ttl_seconds)
            }
        }
        try RequestBounds.check(raw.n_fallbacks, of: "options.fallbacks", atMost: GenerationOptions.maximumFallbacks)
        for index in 0..<raw.n_fallbacks {
            options.fallbacks.append(try raw.fallbacks[index].text("options.fallbacks", atMost: RequestBounds.name))
        }
        options.dropUnsupported = raw.drop_unsupported != 0
        return options
    }

    private static func read(_ format: Gw__ResponseFormat) throws(MessageError) -> ResponseFormat {
        switch format.type {
        case GW__RESPONSE_FORMAT__TYPE__TEXT: return .text
        case GW__RESPONSE_FORMAT__TYPE__JSON_OBJECT: return .jsonObject
        case GW__RESPONSE_FORMAT__TYPE__JSON_SCHEMA:
            return .jsonSchema(
                schema: try format.json_schema.text("response_format.json_schema"),
                name: try format.name.text("response_format.name", atMost: RequestBounds.name),
                strict: format.strict_opt_case == GW__RESPONSE_FORMAT__STRICT_OPT_STRICT ? format.strict != 0 : nil)
        default: throw MessageError("options.response_format.type \(format.type.rawValue) is unknown")
        }
    }

    /// The elements of a repeated message field.
    static func each<T>(
        _ pointers: UnsafeMutablePointer<UnsafeMutablePointer<T>?>?, _ count: Int
    ) -> some Sequence<T> {
        UnsafeBufferPointer(start: pointers, count: pointers == nil ? 0 : count).lazy.compactMap { $0?.pointee }
    }
}
