internal import Config
internal import Encodings
internal import Generation
internal import JSON

extension Responses {
    /// Writes a request directly into its body.
    struct RequestEncoder {
        let dialect: Responses
        let model: ConfiguredModel
        private var writer = JSONWriter(capacity: 1024)
        private var checker = JSONTextChecker()
        /// The ids of calls to custom tools, whose results have a different format.
        private var customCalls: Set<String> = []

        init(dialect: Responses, model: ConfiguredModel) {
            self.dialect = dialect
            self.model = model
        }

        mutating func encode(_ request: PreparedRequest) throws(GenerationError) -> JSONWriter {
            try begin(request)
            options(request.options)
            writer.key("store")
            writer.bool(false)
            if request.isStream {
                writer.key("stream")
                writer.bool(true)
            }
            writer.endObject()
            return writer
        }

        mutating func encodeTokenCount(_ request: PreparedRequest) throws(GenerationError) -> JSONWriter {
            try begin(request)
            writer.endObject()
            return writer
        }

        /// Writes the members that count as input.
        private mutating func begin(_ request: PreparedRequest) throws(GenerationError) {
            writer.beginObject()
            writer.member("model", model.nameInBody)
            writer.key("input")
            writer.beginArray()
            for message in request.messages { try items(message) }
            writer.endArray()
            try tools(request)
            try text(request.options)
        }

        // MARK: - Input

        private mutating func items(_ message: Message) throws(GenerationError) {
            switch message.role {
            case .system: self.message(dialect.systemRole.rawValue, message)
            case .user: self.message("user", message)
            case .assistant: try assistantItems(message)
            case .tool: result(message)
            }
        }

        private mutating func message(_ role: String, _ message: Message) {
            writer.beginObject()
            writer.member("role", role)
            writer.key("content")
            content(message)
            writer.endObject()
        }

        private mutating func content(_ message: Message) {
            guard !message.parts.isEmpty else { return writer.string(message.content) }
            writer.beginArray()
            if !message.content.isEmpty { textPart(message.content) }
            for part in message.parts { write(part) }
            writer.endArray()
        }

        /// Writes an assistant message. The vendor accepts only text from a model, so other parts are sent as a user
        /// message. It comes first, because reasoning must directly precede the call that it led to.
        private mutating func assistantItems(_ message: Message) throws(GenerationError) {
            var spoken = message
            spoken.parts = []
            var others: [Part] = []
            for part in message.parts {
                if case .text(let text) = part.content { spoken.content += text } else { others.append(part) }
            }
            if !others.isEmpty { self.message("user", Message(role: .user, parts: others)) }
            let entries = try BlockOrder.entries(message.providerState, family: dialect.family, parser: checker.parser)
            for block in BlockOrder.resolve(entries ?? [], for: spoken) {
                switch block {
                case .text(let text, let phase): answer(text, phase: phase)
                case .content: answer(spoken.content, phase: nil)
                case .call(let index): try call(message.toolCalls[index])
                case .opaque(let json): writer.raw(json)
                // Already written above.
                case .part: break
                }
            }
        }

        private mutating func answer(_ text: String, phase: String?) {
            guard !text.isEmpty else { return }
            writer.beginObject()
            writer.member("role", "assistant")
            writer.member("content", text)
            if let phase { writer.member("phase", phase) }
            writer.endObject()
        }

        private mutating func call(_ call: ToolCall) throws(GenerationError) {
            let state = try ProviderState.content(call.providerState, family: dialect.family, parser: checker.parser)
            let isCustom = state?["custom"]?.bool == true
            let customInput = isCustom ? CustomTool.input(call.argumentsJSON, checker.parser) : nil
            writer.beginObject()
            if let customInput {
                customCalls.insert(call.id)
                writer.member("type", "custom_tool_call")
                writer.member("call_id", call.id)
                writer.member("name", call.name)
                writer.member("input", customInput)
            } else {
                writer.member("type", "function_call")
                writer.member("call_id", call.id)
                writer.member("name", call.name)
                writer.member("arguments", call.argumentsJSON.isEmpty ? "{}" : call.argumentsJSON)
            }
            writer.endObject()
        }

        private mutating func result(_ message: Message) {
            writer.beginObject()
            let isCustom = customCalls.contains(message.toolCallID)
            writer.member("type", isCustom ? "custom_tool_call_output" : "function_call_output")
            writer.member("call_id", message.toolCallID)
            writer.key("output")
            content(message)
            writer.endObject()
        }

        // MARK: - Parts

        private mutating func write(_ part: Part) {
            switch part.content {
            // Rejected by the capabilities.
            case .audio: break
            case .text(let text): textPart(text)
            case .image(let image):
                writer.beginObject()
                writer.member("type", "input_image")
                writer.key("image_url")
                url(image.source, mimeType: image.mimeType)
                if !image.detail.isEmpty { writer.member("detail", image.detail) }
                writer.endObject()
            case .file(let file): filePart(file)
            }
        }

