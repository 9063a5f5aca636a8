internal import Generation
internal import JSON

extension ChatCompletions {
    /// The state that unary responses and streams share.
    struct AnswerState {
        var completion = AnswerTrailer()
        var assembler = ToolCallAssembler()
        var hasRefusal = false
        var hasFinishReason = false
        /// The sources of the text; their places count its characters until the end.
        var citations: [Citation] = []
        var citationBytes = 0
        var offsets = ScalarOffsets()
        /// The sound so far.
        var sound: [UInt8] = []
        var extra: ExtraFields
        let wishes: AnswerWishes
        let quirks: Quirks
        let providerName: String
        /// The reasoning, if the server wants it back; `nil` if not.
        private var reasoning: String?

        /// The bytes held until the end.
        var keptBytes: Int {
            completion.keptBytes + assembler.keptBytes + (reasoning?.utf8.count ?? 0) + citationBytes
                + offsets.keptBytes + sound.count + extra.keptBytes
        }

        init(_ model: ConfiguredModel, quirks: Quirks, _ wishes: AnswerWishes) {
            providerName = model.providerName
            self.quirks = quirks
            self.wishes = wishes
            extra = ExtraFields(isWanted: wishes.extra)
            if model.facts.sendsReasoningBack { reasoning = "" }
        }

        /// Adds a warning once.
        mutating func warn(_ warning: String) {
            if !completion.warnings.contains(warning) { completion.warnings.append(warning) }
        }

        /// Reads the reasoning of a message or delta, if anyone wants it.
        mutating func readReasoning(
            _ message: JSONElement, _ deliver: (ChunkEvent) -> Void
        ) throws(GenerationError) {
            guard wishes.reasoning || reasoning != nil, let text = ChatCompletions.reasoning(of: message) else {
                return
            }
            if wishes.reasoning { deliver(.reasoning(text)) }
            guard reasoning != nil else { return }
            reasoning?.append(text)
            try CallBudget.check(providerName, bytes: keptBytes)
        }

        /// Reads id, model and usage. They are empty in Azure's first chunk.
        /// - Throws: the error with which Groq ended the stream early.
        mutating func readHead(_ root: JSONElement, for model: ConfiguredModel) throws(GenerationError) {
            if completion.id.isEmpty, let id = root["id"]?.nonEmptyString { completion.id = id }
            if completion.model.isEmpty, let model = root["model"]?.nonEmptyString { completion.model = model }
            // May be in any chunk, more than once, and followed by further chunks: the last one counts.
            if let usage = root["usage"] { read(usage: usage) }
            if quirks.contains(.usageInXGroq), let extra = root["x_groq"] {
                if let usage = extra["usage"] { read(usage: usage) }
                if let error = VendorError(inAnswer: extra) { throw error.generationError(for: model) }
            }
            extra.keep(root, except: Self.namedRoot)
        }

        /// Reads what a choice has besides its message.
        mutating func read(choice: JSONElement) {
            read(finishReason: choice["finish_reason"])
            extra.keep(choice, except: Self.namedChoice)
        }

        /// A stream names further choices in chunks of their own.
        mutating func checkChoices(_ root: JSONElement) {
            guard let choices = root["choices"], choices.count > 1 || (choices.first?["index"]?.int ?? 0) > 0 else {
                return
            }
            warn("the response has more than one choice; only the first is returned")
        }

        mutating func read(usage: JSONElement) {
            guard usage.kind == .object else { return }
            let input = usage["prompt_tokens"]?.tokens
            let output = usage["completion_tokens"]?.tokens
            guard input != nil || output != nil else { return }
            var result = Usage()
            result.inputTokens = input ?? 0
            result.outputTokens = output ?? 0
            result.totalTokens = usage["total_tokens"]?.tokens ?? result.inputTokens + result.outputTokens
            let details = usage["prompt_tokens_details"]
            // DeepSeek has a name of its own for it.
            let cached = details?["cached_tokens"] ?? usage["prompt_cache_hit_tokens"]
            result.cachedInputTokens = cached?.tokens ?? 0
            result.cacheWriteInputTokens = details?["cache_write_tokens"]?.tokens ?? 0
            result.reasoningTokens = usage["completion_tokens_details"]?["reasoning_tokens"]?.tokens ?? 0
            result.source = .provider
            completion.usage = result
        }

        mutating func read(finishReason: JSONElement?) {
            guard let raw = finishReason?.nonEmptyString else { return }
            hasFinishReason = true
            completion.rawFinishReason = raw
        }

