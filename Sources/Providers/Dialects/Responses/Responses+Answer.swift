internal import Encodings
internal import Generation
internal import JSON

extension Responses {
    /// The decoder of output items, shared by unary responses and streams. Items begin, grow and end.
    struct AnswerReader {
        /// An item in progress.
        private struct Item {
            enum Kind {
                case message
                case reasoning
                case call
                case customCall
                /// A generated image, which is too large to be returned to the vendor in later requests.
                case image
                /// A call of a built-in tool, or an item of an unknown type.
                case opaque
            }

            let kind: Kind
            /// The item's position in `order`.
            var place = 0
            /// The bytes of a message's text so far.
            var textBytes = 0
            /// The vendor's name for the role of a message in the response, for example `commentary`.
            var phase: String?
            /// Whether a piece of a call's arguments was delivered.
            var hasArguments = false
            /// The form of reasoning that was delivered; only one form is delivered per item.
            var reasoning: ReasoningForm?
        }

        /// The forms of reasoning: a summary, or the reasoning itself.
        enum ReasoningForm {
            case summary
            case raw
        }

        private(set) var completion = AnswerTrailer()
        /// Whether the vendor reported how the response ended.
        private(set) var hasStatus = false
        /// The number of items so far.
        private(set) var itemCount = 0
        private let providerName: String
        private let family: StaticString
        private let wishes: AnswerWishes
        private let form: AnswerEnd.Form
        private var assembler = ToolCallAssembler()
        private var items: [Int: Item] = [:]
        /// The index of the last item, for servers that omit indexes.
        private var newest = 0
        private var order = BlockOrder()
        /// The reasoning items for later requests, with their ids.
        private var reasoning: [(place: Int, id: String, members: String)] = []
        private var reasoningBytes = 0
        private var citationBytes = 0
        private var extra: ExtraFields
        /// Whether other items refer to the reasoning items by id.
        private var hasOpaque = false
        private var hasRefusal = false
        /// The bytes of the text so far.
        private var textBytes = 0

        /// Memory used until the end of the response, in bytes.
        var keptBytes: Int {
            completion.keptBytes + order.keptBytes + assembler.keptBytes + reasoningBytes + citationBytes
                + extra.keptBytes + 128 * items.count
        }

        init(providerName: String, family: StaticString, _ wishes: AnswerWishes, _ form: AnswerEnd.Form) {
            self.providerName = providerName
            self.family = family
            self.wishes = wishes
            extra = ExtraFields(isWanted: wishes.extra)
            self.form = form
        }

        // MARK: - Items

        /// - Throws: `.badProviderResponse` if the response has too many items or calls, or exceeds the budget.
        mutating func begin(
            _ item: JSONElement, at index: Int?, _ deliver: (ChunkEvent) -> Void
        ) throws(GenerationError) {
            let index = index ?? newest &+ 1
            if let open = items[index] { close(open, at: index) }
            newest = index
            itemCount += 1
            var made = Item(kind: Self.kind(item))
            try CallBudget.check(
                providerName, bytes: keptBytes, toolCalls: assembler.count + (made.kind == .call ? 1 : 0),
                blocks: itemCount)
            switch made.kind {
            case .message: made.phase = item["phase"]?.nonEmptyString
            case .call:
                let piece = assembler.piece(
                    index: index, id: item["call_id"]?.string ?? "", name: item["name"]?.string ?? "", arguments: "")
                // If this event has no name, the call has none.
                for piece in piece.map({ [$0] }) ?? assembler.remaining() {
                    order.call(piece.index)
                    deliver(.toolCall(piece))
                }
            case .reasoning, .opaque: made.place = order.reserve()
            case .customCall, .image: break
            }
            items[index] = made
        }

        private static func kind(_ item: JSONElement) -> Item.Kind {
            switch item["type"]?.string {
            // Some servers omit the type.
            case "message", nil: .message
            case "reasoning": .reasoning
            case "function_call": .call
            case "custom_tool_call": .customCall
            case "image_generation_call": .image
            default: .opaque
            }
        }

