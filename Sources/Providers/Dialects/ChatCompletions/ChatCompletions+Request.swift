internal import Config
internal import Generation
internal import JSON

extension ChatCompletions {
    /// A request's body, and what was left out of it on the way.
    struct Body {
        var bytes: [UInt8]
        var warnings: [String]
    }

    /// Writes the body of `request` for `model`.
    /// - Throws: `GenerationError`: `.invalidRequest` that names the field, or `.unsupported`.
    static func encode(
        _ request: ChatRequest, for model: ConfiguredModel, isStream: Bool
    ) throws(GenerationError) -> Body {
        var encoder = RequestEncoder(model: model)
        return try encoder.encode(request, isStream: isStream)
    }
}

/// Writes straight into the body; there is no tree in between.
private struct RequestEncoder {
    let model: ConfiguredModel
    var writer = JSONWriter(capacity: 1024)
    var warnings: [String] = []
    /// Members that the configuration's `extra_body` sets: they replace ours.
    private let extra: [(key: String, json: String)]
    private let parser = JSONParser()

    init(model: ConfiguredModel) {
        self.model = model
        extra = model.configuration.extraBody?.members ?? []
    }

    private var configuration: ModelConfiguration { model.configuration }

    mutating func encode(
        _ request: ChatRequest, isStream: Bool
    ) throws(GenerationError) -> ChatCompletions.Body {
        guard !request.messages.isEmpty else {
            throw GenerationError(.invalidRequest, "messages is empty: a chat needs at least one message")
        }
        writer.beginObject()
        if begin("model") { writer.string(configuration.modelName) }
        if begin("messages") { try messages(request.messages) }
        try tools(request)
        try options(request.options)
        if isStream {
            if begin("stream") { writer.bool(true) }
            if configuration.streamUsage, begin("stream_options") {
                writer.beginObject()
                writer.key("include_usage")
                writer.bool(true)
                writer.endObject()
            }
        }
        for member in extra {
            writer.key(member.key)
            writer.raw(member.json)
        }
        writer.endObject()
        return ChatCompletions.Body(bytes: writer.bytes, warnings: warnings)
    }

    /// Begins a member, unless the configuration sets it.
    private mutating func begin(_ key: StaticString) -> Bool {
        if !extra.isEmpty, extra.contains(where: { $0.key == key.description }) { return false }
        writer.key(key)
        return true
    }

    // MARK: - Messages

    private mutating func messages(_ messages: [Message]) throws(GenerationError) {
        writer.beginArray()
        for message in messages {
            writer.beginObject()
            writer.key("role")
            switch message.role {
            case .system: writer.string(configuration.systemRole.rawValue)
            case .user: writer.string("user")
            case .assistant: writer.string("assistant")
            case .tool: writer.string("tool")
            }
            if message.role == .tool {
                guard !message.toolCallID.isEmpty else {
                    throw GenerationError(
                        .invalidRequest, "messages.tool_call_id is missing: a tool message says which call it answers")
                }
                writer.key("tool_call_id")
                writer.string(message.toolCallID)
            } else if !message.name.isEmpty {
                writer.key("name")
                writer.string(message.name)
            }
            writer.key("content")
            try content(message)
            if !message.toolCalls.isEmpty {
                guard message.role == .assistant else {
                    throw GenerationError(.invalidRequest, "messages.tool_calls: only the assistant calls tools")
                }
                writer.key("tool_calls")
                try toolCalls(message.toolCalls)
            }
            writer.endObject()
        }
        writer.endArray()
    }

    private mutating func content(_ message: Message) throws(GenerationError) {
        guard !message.parts.isEmpty else {
            // An assistant that only called tools has no content.
            if message.content.isEmpty, !message.toolCalls.isEmpty { return writer.null() }
            return writer.string(message.content)
        }
        writer.beginArray()
        if !message.content.isEmpty { textPart(message.content) }
        for part in message.parts {
            switch part {
            case .text(let text): textPart(text)
            case .image(let image): try imagePart(image)
            case .file(let file): try filePart(file)
            }
        }
        writer.endArray()
    }

    private mutating func textPart(_ text: String) {
        writer.beginObject()
        writer.key("type")
        writer.string("text")
        writer.key("text")
        writer.string(text)
        writer.endObject()
    }

    private mutating func imagePart(_ image: Image) throws(GenerationError) {
        writer.beginObject()
        writer.key("type")
        writer.string("image_url")
        writer.key("image_url")
        writer.beginObject()
        writer.key("url")
        try url(image.source, mimeType: image.mimeType, field: "parts.image")
        if !image.detail.isEmpty {
            writer.key("detail")
            writer.string(image.detail)
        }
        writer.endObject()
        writer.endObject()
    }

