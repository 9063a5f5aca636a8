internal import Generation
internal import HTTPClient
internal import JSON

extension Claude {
    /// What a whole answer and a stream have in common: blocks that begin, grow and end, and usage that is replaced.
    struct AnswerReader {
        /// A block in progress.
        private enum Block {
            case text
            case thinking(text: String, signature: String)
            case call(index: Int, initialInput: String, hasArguments: Bool)
            /// Run by the vendor itself, or in words that only it understands.
            case opaque(JSONValue, input: String)
        }

        private(set) var completion = Completion()
        private(set) var hasStopReason = false
        private let includesReasoning: Bool
        private var assembler = ToolCallAssembler()
        private var callCount = 0
        private var blocks: [Int: Block] = [:]
        private var order = BlockOrder()
        private var input = 0
        private var cacheWrite = 0
        private var cacheRead = 0
        private var output = 0
        private var thinkingTokens = 0
        private var hasUsage = false

        init(includesReasoning: Bool) { self.includesReasoning = includesReasoning }

        // MARK: - Blocks

        mutating func begin(_ block: JSONElement, at index: Int, _ deliver: (ChunkEvent) -> Void) {
            switch block["type"]?.string {
            case "text":
                blocks[index] = .text
                text(block["text"]?.string ?? "", deliver)
            case "thinking":
                let words = block["thinking"]?.string ?? ""
                blocks[index] = .thinking(text: words, signature: block["signature"]?.string ?? "")
                if includesReasoning, !words.isEmpty { deliver(.reasoning(words)) }
            case "tool_use":
                let initialInput = block["input"].map { $0.count > 0 ? $0.text : "" } ?? ""
                blocks[index] = .call(index: index, initialInput: initialInput, hasArguments: false)
                order.call(callCount)
                callCount += 1
                piece(index, id: block["id"]?.string ?? "", name: block["name"]?.string ?? "", "", deliver)
            default: blocks[index] = .opaque(JSONValue(block), input: "")
            }
        }

        mutating func grow(_ delta: JSONElement, at index: Int, _ deliver: (ChunkEvent) -> Void) {
            switch (delta["type"]?.string, blocks[index]) {
            case ("text_delta", _): text(delta["text"]?.string ?? "", deliver)
            case ("thinking_delta", .thinking(let text, let signature)):
                guard let more = delta["thinking"]?.nonEmptyString else { return }
                blocks[index] = .thinking(text: text + more, signature: signature)
                if includesReasoning { deliver(.reasoning(more)) }
            case ("signature_delta", .thinking(let text, let signature)):
                blocks[index] = .thinking(text: text, signature: signature + (delta["signature"]?.string ?? ""))
            case ("input_json_delta", .call(let position, let initialInput, _)):
                guard let more = delta["partial_json"]?.nonEmptyString else { return }
                blocks[index] = .call(index: position, initialInput: initialInput, hasArguments: true)
                piece(index, id: "", name: "", more, deliver)
            case ("input_json_delta", .opaque(let block, let input)):
                blocks[index] = .opaque(block, input: input + (delta["partial_json"]?.string ?? ""))
            default: break
            }
        }

        mutating func end(at index: Int, _ deliver: (ChunkEvent) -> Void) {
            switch blocks.removeValue(forKey: index) {
            case .thinking(let text, let signature):
                let block: JSONValue = [
                    "type": "thinking", "thinking": .string(text), "signature": .string(signature),
                ]
                order.opaque(block.text)
            case .call(let position, let initialInput, let hasArguments):
                // A tool without parameters sends nothing, or one empty piece.
                if !hasArguments {
                    piece(position, id: "", name: "", initialInput.isEmpty ? "{}" : initialInput, deliver)
                }
            case .opaque(let block, let input):
                var members = block.members ?? []
                if !input.isEmpty, let value = try? JSONValue(parsing: input) {
                    members.removeAll { $0.key == "input" }
                    members.append((key: "input", value: value))
                }
                order.opaque(JSONValue.object(members).text)
            case .text, nil: break
            }
        }

        private mutating func text(_ text: String, _ deliver: (ChunkEvent) -> Void) {
            guard !text.isEmpty else { return }
            order.text(text.utf8.count)
            deliver(.text(text))
        }

        private mutating func piece(
            _ index: Int, id: String, name: String, _ arguments: String, _ deliver: (ChunkEvent) -> Void
        ) {
            if let piece = assembler.piece(index: index, id: id, name: name, arguments: arguments) {
                deliver(.toolCall(piece))
            }
        }

        // MARK: - The rest

        mutating func read(message: JSONElement) {
            if let id = message["id"]?.nonEmptyString { completion.id = id }
            if let model = message["model"]?.nonEmptyString { completion.model = model }
            if let usage = message["usage"] { read(usage: usage) }
        }

