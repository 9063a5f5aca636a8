internal import Config
internal import Encodings
internal import Generation
internal import JSON

extension Gemini {
    /// Writes directly into the body.
    struct RequestEncoder {
        /// A call that was made in the conversation, for the result that follows.
        private struct MadeCall {
            let name: String
            /// The vendor's id; empty if it gave none, as Vertex AI mostly does.
            let vendorID: String
            let position: Int
        }

        let model: ConfiguredModel
        private let safetySettings: String?
        private var writer = JSONWriter(capacity: 1024)
        private var checker = JSONTextChecker()
        private var parser: JSONParser { checker.parser }
        private var calls: [String: MadeCall] = [:]

        init(model: ConfiguredModel, safetySettings: String? = nil) {
            self.model = model
            self.safetySettings = safetySettings
        }

        mutating func encode(_ request: PreparedRequest) throws(GenerationError) -> JSONWriter {
            writer.beginObject()
            try conversation(request)
            try tools(request)
            toolChoice(request)
            try generationConfig(request.options)
            if let settings = safetySettings {
                writer.key("safetySettings")
                writer.raw(settings)
            }
            let options = request.options
            if !options.cachedContent.isEmpty { writer.member("cachedContent", options.cachedContent) }
            if !options.serviceTier.isEmpty { writer.member("serviceTier", options.serviceTier) }
            writer.endObject()
            return writer
        }

        mutating func encodeTokenCount(
            _ request: PreparedRequest, host: Host
        ) throws(GenerationError) -> JSONWriter {
            writer.beginObject()
            if host == .native {
                // To count more than the contents, the Gemini API requires a complete request.
                writer.key("generateContentRequest")
                writer.beginObject()
                writer.member(
                    "model", model.modelName.contains("/") ? model.modelName : "models/" + model.modelName)
            }
            try conversation(request)
            try tools(request)
            if host == .native { writer.endObject() }
            writer.endObject()
            return writer
        }

        // MARK: - The conversation

        private mutating func conversation(_ request: PreparedRequest) throws(GenerationError) {
            let system = request.messages.filter { $0.role == .system }.flatMap(\.texts)
            if !system.isEmpty {
                writer.key("systemInstruction")
                writer.beginObject()
                writer.key("parts")
                writer.beginArray()
                for text in system { textPart(text) }
                writer.endArray()
                writer.endObject()
            }
            writer.key("contents")
            writer.beginArray()
            var isEmpty = true
            // The results of one batch of calls go back as one content.
            var results: [Message] = []
            for message in request.messages where message.role != .system {
                guard try BlockOrder.hasContent(message, family: Gemini.family, parser: parser) else { continue }
                isEmpty = false
                if message.role == .tool {
                    results.append(message)
                    continue
                }
                if !results.isEmpty { try write(results: results) }
                results = []
                try write(message)
            }
            if !results.isEmpty { try write(results: results) }
            writer.endArray()
            guard !isEmpty else {
                throw GenerationError(
                    .invalidRequest,
                    "messages has no content: \(model.providerName) needs at least one message that is not a system "
                        + "message and not empty")
            }
        }

        private mutating func beginContent(_ role: String) {
            writer.beginObject()
            writer.member("role", role)
            writer.key("parts")
            writer.beginArray()
        }

        private mutating func endContent() {
            writer.endArray()
            writer.endObject()
        }

        private mutating func write(_ message: Message) throws(GenerationError) {
            beginContent(message.role == .assistant ? "model" : "user")
            if message.role == .assistant {
                let entries = try BlockOrder.entries(message.providerState, family: Gemini.family, parser: parser)
                var isFirstCall = true
                for block in BlockOrder.resolve(entries ?? [], for: message) {
                    switch block {
                    case .text(let text, let signature): textPart(text, signature: signature)
                    case .content: parts(message)
                    case .part(let index, let signature): self.part(message.parts[index], signature: signature)
                    case .call(let index):
                        try functionCall(message.toolCalls[index], position: index, isFirst: isFirstCall)
                        isFirstCall = false
                    case .opaque(let json): writer.raw(json)
                    }
                }
            } else {
                parts(message)
            }
            endContent()
        }

        private mutating func parts(_ message: Message) {
            if !message.content.isEmpty { textPart(message.content) }
            for part in message.parts { self.part(part) }
        }

        private mutating func part(_ part: Part, signature: String? = nil) {
            switch part.content {
            case .text(let text): if !text.isEmpty { textPart(text, signature: signature) }
            case .image(let image): media(image.source, image.mimeType, fallback: "image/jpeg", signature)
            case .file(let file): media(file.source, file.mimeType, fallback: "application/pdf", signature)
            case .audio(let audio): media(audio.source, audio.mimeType, fallback: "audio/wav", signature)
            }
        }

