internal import Config
internal import Generation

/// A request for a dialect to encode: validated against the general rules and this model's capabilities, with the
/// model's defaults filled in.
struct PreparedRequest {
    var messages: [Message]
    var tools: [Tool]
    var toolChoice: ToolChoice?
    /// The caller's options, else the model's defaults. Options that are `nil` are not sent.
    var options: GenerationOptions
    let isStream: Bool
    /// The message that the conversation begins with, as the caller sent it.
    let firstMessage: Message?
    /// Whether the thinking blocks of earlier responses are left out, because the vendor refused them.
    let leavesOutThinking: Bool
    /// The caller's `extra_json`.
    private(set) var extraBody: BodyPatch?
    /// One warning per option that was dropped because of `drop_unsupported`.
    private(set) var warnings: [String] = []

    private let capabilities: Capabilities
    /// What the model supports, but not together with the rest of this request.
    private var excluded: Capabilities = []
    let facts: ModelFacts
    let providerName: String

    /// Checks `request` and fills in the defaults of `model`.
    /// - Parameter leavesOutThinking: see the property.
    /// - Throws: `.invalidRequest` that names the field, or `.unsupported` for an option that this model does not
    ///   support, unless the caller sets `drop_unsupported`.
    init(
        _ request: ChatRequest, for model: ConfiguredModel, isStream: Bool, leavesOutThinking: Bool = false
    ) throws(GenerationError) {
        messages = request.messages
        tools = request.tools
        toolChoice = request.toolChoice
        options = request.options
        self.isStream = isStream
        self.leavesOutThinking = leavesOutThinking
        firstMessage = request.firstMessage
        let api = model.api(for: request)
        capabilities = api.capabilities
        facts = model.facts
        providerName = model.providerName
        try checkMessages()
        try checkTools()
        try checkBudget()
        if leavesOutThinking { warn("the thinking of earlier responses is left out: \(providerName) refused it") }
        try checkForcedTools()
        try checkPrefill()
        if capabilities.contains(.effort) { settleReasoning(api.reasoning) }
        let refused = refused(of: api)
        excluded = refused.subtracting(api.likelyUnsupported)
        try checkCapabilities(likelyUnsupported: refused)
        try checkExtra(model.configuration)
        let asked = options
        fillIn(model.configuration, leavingOut: refused)
        try settleSampling(asked)
        try checkRanges()
        settleLimit(asked, least: api.dialect.leastMaxTokens)
        try api.dialect.settle(&self, asked, for: model)
    }

    mutating func warn(_ warning: String) { warnings.append(warning) }

    // MARK: - Messages and tools

    private func checkMessages() throws(GenerationError) {
        guard !messages.isEmpty else {
            throw invalid("messages is empty: a chat needs at least one message")
        }
        for message in messages {
            if message.role == .tool, message.toolCallID.isEmpty {
                throw invalid("messages.tool_call_id is missing: a tool message must name the call that it answers")
            }
            guard !message.isError || message.role == .tool else {
                throw invalid("messages.is_error is allowed in tool messages only")
            }
            guard !message.toolCalls.isEmpty else { continue }
            guard message.role == .assistant else {
                throw invalid("messages.tool_calls is allowed in assistant messages only")
            }
            guard message.toolCalls.allSatisfy({ !$0.name.isEmpty }) else {
                throw invalid("messages.tool_calls.name is missing")
            }
        }
    }

    private func checkTools() throws(GenerationError) {
        guard !tools.isEmpty else {
            if let toolChoice, toolChoice != .auto, toolChoice != ToolChoice.none {
                throw invalid("tool_choice requires a tool call, but tools is empty")
            }
            return
        }
        var names: Set<String> = []
        for tool in tools {
            if let builtin = tool.builtin {
                try check(builtin, tool)
                continue
            }
            guard !tool.name.isEmpty else { throw invalid("tools.name is missing") }
            guard names.insert(tool.name).inserted else {
                throw invalid("tools.name: duplicate tool name '\(tool.name)'")
            }
        }
        if case .named(let name) = toolChoice, !names.contains(name) {
            throw invalid("tool_choice.name: there is no tool '\(name)'")
        }
    }

    private func check(_ builtin: BuiltinTool, _ tool: Tool) throws(GenerationError) {
        guard !builtin.type.isEmpty else { throw invalid("tools.builtin.type is missing") }
        guard tool == Tool(builtin: builtin, cacheBreakpoint: tool.cacheBreakpoint) else {
            throw invalid(
                "tools.builtin '\(builtin.type.truncated(toBytes: 100))' cannot have a name, description, parameters_json "
                    + "or strict; put its settings into builtin.config_json")
        }
    }

    private func invalid(_ message: String) -> GenerationError { GenerationError(.invalidRequest, message) }

    // MARK: - What the model can do

