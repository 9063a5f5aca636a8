internal import Generation
internal import HTTPClient
internal import JSON

extension Claude {
    /// The state that unary responses and streams share: blocks that begin, grow and end, and the newest usage.
    struct AnswerReader {
        /// A block in progress, appended to in place: thinking may arrive in thousands of pieces.
        private struct Block {
            enum Kind {
                case text
                case thinking
                case call
                /// A tool that the vendor runs, or a block that only the vendor understands.
                case opaque
            }

            let kind: Kind
            /// The block as it began, or a call's whole input, as JSON text.
            var json = ""
            /// The thought, or the input in pieces.
            var text = ""
            var signature = ""
            var hasArguments = false
            /// Its position among the blocks.
            var place = 0
            /// Where it begins in the text of the response, in bytes.
            var start = 0
            /// The sources of a text; their places are known at its end.
            var citations: [Citation] = []
            var citationBytes = 0

            /// The bytes held for it.
            var bytes: Int { 128 + citationBytes + json.utf8.count + text.utf8.count + signature.utf8.count }
        }

        private(set) var completion = AnswerTrailer()
        private(set) var hasStopReason = false
        private let providerName: String
        private let wishes: AnswerWishes
        private let form: AnswerEnd.Form
        private var assembler = ToolCallAssembler()
        private var blocks: [Int: Block] = [:]
        /// The newest call's input if it arrived in one piece. Whether it is complete depends on what follows.
        private var heldInput: (index: Int, json: String)?
        /// The indexes of the calls to remove from a unary response.
        private(set) var leftOut: Set<Int> = []
        private var order = BlockOrder()
        private var input = 0
        private var cacheWrite = 0
        private var cacheRead = 0
        private var output = 0
        private var thinkingTokens = 0
        private var hasUsage = false
        /// The number of blocks so far.
        private var blockCount = 0
        /// The bytes held by the blocks in progress.
        private var blockBytes = 0
        /// The vendor's newest explanation of a refusal.
        private var refusal: String?
        /// The length of the text so far, in bytes.
        private var textBytes = 0
        private var citationBytes = 0
        private var extra: ExtraFields

        /// The bytes held until the end.
        var keptBytes: Int {
            completion.keptBytes + citationBytes + extra.keptBytes + blockBytes + (heldInput?.json.utf8.count ?? 0)
                + (refusal?.utf8.count ?? 0)
                + order.keptBytes + assembler.keptBytes
        }

        init(providerName: String, _ wishes: AnswerWishes, _ form: AnswerEnd.Form) {
            self.providerName = providerName
            self.wishes = wishes
            self.form = form
            extra = ExtraFields(isWanted: wishes.extra)
        }

        // MARK: - Blocks

        /// - Throws: `.badProviderResponse` if the response has too many blocks or calls, or exceeds the budget.
        mutating func begin(
            _ block: JSONElement, at index: Int, _ deliver: (ChunkEvent) -> Void
        ) throws(GenerationError) {
            blockCount += 1
            // The call that this block may be is not counted yet.
            let calls = assembler.count + (block["type"]?.string == "tool_use" ? 1 : 0)
            try CallBudget.check(providerName, bytes: keptBytes, toolCalls: calls, blocks: blockCount)
            if blocks[index] != nil { end(at: index, deliver) }
            deliverHeldInput(deliver)
            defer { blockBytes += blocks[index]?.bytes ?? 0 }
            switch block["type"]?.string {
            case "text":
                blocks[index] = Block(kind: .text, start: textBytes)
                if let citations = block["citations"] {
                    for citation in citations.elements { cite(citation, at: index) }
                }
                text(block["text"]?.string ?? "", deliver)
            case "thinking":
                let words = block["thinking"]?.string ?? ""
                let signature = block["signature"]?.string ?? ""
                blocks[index] = Block(kind: .thinking, text: words, signature: signature, place: order.reserve())
                if wishes.reasoning, !words.isEmpty { deliver(.reasoning(words)) }
            case "tool_use":
                let input = block["input"].map { $0.count > 0 ? $0.text : "" } ?? ""
                blocks[index] = Block(kind: .call, json: input)
                let piece = assembler.piece(
                    index: index, id: block["id"]?.string ?? "", name: block["name"]?.string ?? "", arguments: "")
                // The name is in this event or missing.
                for piece in piece.map({ [$0] }) ?? assembler.remaining() {
                    order.call(piece.index)
                    deliver(.toolCall(piece))
                }
            default:
                guard block.kind == .object else { return }
                blocks[index] = Block(kind: .opaque, json: block.text, place: order.reserve())
            }
        }