        private mutating func textPart(_ text: String, signature: String? = nil) {
            writer.beginObject()
            writer.member("text", text)
            if let signature { writer.member("thoughtSignature", signature) }
            writer.endObject()
        }

        private mutating func media(
            _ source: MediaSource, _ mimeType: String, fallback: String, _ signature: String?
        ) {
            let (address, ownType) = MediaAddress.of(source)
            writer.beginObject()
            switch address {
            case .url(let url):
                writer.key("fileData")
                writer.beginObject()
                let known = mimeType.isEmpty ? MediaAddress.mimeType(ofAddress: url) ?? fallback : mimeType
                writer.member("mimeType", known)
                writer.member("fileUri", url)
            case .bytes(let bytes):
                writer.key("inlineData")
                writer.beginObject()
                writer.member("mimeType", mimeType)
                writer.key("data")
                writer.plainString { Base64.append(bytes, to: &$0) }
            case .base64(let text):
                writer.key("inlineData")
                writer.beginObject()
                writer.member("mimeType", ownType ?? mimeType)
                writer.key("data")
                writer.plainString { $0.append(contentsOf: text.utf8) }
            }
            writer.endObject()
            if let signature { writer.member("thoughtSignature", signature) }
            writer.endObject()
        }

        // MARK: - Calls and results

        /// Google's word for a call that has no signature because another model made it.
        private static let substituteSignature = "skip_thought_signature_validator"

        /// - Parameter isFirst: of its message; the vendor wants a signature only there.
        private mutating func functionCall(
            _ call: ToolCall, position: Int, isFirst: Bool
        ) throws(GenerationError) {
            let state = try ProviderState.content(call.providerState, family: Gemini.family, parser: parser)
            let vendorID = state?["id"]?.string ?? ""
            let substitute = isFirst && model.facts.needsThoughtSignatures ? Self.substituteSignature : nil
            let signature = state?["signature"]?.string ?? substitute
            calls[call.id] = MadeCall(name: call.name, vendorID: vendorID, position: position)
            writer.beginObject()
            writer.key("functionCall")
            writer.beginObject()
            if !vendorID.isEmpty { writer.member("id", vendorID) }
            writer.member("name", call.name)
            writer.key("args")
            checker.arguments(call.argumentsJSON, &writer)
            writer.endObject()
            if let signature { writer.member("thoughtSignature", signature) }
            writer.endObject()
        }

        /// Results are in the order of their calls: without ids, the vendor matches them by order.
        private mutating func write(results: [Message]) throws(GenerationError) {
            var ordered: [(call: MadeCall, message: Message)] = []
            for message in results {
                if let call = calls[message.toolCallID] {
                    ordered.append((call, message))
                } else if !message.name.isEmpty {
                    ordered.append((MadeCall(name: message.name, vendorID: "", position: .max), message))
                } else {
                    throw GenerationError(
                        .invalidRequest,
                        "messages.tool_call_id '\(message.toolCallID)' matches no call of this conversation; "
                            + "\(model.providerName) needs the call before its result, or the tool's name")
                }
            }
            // Swift's sort is stable.
            ordered.sort { $0.call.position < $1.call.position }
            beginContent("user")
            for (call, message) in ordered { functionResponse(call, message) }
            for (_, message) in ordered where !message.parts.isEmpty {
                var media = message
                media.content = ""
                media.parts.removeAll { if case .text = $0.content { true } else { false } }
                parts(media)
            }
            endContent()
        }

        private mutating func functionResponse(_ call: MadeCall, _ message: Message) {
            writer.beginObject()
            writer.key("functionResponse")
            writer.beginObject()
            if !call.vendorID.isEmpty { writer.member("id", call.vendorID) }
            writer.member("name", call.name)
            writer.key("response")
            let text = message.texts.joined(separator: "\n")
            // The vendor accepts only objects, and takes `error` for the details of a failure.
            let value = JSONTextChecker.isTooDeep(text) ? nil : try? parser.parse(text)
            let kind = value?.kind
            if kind == .object, !message.isError || value?["error"] != nil {
                writer.raw(text)
            } else {
                writer.beginObject()
                writer.key(message.isError ? "error" : "result")
                if kind == nil { writer.string(text) } else { writer.raw(text) }
                writer.endObject()
            }
            writer.endObject()
            writer.endObject()
        }

        // MARK: - Tools

        private mutating func tools(_ request: PreparedRequest) throws(GenerationError) {
            guard !request.tools.isEmpty else { return }
            writer.key("tools")
            writer.beginArray()
            let functions = request.tools.filter { $0.builtin == nil }
            if !functions.isEmpty { try declarations(functions) }
            for case let builtin? in request.tools.map(\.builtin) {
                writer.beginObject()
                writer.key(Self.camelCase(builtin.type))
                writer.beginObject()
                try checker.settings(of: builtin, &writer)
                writer.endObject()
                writer.endObject()
            }
            writer.endArray()
        }