        private mutating func textPart(_ text: String) {
            writer.beginObject()
            writer.member("type", "input_text")
            writer.member("text", text)
            writer.endObject()
        }

        private mutating func filePart(_ file: File) {
            writer.beginObject()
            writer.member("type", "input_file")
            if case .url(let address) = MediaAddress.of(file.source).address {
                writer.member("file_url", address)
            } else {
                writer.member("filename", file.name.isEmpty ? "file" : file.name)
                writer.key("file_data")
                url(file.source, mimeType: file.mimeType)
            }
            writer.endObject()
        }

        private mutating func url(_ source: MediaSource, mimeType: String) {
            switch source {
            case .url(let url): writer.string(url)
            case .data(let bytes):
                writer.plainString(prefix: "data:\(mimeType);base64,") { Base64.append(bytes, to: &$0) }
            }
        }

        // MARK: - Tools

        private mutating func tools(_ request: PreparedRequest) throws(GenerationError) {
            guard !request.tools.isEmpty else { return }
            writer.key("tools")
            writer.beginArray()
            for tool in request.tools { try write(tool) }
            writer.endArray()
            switch request.toolChoice {
            case nil: break
            case .auto: writer.member("tool_choice", "auto")
            case .some(.none): writer.member("tool_choice", "none")
            case .required: writer.member("tool_choice", "required")
            case .named(let name):
                writer.key("tool_choice")
                writer.beginObject()
                writer.member("type", "function")
                writer.member("name", name)
                writer.endObject()
            }
            if let parallel = request.options.parallelToolCalls {
                writer.key("parallel_tool_calls")
                writer.bool(parallel)
            }
        }

        private mutating func write(_ tool: Tool) throws(GenerationError) {
            if let builtin = tool.builtin { return try write(builtin) }
            writer.beginObject()
            writer.member("type", "function")
            writer.member("name", tool.name)
            if !tool.description.isEmpty { writer.member("description", tool.description) }
            writer.key("parameters")
            try checker.parameters(of: tool, &writer)
            // Tools are strict by default here, but not in chat: the default must not depend on the API.
            writer.key("strict")
            writer.bool(tool.strict ?? false)
            writer.endObject()
        }

        private mutating func write(_ builtin: BuiltinTool) throws(GenerationError) {
            writer.beginObject()
            writer.member("type", builtin.type)
            try checker.settings(of: builtin, &writer)
            writer.endObject()
        }

        // MARK: - Options

        private mutating func text(_ options: GenerationOptions) throws(GenerationError) {
            guard options.responseFormat != .text || !options.verbosity.isEmpty else { return }
            writer.key("text")
            writer.beginObject()
            if !options.verbosity.isEmpty { writer.member("verbosity", options.verbosity) }
            switch options.responseFormat {
            case .text: break
            case .jsonObject:
                writer.key("format")
                writer.raw(#"{"type":"json_object"}"#)
            case .jsonSchema(let schema, let name, let strict):
                writer.key("format")
                writer.beginObject()
                writer.member("type", "json_schema")
                writer.member("name", name.isEmpty ? "response" : name)
                writer.key("schema")
                try checker.object(schema, field: "options.response_format.json_schema", &writer)
                writer.key("strict")
                writer.bool(strict ?? false)
                writer.endObject()
            }
            writer.endObject()
        }

        private mutating func options(_ options: GenerationOptions) {
            writer.member("max_output_tokens", options.maxTokens)
            writer.member("temperature", options.temperature)
            writer.member("top_p", options.topP)
            if !options.user.isEmpty { writer.member("safety_identifier", options.user) }
            if !options.promptCacheKey.isEmpty { writer.member("prompt_cache_key", options.promptCacheKey) }
            if !options.serviceTier.isEmpty { writer.member("service_tier", options.serviceTier) }
            // A model without reasoning refuses these members.
            let facts = model.facts
            let isAsked = !options.reasoning.effort.isEmpty || (facts.origin == .unknown && options.reasoning.include)
            guard isAsked || facts.reasoning.isPossible else { return }
            reasoning(options.reasoning)
            writer.member("include", ["reasoning.encrypted_content"])
        }

        private mutating func reasoning(_ options: ReasoningOptions) {
            guard !options.effort.isEmpty || options.include else { return }
            writer.key("reasoning")
            writer.beginObject()
            if !options.effort.isEmpty { writer.member("effort", options.effort) }
            if options.include { writer.member("summary", "auto") }
            writer.endObject()
        }
    }

    /// Converts between the input of custom tools, which is free text, and the contract's arguments, which are JSON.
    enum CustomTool {
        /// The arguments for `input`.
        static func arguments(_ input: String) -> String {
            let value: JSONValue = ["input": .string(input)]
            return value.text
        }

        /// The input in `arguments`; `nil` if the caller has changed them.
        static func input(_ arguments: String, _ parser: JSONParser) -> String? {
            guard !JSONTextChecker.isTooDeep(arguments) else { return nil }
            return (try? parser.parse(arguments))?["input"]?.string
        }
    }
}