    /// - Parameter likelyUnsupported: what this model probably refuses. An option that the caller sets is sent anyway,
    ///   so that the vendor can report what is wrong with it, unless the caller sets `drop_unsupported`.
    private mutating func checkCapabilities(likelyUnsupported: Capabilities) throws(GenerationError) {
        try checkTools(likelyUnsupported)
        let isParallel = options.parallelToolCalls != false
        try check(.parallelControl, likelyUnsupported, "options.parallel_tool_calls", isParallel) {
            $0.options.parallelToolCalls = nil
        }
        try check(.temperature, likelyUnsupported, "options.temperature", options.temperature == nil) {
            $0.options.temperature = nil
        }
        try check(.topP, likelyUnsupported, "options.top_p", options.topP == nil) { $0.options.topP = nil }
        try check(.topK, likelyUnsupported, "options.top_k", options.topK == nil) { $0.options.topK = nil }
        try check(.stop, likelyUnsupported, "options.stop", options.stop.isEmpty) { $0.options.stop = [] }
        try check(.seed, likelyUnsupported, "options.seed", options.seed == nil) { $0.options.seed = nil }
        try check(.presencePenalty, likelyUnsupported, "options.presence_penalty", options.presencePenalty == nil) {
            $0.options.presencePenalty = nil
        }
        try check(.frequencyPenalty, likelyUnsupported, "options.frequency_penalty", options.frequencyPenalty == nil) {
            $0.options.frequencyPenalty = nil
        }
        try check(.user, likelyUnsupported, "options.user", options.user.isEmpty) { $0.options.user = "" }
        try check(.effort, likelyUnsupported, "options.reasoning.effort", options.reasoning.effort.isEmpty) {
            $0.options.reasoning.effort = ""
        }
        let hasBudget = options.reasoning.budgetTokens != nil
        try check(.thinkingBudget, likelyUnsupported, "options.reasoning.budget_tokens", !hasBudget) {
            $0.options.reasoning.budgetTokens = nil
        }
        switch options.responseFormat {
        case .text: break
        case .jsonObject:
            try check(.jsonObject, likelyUnsupported, "options.response_format JSON_OBJECT", false) {
                $0.options.responseFormat = .text
            }
            if options.responseFormat == .jsonObject, capabilities.contains(.promptedJSONObject) { askForJSONObject() }
        case .jsonSchema:
            try check(.jsonSchema, likelyUnsupported, "options.response_format JSON_SCHEMA", false) {
                $0.options.responseFormat = .text
            }
        }
        try checkServices(likelyUnsupported)
        for message in messages {
            for part in message.parts { try checkMedia(part, likelyUnsupported) }
        }
    }

    private mutating func askForJSONObject() {
        options.responseFormat = .text
        messages.append(
            Message(
                role: .system,
                content: "Respond with one JSON object and nothing else: no Markdown, no text before or after it."))
        warnings.append(
            "options.response_format JSON_OBJECT: \(providerName) has no such mode; the system message asks for it")
    }

    private mutating func checkTools(_ likelyUnsupported: Capabilities) throws(GenerationError) {
        try check(.tools, likelyUnsupported, "tools", !tools.contains { $0.builtin == nil }) {
            $0.tools.removeAll { $0.builtin == nil }
        }
        try check(.builtinTools, likelyUnsupported, "tools.builtin", !tools.contains { $0.builtin != nil }) {
            $0.tools.removeAll { $0.builtin != nil }
        }
        let hasBreakpoint =
            tools.contains { $0.cacheBreakpoint != nil }
            || messages.contains { $0.parts.contains { $0.cacheBreakpoint != nil } }
        try check(.cacheBreakpoints, likelyUnsupported, "cache_breakpoint", !hasBreakpoint) { request in
            for tool in request.tools.indices { request.tools[tool].cacheBreakpoint = nil }
            for message in request.messages.indices {
                for part in request.messages[message].parts.indices {
                    request.messages[message].parts[part].cacheBreakpoint = nil
                }
            }
        }
        // The content says that the call failed, so the request still means the same.
        if !capabilities.contains(.toolErrors), messages.contains(where: \.isError) {
            warnings.append("messages.is_error is not sent: \(providerName) has no field for it")
        }
        if !capabilities.contains(.strictTools), tools.contains(where: { $0.strict == true }) {
            warnings.append("tools.strict is not sent: \(providerName) has no field for it")
        }
    }

    private mutating func checkServices(_ likelyUnsupported: Capabilities) throws(GenerationError) {
        try check(
            .promptCacheKey, likelyUnsupported, "options.prompt_cache_key", options.promptCacheKey.isEmpty
        ) { $0.options.promptCacheKey = "" }
        try check(
            .cachedContent, likelyUnsupported, "options.cached_content", options.cachedContent.isEmpty
        ) { $0.options.cachedContent = "" }
        try check(.serviceTier, likelyUnsupported, "options.service_tier", options.serviceTier.isEmpty) {
            $0.options.serviceTier = ""
        }
        try check(.verbosity, likelyUnsupported, "options.verbosity", options.verbosity.isEmpty) {
            $0.options.verbosity = ""
        }
        try check(.extraFields, likelyUnsupported, "options.include_extra", !options.includeExtra) {
            $0.options.includeExtra = false
        }
    }