    private mutating func filePart(_ file: File) throws(GenerationError) {
        guard case .data = file.source else {
            throw GenerationError(
                .unsupported, "\(model.providerName) takes a file's bytes, not its address: send parts.file.data")
        }
        writer.beginObject()
        writer.key("type")
        writer.string("file")
        writer.key("file")
        writer.beginObject()
        writer.key("filename")
        writer.string(file.name.isEmpty ? "file" : file.name)
        writer.key("file_data")
        try url(file.source, mimeType: file.mimeType, field: "parts.file")
        writer.endObject()
        writer.endObject()
    }

    private mutating func url(_ source: MediaSource, mimeType: String, field: String) throws(GenerationError) {
        switch source {
        case .url(let url): writer.string(url)
        case .data(let bytes):
            let isClean = mimeType.utf8.allSatisfy { $0 > 0x20 && $0 < 0x7F && $0 != 0x22 && $0 != 0x5C }
            guard isClean, mimeType.contains("/") else {
                throw GenerationError(.invalidRequest, "\(field).mime_type is missing or wrong, such as image/png")
            }
            writer.plainString(prefix: "data:\(mimeType);base64,") { Base64.append(bytes, to: &$0) }
        }
    }

    private mutating func toolCalls(_ calls: [ToolCall]) throws(GenerationError) {
        writer.beginArray()
        for call in calls {
            guard !call.name.isEmpty else {
                throw GenerationError(.invalidRequest, "messages.tool_calls.name is missing")
            }
            writer.beginObject()
            writer.key("id")
            writer.string(call.id)
            writer.key("type")
            writer.string("function")
            writer.key("function")
            writer.beginObject()
            writer.key("name")
            writer.string(call.name)
            writer.key("arguments")
            writer.string(call.argumentsJSON.isEmpty ? "{}" : call.argumentsJSON)
            writer.endObject()
            writer.endObject()
        }
        writer.endArray()
    }

    // MARK: - Tools

    private mutating func tools(_ request: ChatRequest) throws(GenerationError) {
        guard !request.tools.isEmpty else {
            if let choice = request.toolChoice, choice != .auto, choice != ToolChoice.none {
                throw GenerationError(.invalidRequest, "tool_choice asks for a call, but there are no tools")
            }
            return
        }
        if begin("tools") {
            writer.beginArray()
            var names: Set<String> = []
            for tool in request.tools {
                guard !tool.name.isEmpty else { throw GenerationError(.invalidRequest, "tools.name is missing") }
                guard names.insert(tool.name).inserted else {
                    throw GenerationError(.invalidRequest, "tools.name: two tools are named '\(tool.name)'")
                }
                try write(tool)
            }
            writer.endArray()
        }
        if let choice = request.toolChoice, begin("tool_choice") {
            switch choice {
            case .auto: writer.string("auto")
            case .none: writer.string("none")
            case .required: writer.string("required")
            case .named(let name):
                guard request.tools.contains(where: { $0.name == name }) else {
                    throw GenerationError(.invalidRequest, "tool_choice.name: there is no tool '\(name)'")
                }
                writer.beginObject()
                writer.key("type")
                writer.string("function")
                writer.key("function")
                writer.beginObject()
                writer.key("name")
                writer.string(name)
                writer.endObject()
                writer.endObject()
            }
        }
        if let parallel = request.options.parallelToolCalls, begin("parallel_tool_calls") { writer.bool(parallel) }
    }

    private mutating func write(_ tool: Tool) throws(GenerationError) {
        writer.beginObject()
        writer.key("type")
        writer.string("function")
        writer.key("function")
        writer.beginObject()
        writer.key("name")
        writer.string(tool.name)
        if !tool.description.isEmpty {
            writer.key("description")
            writer.string(tool.description)
        }
        writer.key("parameters")
        if tool.parametersJSON.isEmpty {
            writer.raw("{\"type\":\"object\",\"properties\":{}}")
        } else {
            try object(tool.parametersJSON, field: "tools.parameters_json of '\(tool.name)'")
        }
        if let strict = tool.strict {
            writer.key("strict")
            writer.bool(strict)
        }
        writer.endObject()
        writer.endObject()
    }

    /// Writes JSON text of the caller's, once it has proved to be one object: anything else could change the body.
    private mutating func object(_ json: String, field: String) throws(GenerationError) {
        let kind: JSONElement.Kind
        do {
            kind = try parser.parse(json).kind
        } catch {
            throw GenerationError(.invalidRequest, "\(field) is not JSON: \(error)")
        }
        guard kind == .object else { throw GenerationError(.invalidRequest, "\(field) is not a JSON object") }
        writer.raw(json)
    }

    // MARK: - Options