        /// Reads the calls of a message, or pieces of them.
        /// - Parameter isWhole: each call is complete; its index is ignored.
        /// - Throws: `.badProviderResponse` if there are too many.
        mutating func read(
            calls: JSONElement, isWhole: Bool, _ deliver: (ChunkEvent) -> Void
        ) throws(GenerationError) {
            try CallBudget.check(providerName, blocks: calls.count)
            for (position, call) in calls.elements.enumerated() {
                // The contract has no name for a call whose argument is not JSON.
                guard call["custom"] == nil else {
                    warn("the response calls a custom tool, which is only in extra_json (options.include_extra)")
                    extra.append(call.text, to: "custom_tool_calls")
                    continue
                }
                read(
                    function: call["function"], index: isWhole ? position : call["index"]?.int,
                    id: call["id"]?.string ?? "",
                    deliver)
                try CallBudget.check(providerName, bytes: keptBytes, toolCalls: assembler.count)
            }
        }

        mutating func read(
            function: JSONElement?, index: Int?, id: String = "", _ deliver: (ChunkEvent) -> Void
        ) {
            let arguments = function?["arguments"]
            let piece = assembler.piece(
                index: index, id: id, name: function?["name"]?.string ?? "",
                arguments: arguments.map { $0.string ?? $0.text } ?? "")
            if let piece { deliver(.toolCall(piece)) }
        }

        private var end: AnswerEnd {
            if hasRefusal { return AnswerEnd(.refusal) }
            return switch completion.rawFinishReason {
            case "stop": AnswerEnd(.stop)
            case "length", "max_tokens": AnswerEnd(.length)
            case "tool_calls", "function_call": AnswerEnd(.toolCalls)
            case "content_filter": AnswerEnd(.contentFilter)
            // Proxies report a failed upstream with these.
            case "error", "insufficient_system_resource": AnswerEnd(.other, isBroken: true)
            default: AnswerEnd(.other)
            }
        }

        /// Completes the response; called once, at the end.
        /// - Returns: the indexes of the calls to remove from the message.
        mutating func close(_ form: AnswerEnd.Form, _ deliver: (ChunkEvent) -> Void) -> Set<Int> {
            completion.provider = providerName
            if completion.id.isEmpty { completion.id = "gen-" + ToolCallAssembler.randomName() }
            if let reasoning, !reasoning.isEmpty {
                completion.providerState = ProviderState.bytes(ChatCompletions.family) { writer in
                    writer.beginObject()
                    writer.member("reasoning_content", reasoning)
                    writer.endObject()
                }
            }
            closeContent(deliver)
            return end.close(&completion, &assembler, form, deliver)
        }
    }

    /// The choice with index 0; only one was requested.
    static func choice(_ root: JSONElement) -> JSONElement? {
        guard let choices = root["choices"] else { return nil }
        for choice in choices.elements where (choice["index"]?.int ?? 0) == 0 { return choice }
        return nil
    }

    /// Proxies put an upstream's error into the choice.
    static func checkError(_ choice: JSONElement, for model: ConfiguredModel) throws(GenerationError) {
        if let error = VendorError(inAnswer: choice) { throw error.generationError(for: model) }
    }

    /// The reasoning of a message or delta. Servers use two names for it; OpenRouter may have it in a list only, and
    /// Mistral has it in the content.
    static func reasoning(of message: JSONElement) -> String? {
        if let text = message["reasoning_content"]?.nonEmptyString ?? message["reasoning"]?.nonEmptyString {
            return text
        }
        var joined = ""
        if let details = message["reasoning_details"] {
            for detail in details.elements { joined += detail["text"]?.string ?? detail["summary"]?.string ?? "" }
        }
        if joined.isEmpty, let content = message["content"], content.kind == .array {
            for part in content.elements {
                guard let thinking = part["thinking"] else { continue }
                joined += thinking.string ?? thinking.elements.compactMap { $0["text"]?.string }.joined()
            }
        }
        return joined.isEmpty ? nil : joined
    }

    /// Reads a unary response.
    /// - Throws: `.badProviderResponse` if it is invalid, or the error in its body.
    func decode(
        _ root: JSONElement, for model: ConfiguredModel, _ wishes: AnswerWishes
    ) throws(GenerationError) -> ChatResponse {
        if let error = VendorError(inAnswer: root) { throw error.generationError(for: model) }
        guard let choice = Self.choice(root) else {
            throw GenerationError(.badProviderResponse, "\(model.providerName) returned no choice")
        }
        var state = AnswerState(model, quirks: quirks, wishes)
        try Self.checkError(choice, for: model)
        try state.readHead(root, for: model)
        state.checkChoices(root)
        state.read(choice: choice)
        var builder = MessageBuilder()
        // A filtered response may have no message.
        if let raw = choice["message"] {
            try state.read(message: raw, isWhole: true) { builder.add($0) }
        } else if choice["finish_reason"] == nil {
            throw GenerationError(
                .badProviderResponse, "\(model.providerName) returned a choice without a message")
        }
        let cut = state.close(.whole) { builder.add($0) }
        var message = builder.finish(state.completion)
        message.leaveOutCalls(cut)
        return ChatResponse(message: message, completion: state.completion)
    }
}