    private mutating func checkExtra(_ model: ModelConfiguration) throws(GenerationError) {
        guard !options.extraJSON.isEmpty else { return }
        guard model.allowsExtra else {
            throw GenerationError(
                .permission, "options.extra_json is not allowed: the model's config has allow_extra: false")
        }
        extraBody = try BodyPatch(extraJSON: options.extraJSON)
    }

    private mutating func check(
        _ capability: Capabilities, _ likelyUnsupported: Capabilities, _ what: String, _ isUnused: Bool,
        drop: (inout PreparedRequest) -> Void
    ) throws(GenerationError) {
        guard !isUnused else { return }
        let isExcluded = excluded.contains(capability)
        let isDropped = likelyUnsupported.contains(capability) && options.dropUnsupported
        if capabilities.contains(capability), !isDropped, !isExcluded { return }
        try leaveOut(
            what, isAsked: true, "with this model" + (isExcluded ? " at this reasoning effort" : ""), drop: drop)
    }

    /// Content is never dropped: a response to half a question is worse than an error.
    private func checkMedia(_ part: Part, _ likelyUnsupported: Capabilities) throws(GenerationError) {
        let usable = options.dropUnsupported ? capabilities.subtracting(likelyUnsupported) : capabilities
        switch part.content {
        case .text: return
        case .image(let image):
            try checkSource(
                image.source, image.mimeType, "parts.image", usable, data: .imageData, url: .imageURLs)
        case .file(let file):
            try checkSource(file.source, file.mimeType, "parts.file", usable, data: .fileData, url: .fileURLs)
        case .audio(let audio):
            try checkSource(audio.source, audio.mimeType, "parts.audio", usable, data: .audioData, url: .audioURLs)
        }
    }

    private func checkSource(
        _ source: MediaSource, _ mimeType: String, _ field: String, _ usable: Capabilities, data: Capabilities,
        url: Capabilities
    ) throws(GenerationError) {
        switch source {
        case .data:
            guard usable.contains(data) else {
                throw GenerationError(.unsupported, "\(providerName) does not accept \(field).data")
            }
            let isClean = mimeType.utf8.allSatisfy { $0 > 0x20 && $0 < 0x7F && $0 != 0x22 && $0 != 0x5C }
            guard isClean, mimeType.contains("/") else {
                throw invalid("\(field).mime_type must be a MIME type, for example image/png")
            }
        case .url:
            guard usable.contains(url) else {
                throw GenerationError(.unsupported, "\(providerName) does not accept \(field).url; send \(field).data")
            }
        }
    }

    // MARK: - Defaults

    /// A configured default that the model does not support is omitted without a warning: it applies to a whole
    /// section.
    private mutating func fillIn(_ model: ModelConfiguration, leavingOut likelyUnsupported: Capabilities) {
        let usable = capabilities.subtracting(likelyUnsupported)
        func ifUsable<T>(_ capability: Capabilities, _ value: T?) -> T? { usable.contains(capability) ? value : nil }
        options.maxTokens = options.maxTokens ?? model.maxTokens
        options.temperature =
            options.temperature ?? ifUsable(.temperature, model.temperature.map { min($0, facts.maxTemperature) })
        options.topP = options.topP ?? ifUsable(.topP, model.topP)
        options.topK = options.topK ?? ifUsable(.topK, model.topK)
        options.seed = options.seed ?? ifUsable(.seed, model.seed.map { Int64($0) })
        options.presencePenalty = options.presencePenalty ?? ifUsable(.presencePenalty, model.presencePenalty)
        options.frequencyPenalty = options.frequencyPenalty ?? ifUsable(.frequencyPenalty, model.frequencyPenalty)
        if options.stop.isEmpty, usable.contains(.stop) { options.stop = model.stop }
    }

    private func checkRanges() throws(GenerationError) {
        // The maximum of the wire's field, so that sums with it do not overflow.
        let most = Int(Int32.max)
        if let value = options.maxTokens, !(1...most).contains(value) {
            throw outOfRange("max_tokens", "\(value)", "1 to \(most)")
        }
        if let value = options.topK, value < 1 { throw outOfRange("top_k", "\(value)", "at least 1") }
        try checkNumber("temperature", options.temperature, 0...facts.maxTemperature)
        try checkNumber("top_p", options.topP, 0...1)
        try checkNumber("presence_penalty", options.presencePenalty, -2...2)
        try checkNumber("frequency_penalty", options.frequencyPenalty, -2...2)
    }

    private func checkBudget() throws(GenerationError) {
        let most = Int(Int32.max)
        if let value = options.reasoning.budgetTokens, !(-1...most).contains(value) {
            throw outOfRange("reasoning.budget_tokens", "\(value)", "-1 to \(most)")
        }
    }

    private func checkNumber(
        _ field: String, _ value: Double?, _ range: ClosedRange<Double>
    ) throws(GenerationError) {
        guard let value, !value.isFinite || !range.contains(value) else { return }
        throw outOfRange(field, "\(value)", "\(range.lowerBound) to \(range.upperBound)")
    }

    private func outOfRange(_ field: String, _ value: String, _ allowed: String) -> GenerationError {
        invalid("options.\(field) is \(value); it must be \(allowed)")
    }
}