        /// Each report replaces what it names: they are sums, not increments.
        mutating func read(usage: JSONElement) {
            guard usage.kind == .object else { return }
            hasUsage = hasUsage || usage["input_tokens"] != nil || usage["output_tokens"] != nil
            input = usage["input_tokens"]?.int ?? input
            cacheWrite = usage["cache_creation_input_tokens"]?.int ?? cacheWrite
            cacheRead = usage["cache_read_input_tokens"]?.int ?? cacheRead
            output = usage["output_tokens"]?.int ?? output
            thinkingTokens = usage["output_tokens_details"]?["thinking_tokens"]?.int ?? thinkingTokens
        }

        mutating func read(stop: JSONElement) {
            guard let reason = stop["stop_reason"]?.nonEmptyString else { return }
            hasStopReason = true
            completion.rawFinishReason = reason
            if reason == "refusal", let details = stop["stop_details"] {
                let words = [details["category"]?.string, details["explanation"]?.string].compactMap { $0 }
                if !words.isEmpty { completion.warnings.append("refused: " + words.joined(separator: ": ")) }
            }
        }

        mutating func close(providerName: String, _ deliver: (ChunkEvent) -> Void) -> Completion {
            // A stream that is good but for a missing end of its last block.
            for index in blocks.keys.sorted() { end(at: index, deliver) }
            for piece in assembler.remaining() { deliver(.toolCall(piece)) }
            completion.provider = providerName
            if completion.id.isEmpty { completion.id = "gen-" + ToolCallAssembler.randomName() }
            completion.providerState = order.bytes(Claude.family)
            completion.finishReason =
                switch completion.rawFinishReason {
                case _ where assembler.hasCalls: .toolCalls
                case "end_turn", "stop_sequence": .stop
                case "max_tokens", "model_context_window_exceeded": .length
                case "tool_use": .toolCalls
                case "refusal": .refusal
                default: .other
                }
            if hasUsage {
                completion.usage.source = .provider
                completion.usage.inputTokens = input + cacheWrite + cacheRead
                completion.usage.cachedInputTokens = cacheRead
                completion.usage.outputTokens = output
                completion.usage.reasoningTokens = thinkingTokens
                completion.usage.totalTokens = completion.usage.inputTokens + output
            }
            return completion
        }
    }

    func decode(
        _ root: JSONElement, for model: ConfiguredModel, includesReasoning: Bool
    ) throws(GenerationError) -> ChatResponse {
        if let error = VendorError(inAnswer: root, isErrorEvent: root["type"]?.string == "error") {
            throw error.generationError(for: model)
        }
        guard let content = root["content"], content.kind == .array else {
            throw GenerationError(.badProviderResponse, "\(model.providerName) answered without any content")
        }
        var reader = AnswerReader(includesReasoning: includesReasoning)
        var builder = MessageBuilder()
        reader.read(message: root)
        for (index, block) in content.elements.enumerated() {
            reader.begin(block, at: index) { builder.add($0) }
            reader.end(at: index) { builder.add($0) }
        }
        reader.read(stop: root)
        let completion = reader.close(providerName: model.providerName) { builder.add($0) }
        return ChatResponse(message: builder.finish(completion), completion: completion)
    }

    /// Decodes a stream, event by event.
    final class Decoder: StreamDecoder {
        private let model: ConfiguredModel
        private var reader: AnswerReader
        private(set) var isDone = false
        private var hasEvents = false

        init(model: ConfiguredModel, includesReasoning: Bool) {
            self.model = model
            reader = AnswerReader(includesReasoning: includesReasoning)
        }

        func consume(
            _ event: SSEEvent, parser: JSONParser, _ deliver: (ChunkEvent) -> Void
        ) throws(GenerationError) {
            guard !isDone, let root = try Self.parse(event, parser, model.providerName) else { return }
            // Vertex AI's own errors come without an event's name, so the data decides.
            let type = root["type"]?.string
            if let error = VendorError(inAnswer: root, isErrorEvent: type == "error") {
                throw error.generationError(for: model)
            }
            switch type {
            case "content_block_delta":
                if let delta = root["delta"] { reader.grow(delta, at: root["index"]?.int ?? 0, deliver) }
            case "content_block_start":
                if let block = root["content_block"] { reader.begin(block, at: root["index"]?.int ?? 0, deliver) }
            case "content_block_stop": reader.end(at: root["index"]?.int ?? 0, deliver)
            case "message_start": if let message = root["message"] { reader.read(message: message) }
            case "message_delta":
                if let delta = root["delta"] { reader.read(stop: delta) }
                if let usage = root["usage"] { reader.read(usage: usage) }
            case "message_stop": isDone = true
            default: return  // ping, vertex_event and whatever comes next year
            }
            hasEvents = true
        }

        func finish(_ deliver: (ChunkEvent) -> Void) throws(GenerationError) -> Completion {
            guard isDone || reader.hasStopReason else {
                throw Self.endError(model.providerName, hasEvents: hasEvents)
            }
            return reader.close(providerName: model.providerName, deliver)
        }
    }
}