        /// `google_search` as `googleSearch`, the vendor's usual form.
        private static func camelCase(_ name: String) -> String {
            let words = name.split(separator: "_")
            return
                (words.prefix(1).map(String.init) + words.dropFirst().map { $0.prefix(1).uppercased() + $0.dropFirst() })
                .joined()
        }

        private mutating func declarations(_ functions: [Tool]) throws(GenerationError) {
            writer.beginObject()
            writer.key("functionDeclarations")
            writer.beginArray()
            for tool in functions {
                writer.beginObject()
                writer.member("name", tool.name)
                if !tool.description.isEmpty { writer.member("description", tool.description) }
                if !tool.parametersJSON.isEmpty {
                    let field = "tools.parameters_json of '\(tool.name)'"
                    let schema = try checker.value(tool.parametersJSON, field: field)
                    // An object without properties is rejected by some versions; its absence means the same.
                    if schema["properties"]?.members?.isEmpty == false {
                        write(schema: schema, "parameters", "parametersJsonSchema")
                    }
                }
                writer.endObject()
            }
            writer.endArray()
            writer.endObject()
        }

        /// Writes a schema in the vendor's form, which every model accepts, or unchanged if that form cannot express
        /// it.
        private mutating func write(schema: JSONValue, _ ownKey: StaticString, _ jsonSchemaKey: StaticString) {
            if let translated = OpenAPISchema.translated(schema) {
                writer.key(ownKey)
                translated.write(to: &writer)
            } else {
                writer.key(jsonSchemaKey)
                schema.write(to: &writer)
            }
        }

        private mutating func toolChoice(_ request: PreparedRequest) {
            guard request.tools.contains(where: { $0.builtin == nil }), let choice = request.toolChoice else { return }
            writer.key("toolConfig")
            writer.beginObject()
            writer.key("functionCallingConfig")
            writer.beginObject()
            switch choice {
            case .auto: writer.member("mode", "AUTO")
            case .none: writer.member("mode", "NONE")
            case .required: writer.member("mode", "ANY")
            case .named(let name):
                writer.member("mode", "ANY")
                writer.key("allowedFunctionNames")
                writer.beginArray()
                writer.string(name)
                writer.endArray()
            }
            writer.endObject()
            writer.endObject()
        }

        // MARK: - Options

        private mutating func generationConfig(_ options: GenerationOptions) throws(GenerationError) {
            var outer = JSONWriter(capacity: 256)
            swap(&outer, &writer)
            writer.beginObject()
            writer.member("maxOutputTokens", options.maxTokens)
            writer.member("temperature", options.temperature)
            writer.member("topP", options.topP)
            writer.member("topK", options.topK)
            writer.member("stopSequences", options.stop)
            writer.member("seed", options.seed)
            writer.member("presencePenalty", options.presencePenalty)
            writer.member("frequencyPenalty", options.frequencyPenalty)
            switch options.responseFormat {
            case .text: break
            case .jsonObject: writer.member("responseMimeType", "application/json")
            case .jsonSchema(let text, _, _):
                writer.member("responseMimeType", "application/json")
                let schema = try checker.value(text, field: "options.response_format.json_schema")
                write(schema: schema, "responseSchema", "responseJsonSchema")
            }
            thinking(options.reasoning)
            writer.endObject()
            swap(&outer, &writer)
            guard outer.bytes.count > 2 else { return }
            writer.key("generationConfig")
            writer.raw(String(decoding: outer.bytes, as: UTF8.self))
        }

        /// Writes a budget or a level, since the vendor rejects both together.
        private mutating func thinking(_ wanted: ReasoningOptions) {
            let reasoning = model.facts.reasoning
            guard reasoning.isPossible, wanted.include || wanted.budgetTokens != nil || !wanted.effort.isEmpty else {
                return
            }
            var budget = wanted.budgetTokens
            var level: String?
            if budget == nil, !wanted.effort.isEmpty {
                if reasoning.control == .level {
                    level = wanted.effort.uppercased()
                } else {
                    let isOff = wanted.effort == "none" && !reasoning.isAlwaysOn
                    budget = isOff ? 0 : reasoning.clamped(Self.budget(effort: wanted.effort))
                }
            }
            writer.key("thinkingConfig")
            writer.beginObject()
            // Thoughts of a model that does not think are refused.
            if wanted.include, budget != 0 {
                writer.key("includeThoughts")
                writer.bool(true)
            }
            writer.member("thinkingBudget", budget)
            if let level { writer.member("thinkingLevel", level) }
            writer.endObject()
        }

        /// The budget for an effort, on models that support only budgets; -1 leaves it to the model.
        private static func budget(effort: String) -> Int {
            switch effort {
            case "none": 0
            case "minimal": 512
            case "low": 1024
            case "medium": 8192
            case "high", "xhigh", "max": 24576
            default: -1
            }
        }
    }
}
