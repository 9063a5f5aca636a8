internal import Config
internal import Encodings
internal import Generation
internal import JSON

extension Claude {
    /// Writes directly into the body.
    struct RequestEncoder {
        let model: ConfiguredModel
        let host: Host
        private var writer = JSONWriter(capacity: 1024)
        private var checker = JSONTextChecker()
        private var parser: JSONParser { checker.parser }
        /// The fingerprint of the conversation's first message, once known: each message of a long history needs it.
        private var start: Int?

        init(model: ConfiguredModel, host: Host) {
            self.model = model
            self.host = host
        }

        mutating func encode(_ request: PreparedRequest) throws(GenerationError) -> JSONWriter {
            let thinking = try Thinking(request.options, model.facts)
            writer.beginObject()
            switch host {
            case .native: writer.member("model", model.modelName)
            case .vertex: writer.member("anthropic_version", Claude.version(model.configuration))
            }
            writer.member("max_tokens", thinking.maxTokens)
            try conversation(request)
            try tools(request)
            try options(request.options, thinking)
            if request.isStream {
                writer.key("stream")
                writer.bool(true)
            }
            writer.endObject()
            return writer
        }

        mutating func encodeTokenCount(_ request: PreparedRequest) throws(GenerationError) -> JSONWriter {
            writer.beginObject()
            if host == .vertex { writer.member("anthropic_version", Claude.version(model.configuration)) }
            // The token count needs the model in the body at both hosts.
            writer.member("model", model.modelName)
            try conversation(request)
            try tools(request)
            writer.endObject()
            return writer
        }

        // MARK: - The conversation

        private mutating func conversation(_ request: PreparedRequest) throws(GenerationError) {
            let system = request.messages.filter { $0.role == .system }.flatMap(\.textParts)
            if system.count == 1, system[0].breakpoint == nil {
                writer.member("system", system[0].text)
            } else if !system.isEmpty {
                writer.key("system")
                writer.beginArray()
                for (text, breakpoint) in system { textBlock(text, breakpoint) }
                writer.endArray()
            }
            writer.key("messages")
            writer.beginArray()
            var isEmpty = true
            // The vendor merges turns of one role; results of parallel calls must be in one message in any case.
            var turn: [(message: Message, entries: [BlockOrder.Entry])] = []
            for message in request.messages where message.role != .system {
                let entries = try entries(of: message, in: request)
                guard message.hasContent || entries.contains(where: \.isOpaque) else { continue }
                isEmpty = false
                if let last = turn.last?.message, (last.role == .assistant) != (message.role == .assistant) {
                    try write(turn: turn)
                    turn = []
                }
                turn.append((message, entries))
            }
            guard !isEmpty else {
                throw GenerationError(
                    .invalidRequest,
                    "messages has no content: \(model.providerName) needs at least one message that is not a system "
                        + "message and not empty")
            }
            try write(turn: turn)
            writer.endArray()
        }

        private mutating func start(of request: PreparedRequest) -> Int {
            let known = start ?? Origin.fingerprint(request.firstMessage)
            start = known
            return known
        }

        /// The order of a message's blocks, without the thinking that is not valid in this request.
        private mutating func entries(
            of message: Message, in request: PreparedRequest
        ) throws(GenerationError) -> [BlockOrder.Entry] {
            guard !message.providerState.isEmpty, message.role == .assistant,
                let entries = try BlockOrder.entries(message.providerState, family: Claude.family, parser: parser)
            else { return [] }
            let origin = try Origin(message.providerState, parser: parser)
            let isValid = origin?.fits(model) { start(of: request) } ?? true
            if isValid, !request.leavesOutThinking { return entries }
            return entries.filter { entry in
                guard case .opaque(let json) = entry else { return true }
                return !isThinking(json)
            }
        }

        private func isThinking(_ block: String) -> Bool {
            let type = (try? parser.parse(block))?["type"]?.string
            return type == "thinking" || type == "redacted_thinking"
        }

        /// Whether the last message that calls tools begins with thinking, or there is none.
        mutating func beginsWithThinking(lastCallsOf request: PreparedRequest) throws(GenerationError) -> Bool {
            guard let calls = request.messages.last(where: { $0.role == .assistant && !$0.toolCalls.isEmpty }) else {
                return true
            }
            guard case .opaque(let block) = try entries(of: calls, in: request).first else { return false }
            return isThinking(block)
        }

        private mutating func write(
            turn: [(message: Message, entries: [BlockOrder.Entry])]
        ) throws(GenerationError) {
            writer.beginObject()
            let isAssistant = turn[0].message.role == .assistant
            writer.member("role", isAssistant ? "assistant" : "user")
            writer.key("content")
            if turn.count == 1, turn[0].message.isPlainText {
                writer.string(turn[0].message.content)
            } else {
                writer.beginArray()
                if isAssistant {
                    for (message, entries) in turn { try assistantBlocks(message, entries) }
                } else {
                    // Results must come first.
                    for (message, _) in turn where message.role == .tool { toolResult(message) }
                    for (message, _) in turn where message.role != .tool { blocks(message) }
                }
                writer.endArray()
            }
            writer.endObject()
        }

