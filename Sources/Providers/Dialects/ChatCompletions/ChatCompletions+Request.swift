internal import Config
internal import Encodings
internal import Generation
internal import JSON

extension ChatCompletions {
    /// Writes directly into the body, without an intermediate tree.
    struct RequestEncoder {
        let model: ConfiguredModel
        let quirks: Quirks
        let options: Options
        private var writer = JSONWriter(capacity: 1024)
        private var checker = JSONTextChecker()

        init(model: ConfiguredModel, quirks: Quirks, options: Options) {
            self.model = model
            self.quirks = quirks
            self.options = options
        }

        mutating func encode(_ request: PreparedRequest) throws(GenerationError) -> JSONWriter {
            writer.beginObject()
            writer.key("model")
            writer.string(model.nameInBody)
            writer.key("messages")
            writer.beginArray()
            for message in request.messages { try write(message) }
            writer.endArray()
            try tools(request)
            try options(request.options)
            if request.isStream {
                writer.key("stream")
                writer.bool(true)
                if options.streamUsage {
                    writer.key("stream_options")
                    writer.raw(#"{"include_usage":true}"#)
                }
            }
            writer.endObject()
            return writer
        }

        // MARK: - Messages

        private mutating func write(_ message: Message) throws(GenerationError) {
            writer.beginObject()
            writer.key("role")
            switch message.role {
            case .system: writer.string(options.systemRole.rawValue)
            case .user: writer.string("user")
            case .assistant: writer.string("assistant")
            case .tool: writer.string("tool")
            }
            if message.role == .tool {
                writer.member("tool_call_id", message.toolCallID)
            } else if !message.name.isEmpty {
                writer.member("name", message.name)
            }
            writer.key("content")
            content(message)
            try reasoningContent(message)
            if !message.toolCalls.isEmpty {
                writer.key("tool_calls")
                toolCalls(message.toolCalls)
            }
            writer.endObject()
        }

        /// The reasoning of an earlier answer, for servers that want it back: DeepSeek's and Kimi's refuse calls
        /// without it, and Kimi's an empty one.
        private mutating func reasoningContent(_ message: Message) throws(GenerationError) {
            guard model.facts.sendsReasoningBack, message.role == .assistant else { return }
            let state = try ProviderState.content(
                message.providerState, family: ChatCompletions.family, parser: checker.parser)
            var text = state?["reasoning_content"]?.nonEmptyString ?? message.reasoning
            if text.isEmpty, !message.toolCalls.isEmpty { text = " " }
            if !text.isEmpty { writer.member("reasoning_content", text) }
        }

        private mutating func content(_ message: Message) {
            guard !message.parts.isEmpty else {
                // An assistant that only called tools has no content.
                if message.content.isEmpty, !message.toolCalls.isEmpty { return writer.null() }
                return writer.string(message.content)
            }
            writer.beginArray()
            if !message.content.isEmpty { textPart(message.content) }
            for part in message.parts {
                switch part.content {
                case .text(let text): textPart(text)
                case .image(let image): imagePart(image)
                case .file(let file) where Self.isAudio(file): audioPart(file.source, mimeType: file.mimeType)
                case .file(let file): filePart(file)
                case .audio(let audio): audioPart(audio.source, mimeType: audio.mimeType)
                }
            }
            writer.endArray()
        }

        private mutating func textPart(_ text: String) {
            writer.beginObject()
            writer.member("type", "text")
            writer.member("text", text)
            writer.endObject()
        }

        private mutating func imagePart(_ image: Image) {
            writer.beginObject()
            writer.member("type", "image_url")
            writer.key("image_url")
            writer.beginObject()
            writer.key("url")
            url(image.source, mimeType: image.mimeType)
            if !image.detail.isEmpty { writer.member("detail", image.detail) }
            writer.endObject()
            writer.endObject()
        }

        private mutating func filePart(_ file: File) {
            writer.beginObject()
            writer.member("type", "file")
            writer.key("file")
            writer.beginObject()
            writer.member("filename", file.name.isEmpty ? "file" : file.name)
            writer.key("file_data")
            url(file.source, mimeType: file.mimeType)
            writer.endObject()
            writer.endObject()
        }

        private mutating func audioPart(_ source: MediaSource, mimeType: String) {
            let (address, ownType) = MediaAddress.of(source)
            writer.beginObject()
            writer.member("type", "input_audio")
            writer.key("input_audio")
            writer.beginObject()
            writer.key("data")
            switch address {
            case .url(let url): writer.string(url)
            case .bytes(let bytes): writer.plainString { Base64.append(bytes, to: &$0) }
            case .base64(let text): writer.plainString { $0.append(contentsOf: text.utf8) }
            }
            writer.member("format", Self.audioFormat(ownType ?? mimeType))
            writer.endObject()
            writer.endObject()
        }

        /// The vendor takes sound in a part of its own, whatever the caller calls it.
        private static func isAudio(_ file: File) -> Bool {
            let (address, ownType) = MediaAddress.of(file.source)
            if case .url = address { return false }
            return (ownType ?? file.mimeType).lowercased().hasPrefix("audio/")
        }

        /// The vendor's name of a media type.
        static func audioFormat(_ mimeType: String) -> String {
            let type = mimeType.lowercased().prefix { $0 != ";" }
            return switch type {
            case "audio/mpeg", "audio/mp3": "mp3"
            case "audio/wav", "audio/x-wav", "audio/wave", "audio/vnd.wave": "wav"
            default: String(type.split(separator: "/").last ?? "wav")
            }
        }

        private mutating func url(_ source: MediaSource, mimeType: String) {
            switch source {
            case .url(let url): writer.string(url)
            case .data(let bytes):
                writer.plainString(prefix: "data:\(mimeType);base64,") { Base64.append(bytes, to: &$0) }
            }
        }

        private mutating func toolCalls(_ calls: [ToolCall]) {
            writer.beginArray()
            for call in calls {
                writer.beginObject()
                writer.member("id", call.id)
                writer.member("type", "function")
                writer.key("function")
                writer.beginObject()
                writer.member("name", call.name)
                writer.member("arguments", call.argumentsJSON.isEmpty ? "{}" : call.argumentsJSON)
                writer.endObject()
                writer.endObject()
            }
            writer.endArray()
        }

        // MARK: - Tools

        private mutating func tools(_ request: PreparedRequest) throws(GenerationError) {
            guard !request.tools.isEmpty else { return }
            writer.key("tools")
            writer.beginArray()
            for tool in request.tools {
                if let builtin = tool.builtin { try write(builtin) } else { try write(tool) }
            }
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
                writer.key("function")
                writer.beginObject()
                writer.member("name", name)
                writer.endObject()
                writer.endObject()
            }
            if let parallel = request.options.parallelToolCalls {
                writer.key("parallel_tool_calls")
                writer.bool(parallel)
            }
        }