    private mutating func options(_ options: GenerationOptions) throws(GenerationError) {
        if let maxTokens = options.maxTokens ?? configuration.maxTokens {
            guard maxTokens > 0 else { throw invalid("max_tokens", "\(maxTokens)", "at least 1") }
            if usesMaxCompletionTokens {
                if begin("max_completion_tokens") { writer.int(maxTokens) }
            } else if begin("max_tokens") {
                writer.int(maxTokens)
            }
        }
        // A reasoning model refuses every sampling parameter. Those of the configuration are left out for it; those
        // of the caller are passed on, so that the vendor says what is wrong with them.
        let samples = !isReasoningModel
        try number("temperature", options.temperature, samples ? configuration.temperature : nil, 0...2)
        try number("top_p", options.topP, samples ? configuration.topP : nil, 0...1)
        try number("presence_penalty", options.presencePenalty, samples ? configuration.presencePenalty : nil, -2...2)
        try number(
            "frequency_penalty", options.frequencyPenalty, samples ? configuration.frequencyPenalty : nil, -2...2)
        if let topK = options.topK ?? configuration.topK { try self.topK(topK, drop: options.dropUnsupported) }
        if let budget = options.reasoning.budgetTokens {
            try unsupported(
                "reasoning.budget_tokens (\(budget)): use reasoning.effort", drop: options.dropUnsupported)
        }
        let stop = options.stop.isEmpty ? configuration.stop : options.stop
        if !stop.isEmpty, begin("stop") {
            writer.beginArray()
            for text in stop { writer.string(text) }
            writer.endArray()
        }
        if let seed = options.seed ?? configuration.seed.map({ Int64($0) }), begin("seed") { writer.int(seed) }
        try responseFormat(options.responseFormat)
        if !options.reasoning.effort.isEmpty, begin("reasoning_effort") { writer.string(options.reasoning.effort) }
        if !options.user.isEmpty, begin("user") { writer.string(options.user) }
    }

    private mutating func number(
        _ key: StaticString, _ asked: Double?, _ configured: Double?, _ range: ClosedRange<Double>
    ) throws(GenerationError) {
        guard let value = asked ?? configured else { return }
        guard value.isFinite, range.contains(value) else {
            throw invalid(key.description, "\(value)", "\(range.lowerBound) to \(range.upperBound)")
        }
        if begin(key) { writer.double(value) }
    }

    /// OpenAI itself has no `top_k`; servers that merely speak its language mostly have.
    private mutating func topK(_ value: Int, drop: Bool) throws(GenerationError) {
        guard value > 0 else { throw invalid("top_k", "\(value)", "at least 1") }
        guard !model.isVendorsOwn else { return try unsupported("top_k", drop: drop) }
        if begin("top_k") { writer.int(value) }
    }

    private mutating func unsupported(_ what: String, drop: Bool) throws(GenerationError) {
        guard drop else {
            throw GenerationError(.unsupported, "\(model.providerName) does not support options.\(what)")
        }
        warnings.append("dropped options.\(what)")
    }

    private mutating func responseFormat(_ format: ResponseFormat) throws(GenerationError) {
        switch format {
        case .text: break
        case .jsonObject:
            guard begin("response_format") else { return }
            writer.raw("{\"type\":\"json_object\"}")
        case .jsonSchema(let schema, let name, let strict):
            guard begin("response_format") else { return }
            writer.beginObject()
            writer.key("type")
            writer.string("json_schema")
            writer.key("json_schema")
            writer.beginObject()
            writer.key("name")
            writer.string(name.isEmpty ? "response" : name)
            writer.key("schema")
            try object(schema, field: "options.response_format.json_schema")
            if let strict {
                writer.key("strict")
                writer.bool(strict)
            }
            writer.endObject()
            writer.endObject()
        }
    }

    private func invalid(_ field: String, _ value: String, _ allowed: String) -> GenerationError {
        GenerationError(.invalidRequest, "options.\(field) is \(value); it must be \(allowed)")
    }

    private var isReasoningModel: Bool {
        let name = configuration.modelName.split(separator: "/").last.map(String.init) ?? configuration.modelName
        return ["o1", "o3", "o4", "gpt-5"].contains { family in
            name.hasPrefix(family)
                && (name.count == family.count
                    || "-.#@".contains(name[name.index(name.startIndex, offsetBy: family.count)]))
        }
    }

    /// Old compatible servers know only `max_tokens`; reasoning models refuse it.
    private var usesMaxCompletionTokens: Bool {
        switch configuration.maxTokensParameter {
        case .maxTokens: false
        case .maxCompletionTokens: true
        case .auto: isReasoningModel
        }
    }
}

extension ConfigNode {
    /// The members of a map, each as JSON text.
    fileprivate var members: [(key: String, json: String)] {
        guard let value = try? JSONValue(parsing: jsonText()), let members = value.members else { return [] }
        return members.map { (key: $0.key, json: $0.value.text) }
    }
}