        private mutating func assistantBlocks(
            _ message: Message, _ entries: [BlockOrder.Entry]
        ) throws(GenerationError) {
            for block in BlockOrder.resolve(entries, for: message) {
                switch block {
                case .text(let text, _): textBlock(text)
                case .content: blocks(message)
                case .part(let index, _): self.block(message.parts[index])
                case .call(let index): try toolUse(message.toolCalls[index])
                case .opaque(let json): writer.raw(json)
                }
            }
        }

        private mutating func blocks(_ message: Message) {
            if !message.content.isEmpty { textBlock(message.content) }
            for part in message.parts { block(part) }
        }

        private mutating func block(_ part: Part) {
            switch part.content {
            case .text(let text): if !text.isEmpty { textBlock(text, part.cacheBreakpoint) }
            case .image(let image):
                writer.beginObject()
                writer.member("type", "image")
                source(image.source, mimeType: image.mimeType)
                cacheControl(part.cacheBreakpoint)
                writer.endObject()
            case .file(let file):
                writer.beginObject()
                writer.member("type", "document")
                source(file.source, mimeType: file.mimeType)
                if !file.name.isEmpty { writer.member("title", file.name) }
                cacheControl(part.cacheBreakpoint)
                writer.endObject()
            // The capabilities leave it out.
            case .audio: break
            }
        }

        private mutating func textBlock(_ text: String, _ breakpoint: CacheBreakpoint? = nil) {
            writer.beginObject()
            writer.member("type", "text")
            writer.member("text", text)
            cacheControl(breakpoint)
            writer.endObject()
        }

        private mutating func cacheControl(_ breakpoint: CacheBreakpoint?) {
            guard let breakpoint else { return }
            writer.key("cache_control")
            writer.beginObject()
            writer.member("type", "ephemeral")
            if !breakpoint.ttl.isEmpty { writer.member("ttl", breakpoint.ttl) }
            writer.endObject()
        }

        private mutating func source(_ source: MediaSource, mimeType: String) {
            let (address, ownType) = MediaAddress.of(source)
            writer.key("source")
            writer.beginObject()
            switch address {
            case .url(let url):
                writer.member("type", "url")
                writer.member("url", url)
            case .bytes(let bytes) where mimeType == "text/plain":
                writer.member("type", "text")
                writer.member("media_type", mimeType)
                writer.member("data", String(decoding: bytes, as: UTF8.self))
            case .bytes(let bytes):
                writer.member("type", "base64")
                writer.member("media_type", mimeType)
                writer.key("data")
                writer.plainString { Base64.append(bytes, to: &$0) }
            case .base64(let text):
                writer.member("type", "base64")
                writer.member("media_type", ownType ?? mimeType)
                writer.key("data")
                writer.plainString { $0.append(contentsOf: text.utf8) }
            }
            writer.endObject()
        }

        private mutating func toolUse(_ call: ToolCall) throws(GenerationError) {
            guard !call.id.isEmpty else {
                throw GenerationError(.invalidRequest, "messages.tool_calls.id is missing: a tool result refers to it")
            }
            writer.beginObject()
            writer.member("type", "tool_use")
            writer.member("id", Self.usable(id: call.id))
            writer.member("name", call.name)
            writer.key("input")
            checker.arguments(call.argumentsJSON, &writer)
            writer.endObject()
        }

        private mutating func toolResult(_ message: Message) {
            writer.beginObject()
            writer.member("type", "tool_result")
            writer.member("tool_use_id", Self.usable(id: message.toolCallID))
            if message.isError {
                writer.key("is_error")
                writer.bool(true)
            }
            writer.key("content")
            if message.parts.isEmpty {
                writer.string(message.content)
            } else {
                writer.beginArray()
                blocks(message)
                writer.endArray()
            }
            writer.endObject()
        }

        /// The vendor accepts only letters, digits, `_` and `-`; ids of other vendors may contain other characters.
        private static func usable(id: String) -> String {
            String(String.UnicodeScalarView(id.unicodeScalars.map { $0.isIDCharacter ? $0 : "_" }))
        }

        // MARK: - Tools