        private mutating func write(_ tool: BuiltinTool) throws(GenerationError) {
            writer.beginObject()
            writer.member("type", tool.type)
            try checker.settings(of: tool, &writer)
            writer.endObject()
        }

        private mutating func write(_ tool: Tool) throws(GenerationError) {
            writer.beginObject()
            writer.member("type", "function")
            writer.key("function")
            writer.beginObject()
            writer.member("name", tool.name)
            if !tool.description.isEmpty { writer.member("description", tool.description) }
            writer.key("parameters")
            try checker.parameters(of: tool, &writer)
            if let strict = tool.strict {
                writer.key("strict")
                writer.bool(strict)
            }
            writer.endObject()
            writer.endObject()
        }

        // MARK: - Options

        private mutating func options(_ options: GenerationOptions) throws(GenerationError) {
            if let maxTokens = options.maxTokens {
                writer.key(usesMaxCompletionTokens ? "max_completion_tokens" : "max_tokens")
                writer.int(maxTokens)
            }
            writer.member("temperature", options.temperature)
            writer.member("top_p", options.topP)
            writer.member("presence_penalty", options.presencePenalty)
            writer.member("frequency_penalty", options.frequencyPenalty)
            writer.member("top_k", options.topK)
            writer.member("stop", options.stop)
            writer.member("seed", options.seed)
            try responseFormat(options.responseFormat)
            reasoning(options.reasoning)
            if !options.user.isEmpty { writer.member("user", options.user) }
            if !options.promptCacheKey.isEmpty { writer.member("prompt_cache_key", options.promptCacheKey) }
            if !options.serviceTier.isEmpty { writer.member("service_tier", options.serviceTier) }
            if !options.verbosity.isEmpty { writer.member("verbosity", options.verbosity) }
        }

        /// Without a control, servers with one put reasoning into the text; models without reasoning reject each.
        private mutating func reasoning(_ options: ReasoningOptions) {
            let reasoning = model.facts.reasoning
            if !options.effort.isEmpty {
                let effort = ModelFacts.Reasoning.Effort(rawValue: options.effort)
                writer.member("reasoning_effort", effort.map { reasoning.word(for: $0) } ?? options.effort)
            }
            switch model.facts.reasoningOutput {
            case .fixed: break
            case .includeReasoning:
                writer.key("include_reasoning")
                writer.bool(options.include)
            case .reasoningFormat: writer.member("reasoning_format", options.include ? "parsed" : "hidden")
            }
        }

        private mutating func responseFormat(_ format: ResponseFormat) throws(GenerationError) {
            switch format {
            case .text: break
            case .jsonObject:
                writer.key("response_format")
                writer.raw(#"{"type":"json_object"}"#)
            case .jsonSchema(let schema, let name, let strict):
                writer.key("response_format")
                writer.beginObject()
                writer.member("type", "json_schema")
                writer.key("json_schema")
                writer.beginObject()
                writer.member("name", name.isEmpty ? "response" : name)
                writer.key("schema")
                try checker.object(schema, field: "options.response_format.json_schema", &writer)
                if let strict {
                    writer.key("strict")
                    writer.bool(strict)
                }
                writer.endObject()
                writer.endObject()
            }
        }

        /// Old compatible servers accept only `max_tokens`; reasoning models reject it.
        private var usesMaxCompletionTokens: Bool {
            switch options.maxTokensParameter {
            case .maxTokens: false
            case .maxCompletionTokens: true
            case .auto: model.facts.maxTokensField == .maxCompletionTokens
            }
        }
    }
}