        mutating func text(
            _ text: String?, at index: Int?, isRefusal: Bool = false, _ deliver: (ChunkEvent) -> Void
        ) {
            if isRefusal { hasRefusal = true }
            guard let text, !text.isEmpty else { return }
            items[index ?? newest, default: Item(kind: .message)].textBytes += text.utf8.count
            textBytes += text.utf8.count
            deliver(.text(text))
        }

        mutating func reasoning(
            _ text: String?, _ form: ReasoningForm, at index: Int?, _ deliver: (ChunkEvent) -> Void
        ) {
            guard wishes.reasoning, let text, !text.isEmpty else { return }
            let index = index ?? newest
            let before = items[index]?.reasoning
            guard before == nil || before == form else { return }
            items[index]?.reasoning = form
            deliver(.reasoning(text))
        }

        mutating func arguments(_ text: String?, at index: Int?, _ deliver: (ChunkEvent) -> Void) {
            let index = index ?? newest
            guard let text, !text.isEmpty, items[index]?.kind == .call else { return }
            items[index]?.hasArguments = true
            if let piece = assembler.piece(index: index, id: "", name: "", arguments: text) {
                deliver(.toolCall(piece))
            }
        }

        /// Ends an item: delivers what was not streamed, and keeps what the vendor requires in later requests.
        /// - Throws: as `begin`.
        mutating func end(
            _ item: JSONElement, at index: Int?, _ deliver: (ChunkEvent) -> Void
        ) throws(GenerationError) {
            let index = index ?? newest
            if items[index] == nil { try begin(item, at: index, deliver) }
            guard let open = items[index] else { return }
            switch open.kind {
            case .message:
                if open.textBytes == 0 { try content(of: item, at: index, deliver) }
                if let phase = item["phase"]?.nonEmptyString { items[index]?.phase = phase }
                try cite(item, from: textBytes - (items[index]?.textBytes ?? 0))
            case .reasoning:
                if open.reasoning == nil { reasoning(of: item, at: index, deliver) }
                keepReasoning(item, at: open.place)
            case .call: if !open.hasArguments { arguments(item["arguments"]?.string, at: index, deliver) }
            case .customCall: customCall(item, at: index, deliver)
            case .image: image(item, deliver)
            case .opaque:
                hasOpaque = true
                if wishes.extra { extra.append(item.text, to: "output") }
                if item.kind == .object { order.fill(open.place, item.text) }
            }
            if let open = items.removeValue(forKey: index) { close(open, at: index) }
        }

        private mutating func close(_ item: Item, at index: Int) {
            if item.kind == .message { order.text(item.textBytes, signature: item.phase) }
        }

        private mutating func content(
            of item: JSONElement, at index: Int, _ deliver: (ChunkEvent) -> Void
        ) throws(GenerationError) {
            guard let content = item["content"] else { return }
            try CallBudget.check(providerName, blocks: content.count)
            if content.kind == .string { return text(content.string, at: index, deliver) }
            for part in content.elements {
                if part["type"]?.string == "refusal" {
                    text(part["refusal"]?.string, at: index, isRefusal: true, deliver)
                } else {
                    text(part["text"]?.string, at: index, deliver)
                }
            }
        }

        private mutating func reasoning(of item: JSONElement, at index: Int, _ deliver: (ChunkEvent) -> Void) {
            for (parts, form) in [(item["summary"], ReasoningForm.summary), (item["content"], .raw)] {
                guard let parts, parts.kind == .array else { continue }
                for part in parts.elements {
                    reasoning(part["text"]?.string, form, at: index, deliver)
                }
            }
        }

        /// Keeps a reasoning item. Without encrypted content, only servers that return their reasoning can use it.
        private mutating func keepReasoning(_ item: JSONElement, at place: Int) {
            let encrypted = item["encrypted_content"]?.nonEmptyString
            let content = item["content"].flatMap { $0.count > 0 ? $0.text : nil }
            guard encrypted != nil || content != nil else { return }
            var writer = JSONWriter(capacity: (encrypted?.utf8.count ?? 0) + (content?.utf8.count ?? 0) + 256)
            writer.beginObject()
            writer.member("type", "reasoning")
            writer.key("summary")
            writer.raw(item["summary"].flatMap { $0.kind == .array ? $0.text : nil } ?? "[]")
            if let content {
                writer.key("content")
                writer.raw(content)
            }
            if let encrypted { writer.member("encrypted_content", encrypted) }
            let members = String(decoding: writer.bytes, as: UTF8.self)
            let id = item["id"]?.string ?? ""
            reasoning.append((place, id, members))
            reasoningBytes += members.utf8.count + id.utf8.count + 64
        }