        mutating func grow(_ delta: JSONElement, at index: Int, _ deliver: (ChunkEvent) -> Void) {
            switch (delta["type"]?.string, blocks[index]?.kind) {
            case ("text_delta", _): text(delta["text"]?.string ?? "", deliver)
            case ("thinking_delta", .thinking):
                guard let more = delta["thinking"]?.nonEmptyString else { return }
                blocks[index]?.text += more
                blockBytes += more.utf8.count
                if wishes.reasoning { deliver(.reasoning(more)) }
            case ("signature_delta", .thinking):
                let more = delta["signature"]?.string ?? ""
                blocks[index]?.signature += more
                blockBytes += more.utf8.count
            case ("input_json_delta", .call):
                guard let more = delta["partial_json"]?.nonEmptyString else { return }
                blocks[index]?.hasArguments = true
                arguments(more, at: index, deliver)
            case ("input_json_delta", .opaque):
                let more = delta["partial_json"]?.string ?? ""
                blocks[index]?.text += more
                blockBytes += more.utf8.count
            case ("citations_delta", .text):
                guard let citation = delta["citation"] else { return }
                let before = blocks[index]?.citationBytes ?? 0
                cite(citation, at: index)
                blockBytes += (blocks[index]?.citationBytes ?? 0) - before
            case ("thinking_delta", _), ("signature_delta", _), ("input_json_delta", _),
                ("citations_delta", _):
                break
            default:
                let warning = "the response contains pieces of a kind that are omitted"
                if !completion.warnings.contains(warning) { completion.warnings.append(warning) }
            }
        }

        private mutating func cite(_ element: JSONElement, at index: Int) {
            let source = element["source"]?.string ?? ""
            let isAddress = source.hasPrefix("http://") || source.hasPrefix("https://")
            let document = element["file_id"]?.string ?? element["document_index"]?.int.map(String.init)
            let citation = Citation(
                documentID: document ?? (isAddress ? "" : source),
                url: element["url"]?.string ?? (isAddress ? source : ""),
                title: (element["title"] ?? element["document_title"])?.string ?? "",
                quote: element["cited_text"]?.string ?? "")
            blocks[index]?.citations.append(citation)
            blocks[index]?.citationBytes += citation.keptBytes
        }

        mutating func end(at index: Int, _ deliver: (ChunkEvent) -> Void) {
            guard let block = blocks.removeValue(forKey: index) else { return }
            blockBytes -= block.bytes
            switch block.kind {
            case .text:
                for var citation in block.citations {
                    (citation.start, citation.end) = (block.start, textBytes)
                    completion.citations.append(citation)
                    citationBytes += citation.keptBytes
                }
            case .thinking:
                // Truncated by the token limit, it has no signature, and the vendor would reject it.
                guard !block.signature.isEmpty else { return }
                let json: JSONValue = [
                    "type": "thinking", "thinking": .string(block.text), "signature": .string(block.signature),
                ]
                order.fill(block.place, json.text)
            case .call:
                guard !block.hasArguments else { return }
                deliverHeldInput(deliver)
                heldInput = (index, block.json)
                // A truncated stream has no object here; a unary response has the part that was generated.
                if form == .stream, !block.json.isEmpty { deliverHeldInput(deliver) }
            case .opaque:
                let json = Self.withInput(block.text, block.json)
                extra.append(json, to: "blocks")
                order.fill(block.place, json)
            }
        }

        /// A block as it began, with the input that came in pieces.
        private static func withInput(_ input: String, _ block: String) -> String {
            guard !input.isEmpty, let value = try? JSONValue(parsing: input),
                var members = (try? JSONValue(parsing: block))?.members
            else { return block }
            members.removeAll { $0.key == "input" }
            members.append((key: "input", value: value))
            return JSONValue.object(members).text
        }

        private mutating func text(_ text: String, _ deliver: (ChunkEvent) -> Void) {
            guard !text.isEmpty else { return }
            order.text(text.utf8.count)
            textBytes += text.utf8.count
            deliver(.text(text))
        }

        /// A tool without parameters sends nothing, or one empty piece.
        private mutating func deliverHeldInput(_ deliver: (ChunkEvent) -> Void) {
            guard let (index, json) = heldInput else { return }
            heldInput = nil
            arguments(json.isEmpty ? "{}" : json, at: index, deliver)
        }

        private mutating func arguments(_ more: String, at index: Int, _ deliver: (ChunkEvent) -> Void) {
            if let piece = assembler.piece(index: index, id: "", name: "", arguments: more) {
                deliver(.toolCall(piece))
            }
        }

        // MARK: - The rest

        /// The members that the contract has a name for.
        private static let named: Set<String> = [
            "id", "type", "role", "content", "model", "stop_reason", "delta", "error",
        ]

        mutating func read(message: JSONElement) {
            extra.keep(message, except: Self.named)
            if let id = message["id"]?.nonEmptyString { completion.id = id }
            if let model = message["model"]?.nonEmptyString { completion.model = model }
            if let usage = message["usage"] { read(usage: usage) }
        }

        /// Reports are totals, not increments: each replaces the fields that it contains.
        mutating func read(usage: JSONElement) {
            guard usage.kind == .object else { return }
            hasUsage = hasUsage || usage["input_tokens"] != nil || usage["output_tokens"] != nil
            input = usage["input_tokens"]?.tokens ?? input
            cacheWrite = usage["cache_creation_input_tokens"]?.tokens ?? cacheWrite
            cacheRead = usage["cache_read_input_tokens"]?.tokens ?? cacheRead
            output = usage["output_tokens"]?.tokens ?? output
            thinkingTokens = usage["output_tokens_details"]?["thinking_tokens"]?.tokens ?? thinkingTokens
        }