        private mutating func tools(_ request: PreparedRequest) throws(GenerationError) {
            guard !request.tools.isEmpty else { return }
            writer.key("tools")
            writer.beginArray()
            for tool in request.tools {
                writer.beginObject()
                defer {
                    cacheControl(tool.cacheBreakpoint)
                    writer.endObject()
                }
                if let builtin = tool.builtin {
                    try write(builtin)
                    continue
                }
                writer.member("name", tool.name)
                if !tool.description.isEmpty { writer.member("description", tool.description) }
                writer.key("input_schema")
                if tool.strict == true {
                    let text = tool.parametersJSON.isEmpty ? #"{"type":"object"}"# : tool.parametersJSON
                    try write(enforced: text, field: "tools.parameters_json of '\(tool.name)'")
                } else {
                    try checker.parameters(of: tool, &writer)
                }
                if let strict = tool.strict {
                    writer.key("strict")
                    writer.bool(strict)
                }
            }
            writer.endArray()
            let isSerial = request.options.parallelToolCalls == false && request.toolChoice != ToolChoice.none
            guard let choice = request.toolChoice ?? (isSerial ? .auto : nil) else { return }
            writer.key("tool_choice")
            writer.beginObject()
            switch choice {
            case .auto: writer.member("type", "auto")
            case .none: writer.member("type", "none")
            case .required: writer.member("type", "any")
            case .named(let name):
                writer.member("type", "tool")
                writer.member("name", name)
            }
            if isSerial {
                writer.key("disable_parallel_tool_use")
                writer.bool(true)
            }
            writer.endObject()
        }

        /// Dated tools, such as `web_search_20250305`, also need their name without the date.
        private mutating func write(_ tool: BuiltinTool) throws(GenerationError) {
            writer.member("type", tool.type)
            let words = tool.type.split(separator: "_")
            if words.count > 1, let date = words.last, date.count == 8, date.allSatisfy(\.isNumber),
                try checker.settings(of: tool)["name"] == nil
            {
                writer.member("name", words.dropLast().joined(separator: "_"))
            }
            try checker.settings(of: tool, &writer)
        }

        // MARK: - Options

        private mutating func options(
            _ options: GenerationOptions, _ thinking: Thinking
        ) throws(GenerationError) {
            writer.member("temperature", options.temperature)
            writer.member("top_p", options.topP)
            writer.member("top_k", options.topK)
            writer.member("stop_sequences", options.stop)
            switch thinking.mode {
            case .off: break
            case .disabled: thinkingMember("disabled")
            case .betweenTools: thinkingMember("between_tools")
            case .adaptive: thinkingMember("adaptive", display: options.reasoning.include ? "summarized" : nil)
            case .budget(let tokens): thinkingMember("enabled", budget: tokens)
            }
            try outputConfig(options.responseFormat, effort: thinking.effort)
            if !options.user.isEmpty {
                writer.key("metadata")
                writer.beginObject()
                writer.member("user_id", options.user)
                writer.endObject()
            }
            if !options.serviceTier.isEmpty { writer.member("service_tier", options.serviceTier) }
        }

        private mutating func thinkingMember(_ type: String, display: String? = nil, budget: Int? = nil) {
            writer.key("thinking")
            writer.beginObject()
            writer.member("type", type)
            if let display { writer.member("display", display) }
            writer.member("budget_tokens", budget)
            writer.endObject()
        }

        private mutating func outputConfig(
            _ format: ResponseFormat, effort: String?
        ) throws(GenerationError) {
            var schema: String?
            if case .jsonSchema(let text, _, _) = format { schema = text }
            guard schema != nil || effort != nil else { return }
            writer.key("output_config")
            writer.beginObject()
            if let effort { writer.member("effort", effort) }
            if let schema {
                writer.key("format")
                writer.beginObject()
                writer.member("type", "json_schema")
                writer.key("schema")
                try write(enforced: schema, field: "options.response_format.json_schema")
                writer.endObject()
            }
            writer.endObject()
        }

        /// Writes a schema that the vendor enforces.
        private mutating func write(enforced text: String, field: String) throws(GenerationError) {
            guard model.facts.schemaTransform == .closedObjects else {
                return try checker.object(text, field: field, &writer)
            }
            let schema = try checker.value(text, field: field)
            try ClosedSchema(field: field).closed(schema).write(to: &writer)
        }
    }
}

extension Unicode.Scalar {
    fileprivate var isIDCharacter: Bool {
        switch self {
        case "a"..."z", "A"..."Z", "0"..."9", "_", "-": true
        default: false
        }
    }
}

extension Message {
    /// The texts of this message.
    var texts: [String] { textParts.map(\.text) }

    /// The texts of this message, and where the prompt is to be cached.
    var textParts: [(text: String, breakpoint: CacheBreakpoint?)] {
        var texts: [(text: String, breakpoint: CacheBreakpoint?)] = content.isEmpty ? [] : [(content, nil)]
        for part in parts {
            if case .text(let text) = part.content, !text.isEmpty { texts.append((text, part.cacheBreakpoint)) }
        }
        return texts
    }

    /// Whether there is anything that every vendor accepts as content.
    var hasContent: Bool {
        role == .tool || !content.isEmpty || !toolCalls.isEmpty
            || parts.contains { if case .text(let text) = $0.content { !text.isEmpty } else { true } }
    }

    /// Whether a plain string can represent the message.
    var isPlainText: Bool {
        role != .tool && parts.isEmpty && toolCalls.isEmpty && providerState.isEmpty
    }
}