        private func image(_ item: JSONElement, _ deliver: (ChunkEvent) -> Void) {
            let bytes = Base64.decode((item["result"]?.string ?? "").utf8)
            guard !bytes.isEmpty else { return }
            let format = item["output_format"]?.nonEmptyString ?? "png"
            deliver(.part(.image(Image(mimeType: "image/" + format, source: .data(bytes)))))
        }

        /// Reads the citations of a message whose text begins at byte `offset`.
        private mutating func cite(_ item: JSONElement, from offset: Int) throws(GenerationError) {
            guard let content = item["content"], content.kind == .array else { return }
            var offset = offset
            for part in content.elements {
                let text = part["text"]?.string ?? part["refusal"]?.string ?? ""
                defer { offset += text.utf8.count }
                if let logprobs = part["logprobs"], logprobs.count > 0 { extra.keep(logprobs, as: "logprobs") }
                guard let annotations = part["annotations"], annotations.kind == .array else { continue }
                try CallBudget.check(providerName, blocks: completion.citations.count + annotations.count)
                guard annotations.count > 0 else { continue }
                var offsets = ScalarOffsets()
                offsets.add(text)
                for annotation in annotations.elements {
                    guard let citation = Self.citation(annotation, offsets, offset) else {
                        warn("the response contains annotations of a kind that are omitted")
                        continue
                    }
                    completion.citations.append(citation)
                    citationBytes += citation.keptBytes
                    try CallBudget.check(providerName, bytes: keptBytes)
                }
            }
        }

        private static func citation(
            _ annotation: JSONElement, _ offsets: ScalarOffsets, _ base: Int
        ) -> Citation? {
            guard let type = annotation["type"]?.string, type.hasSuffix("citation") || type == "file_path" else {
                return nil
            }
            var citation = Citation(
                documentID: annotation["file_id"]?.string ?? "", url: annotation["url"]?.string ?? "",
                title: annotation["title"]?.string ?? annotation["filename"]?.string ?? "")
            if let start = annotation["start_index"]?.int, let end = annotation["end_index"]?.int, start <= end {
                citation.start = base + offsets.byte(ofScalar: start)
                citation.end = base + offsets.byte(ofScalar: end)
            }
            return citation
        }