        /// Reads the end of a stream's message.
        mutating func read(messageDelta: JSONElement) {
            extra.keep(messageDelta, except: Self.named)
            if let usage = messageDelta["usage"] { read(usage: usage) }
            guard let delta = messageDelta["delta"] else { return }
            extra.keep(delta, except: Self.named)
            read(stop: delta)
        }

        mutating func read(stop: JSONElement) {
            guard let reason = stop["stop_reason"]?.nonEmptyString else { return }
            hasStopReason = true
            completion.rawFinishReason = reason
            if reason == "refusal", let details = stop["stop_details"] {
                let words = [details["category"]?.string, details["explanation"]?.string].compactMap { $0 }
                if !words.isEmpty { refusal = AnswerGate.beginning("refused: " + words.joined(separator: ": ")) }
            }
        }

        private var end: AnswerEnd {
            switch completion.rawFinishReason {
            case "end_turn", "stop_sequence": AnswerEnd(.stop)
            case "max_tokens", "model_context_window_exceeded": AnswerEnd(.length)
            case "tool_use": AnswerEnd(.toolCalls)
            case "refusal": AnswerEnd(.refusal)
            default: AnswerEnd(.other)
            }
        }

        mutating func close(_ deliver: (ChunkEvent) -> Void) -> AnswerTrailer {
            // The stream is complete except for the end of its last block.
            for index in blocks.keys.sorted() { end(at: index, deliver) }
            completion.provider = providerName
            if completion.id.isEmpty { completion.id = "gen-" + ToolCallAssembler.randomName() }
            if let refusal { completion.warnings.append(refusal) }
            let end = end
            if end.isGood { deliverHeldInput(deliver) }
            leftOut = end.close(&completion, &assembler, form, deliver)
            order.leaveOutCalls(leftOut)
            completion.providerState = order.bytes(Claude.family)
            completion.extraJSON = extra.text
            if hasUsage {
                completion.usage.source = .provider
                completion.usage.inputTokens = input + cacheWrite + cacheRead
                completion.usage.cachedInputTokens = cacheRead
                completion.usage.cacheWriteInputTokens = cacheWrite
                completion.usage.outputTokens = output
                completion.usage.reasoningTokens = thinkingTokens
                completion.usage.totalTokens = completion.usage.inputTokens + output
            }
            return completion
        }
    }

    func decode(
        _ root: JSONElement, for model: ConfiguredModel, _ wishes: AnswerWishes
    ) throws(GenerationError) -> ChatResponse {
        if let error = VendorError(inAnswer: root, isErrorEvent: root["type"]?.string == "error") {
            throw error.generationError(for: model)
        }
        guard let content = root["content"], content.kind == .array else {
            throw GenerationError(.badProviderResponse, "\(model.providerName) returned no content")
        }
        var reader = AnswerReader(providerName: model.providerName, wishes, .whole)
        var builder = MessageBuilder()
        reader.read(message: root)
        for (index, block) in content.elements.enumerated() {
            try reader.begin(block, at: index) { builder.add($0) }
            reader.end(at: index) { builder.add($0) }
        }
        reader.read(stop: root)
        let completion = reader.close { builder.add($0) }
        var message = builder.finish(completion)
        message.leaveOutCalls(reader.leftOut)
        return ChatResponse(message: message, completion: completion)
    }

    /// Decodes a stream, event by event.
    final class Decoder: StreamDecoder {
        private let model: ConfiguredModel
        private var reader: AnswerReader
        private(set) var isDone = false
        private var hasEvents = false
        private var stray = StrayText()

        var keptBytes: Int { reader.keptBytes + stray.keptBytes }

        init(model: ConfiguredModel, _ wishes: AnswerWishes) {
            self.model = model
            reader = AnswerReader(providerName: model.providerName, wishes, .stream)
        }

        func consume(
            _ event: SSEEvent, parser: JSONParser, _ deliver: (ChunkEvent) -> Void
        ) throws(GenerationError) {
            guard !isDone, let root = try Self.parse(event, parser, &stray, for: model) else { return }
            // Vertex AI's errors have no event name, so the data decides.
            switch root["type"]?.string {
            case "error": throw VendorError(root).generationError(for: model)
            case "content_block_delta":
                if let delta = root["delta"] { reader.grow(delta, at: root["index"]?.int ?? 0, deliver) }
            case "content_block_start":
                if let block = root["content_block"] { try reader.begin(block, at: root["index"]?.int ?? 0, deliver) }
            case "content_block_stop": reader.end(at: root["index"]?.int ?? 0, deliver)
            case "message_start": if let message = root["message"] { reader.read(message: message) }
            case "message_delta": reader.read(messageDelta: root)
            case "message_stop": isDone = true
            default: return  // ping, vertex_event and event types added later
            }
            hasEvents = true
        }

        func finish(_ deliver: (ChunkEvent) -> Void) throws(GenerationError) -> AnswerTrailer {
            guard isDone || reader.hasStopReason else {
                throw Self.endError(model.providerName, hasEvents: hasEvents)
            }
            return reader.close(deliver)
        }
    }
}
