internal import Generation
internal import JSON

extension ChatCompletions {
    /// The state that unary responses and streams share.
    struct AnswerState {
        var completion = AnswerTrailer()
        var assembler = ToolCallAssembler()
        var hasRefusal = false
        var hasFinishReason = false
        let quirks: Quirks
        private let providerName: String
        /// The reasoning, if the server wants it back; `nil` if not.
        private var reasoning: String?

        /// The bytes held until the end.
        var keptBytes: Int { completion.keptBytes + assembler.keptBytes + (reasoning?.utf8.count ?? 0) }

        init(_ model: ConfiguredModel, quirks: Quirks) {
            providerName = model.providerName
            self.quirks = quirks
            if model.facts.sendsReasoningBack { reasoning = "" }
        }

        /// Reads the reasoning of a message or delta, if anyone wants it.
        mutating func readReasoning(
            _ message: JSONElement, isIncluded: Bool, _ deliver: (ChunkEvent) -> Void
        ) throws(GenerationError) {
            guard isIncluded || reasoning != nil, let text = ChatCompletions.reasoning(of: message) else { return }
            if isIncluded { deliver(.reasoning(text)) }
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
            // DeepSeek has a name of its own for it.
            let cached = usage["prompt_tokens_details"]?["cached_tokens"] ?? usage["prompt_cache_hit_tokens"]
            result.cachedInputTokens = cached?.tokens ?? 0
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
                read(call: call, index: isWhole ? position : call["index"]?.int, deliver)
                try CallBudget.check(providerName, bytes: keptBytes, toolCalls: assembler.count)
            }
        }

        private mutating func read(call: JSONElement, index: Int?, _ deliver: (ChunkEvent) -> Void) {
            let function = call["function"]
            let arguments = function?["arguments"]
            let piece = assembler.piece(
                index: index, id: call["id"]?.string ?? "", name: function?["name"]?.string ?? "",
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

    /// The text of a `content` member: a string, or the text parts of an array.
    static func text(of content: JSONElement?) -> String? {
        guard let content else { return nil }
        guard content.kind == .array else { return content.nonEmptyString }
        let joined = content.elements.compactMap { $0["text"]?.string }.joined()
        return joined.isEmpty ? nil : joined
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
                joined += thinking.string ?? text(of: thinking) ?? ""
            }
        }
        return joined.isEmpty ? nil : joined
    }

    /// Reads a unary response.
    /// - Throws: `.badProviderResponse` if it is invalid, or the error in its body.
    func decode(
        _ root: JSONElement, for model: ConfiguredModel, includesReasoning: Bool
    ) throws(GenerationError) -> ChatResponse {
        if let error = VendorError(inAnswer: root) { throw error.generationError(for: model) }
        guard let choice = Self.choice(root) else {
            throw GenerationError(.badProviderResponse, "\(model.providerName) returned no choice")
        }
        var state = AnswerState(model, quirks: quirks)
        try Self.checkError(choice, for: model)
        try state.readHead(root, for: model)
        state.read(finishReason: choice["finish_reason"])
        var builder = MessageBuilder()
        // A filtered response may have no message.
        if let raw = choice["message"] {
            try state.readReasoning(raw, isIncluded: includesReasoning) { builder.add($0) }
            if let text = Self.text(of: raw["content"]) { builder.add(.text(text)) }
            if let refusal = raw["refusal"]?.nonEmptyString {
                state.hasRefusal = true
                builder.add(.text(refusal))
            }
            if let calls = raw["tool_calls"] { try state.read(calls: calls, isWhole: true) { builder.add($0) } }
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