        private mutating func customCall(_ item: JSONElement, at index: Int, _ deliver: (ChunkEvent) -> Void) {
            let piece = assembler.piece(
                index: index, id: item["call_id"]?.string ?? "", name: item["name"]?.string ?? "",
                arguments: CustomTool.arguments(item["input"]?.string ?? ""))
            for var piece in piece.map({ [$0] }) ?? assembler.remaining() {
                order.call(piece.index)
                piece.providerState = ProviderState.bytes(family) { $0.raw(#"{"custom":true}"#) }
                deliver(.toolCall(piece))
            }
        }

        // MARK: - Status and completion

        /// The members of a response that the contract defines, and those that repeat the request.
        private static let named: Set<String> = [
            "background", "completed_at", "context_management", "conversation", "created_at", "error",
            "frequency_penalty", "id", "incomplete_details", "instructions", "max_output_tokens", "max_tool_calls",
            "metadata", "model", "object", "output", "parallel_tool_calls", "presence_penalty", "previous_response_id",
            "prompt", "prompt_cache_key", "prompt_cache_options", "prompt_cache_retention", "reasoning",
            "safety_identifier", "status", "store", "temperature", "text", "tool_choice", "tools", "top_logprobs",
            "top_p", "truncation", "user",
        ]

        /// Adds a warning unless it is already present.
        private mutating func warn(_ warning: String) {
            if !completion.warnings.contains(warning) { completion.warnings.append(warning) }
        }

        /// Reads the response object of an event, or a unary response.
        mutating func read(response: JSONElement) {
            if let id = response["id"]?.nonEmptyString { completion.id = id }
            if let model = response["model"]?.nonEmptyString { completion.model = model }
            if let usage = response["usage"] { read(usage: usage) }
        }

        private mutating func read(usage: JSONElement) {
            let input = usage["input_tokens"]?.tokens
            let output = usage["output_tokens"]?.tokens
            guard input != nil || output != nil else { return }
            var result = Usage()
            result.inputTokens = input ?? 0
            result.outputTokens = output ?? 0
            result.totalTokens = usage["total_tokens"]?.tokens ?? result.inputTokens + result.outputTokens
            result.cacheWriteInputTokens = usage["input_tokens_details"]?["cache_write_tokens"]?.tokens ?? 0
            result.cachedInputTokens = usage["input_tokens_details"]?["cached_tokens"]?.tokens ?? 0
            result.reasoningTokens = usage["output_tokens_details"]?["reasoning_tokens"]?.tokens ?? 0
            result.source = .provider
            completion.usage = result
        }

        /// Reads how the response ended.
        /// - Parameter fallback: the status that the event's name implies.
        mutating func read(end response: JSONElement?, fallback: String) {
            extra.keep(response, except: Self.named)
            hasStatus = true
            completion.rawFinishReason =
                response?["incomplete_details"]?["reason"]?.nonEmptyString ?? response?["status"]?.nonEmptyString
                ?? fallback
        }

        private var end: AnswerEnd {
            if hasRefusal { return AnswerEnd(.refusal) }
            return switch completion.rawFinishReason {
            case "completed", "complete": AnswerEnd(.stop)
            case "max_output_tokens", "max_tokens": AnswerEnd(.length)
            case "content_filter": AnswerEnd(.contentFilter)
            // For any other status, the response is incomplete.
            default: AnswerEnd(.other, isBroken: true)
            }
        }

        /// Completes the response; called once, at the end.
        /// - Returns: the completion, and the indexes of the calls to remove from the message.
        mutating func close(_ deliver: (ChunkEvent) -> Void) -> (completion: AnswerTrailer, leftOut: Set<Int>) {
            for (index, item) in items.sorted(by: { $0.key < $1.key }) { close(item, at: index) }
            for (place, id, members) in reasoning { order.fill(place, finished(members, id: id)) }
            completion.provider = providerName
            if completion.id.isEmpty { completion.id = "gen-" + ToolCallAssembler.randomName() }
            let leftOut = end.close(&completion, &assembler, form, deliver)
            order.leaveOutCalls(leftOut)
            completion.providerState = order.bytes(family)
            completion.extraJSON = extra.text
            return (completion, leftOut)
        }

        /// Completes a reasoning item. The vendor validates ids across items, and calls are returned without theirs, so
        /// reasoning gets its id only if another item refers to it.
        private func finished(_ members: String, id: String) -> String {
            guard hasOpaque, !id.isEmpty else { return members + "}" }
            return members + ",\"id\":" + JSONValue.string(id).text + "}"
        }
    }

    /// Reads a unary response.
    /// - Throws: `.badProviderResponse` if it is invalid, or the error in its body.
    func decode(
        _ root: JSONElement, for model: ConfiguredModel, _ wishes: AnswerWishes
    ) throws(GenerationError) -> ChatResponse {
        if let error = VendorError(inAnswer: root, isErrorEvent: root["status"]?.string == "failed") {
            throw error.generationError(for: model)
        }
        guard let output = root["output"], output.kind == .array else {
            throw GenerationError(.badProviderResponse, "\(model.providerName) returned no output")
        }
        var reader = AnswerReader(providerName: model.providerName, family: family, wishes, .whole)
        var builder = MessageBuilder()
        reader.read(response: root)
        for (index, item) in output.elements.enumerated() {
            try reader.end(item, at: index) { builder.add($0) }
        }
        reader.read(end: root, fallback: "")
        let (completion, leftOut) = reader.close { builder.add($0) }
        var message = builder.finish(completion)
        message.leaveOutCalls(leftOut)
        return ChatResponse(message: message, completion: completion)
    }
}
