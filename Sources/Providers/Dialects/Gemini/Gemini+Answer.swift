internal import Generation
internal import HTTPClient
internal import JSON

extension Gemini {
    /// What a whole answer and a stream have in common: both are made of the same object.
    struct AnswerReader {
        private(set) var completion = Completion()
        private(set) var hasFinishReason = false
        private let includesReasoning: Bool
        private var order = BlockOrder()
        private var ids: Set<String> = []
        private var callCount = 0
        private var hasSkippedMedia = false
        /// The arguments of the call that comes in pieces; `nil` while none does.
        private var partial: PartialArguments?
        private var idBytes = 0

        /// What is kept until the end, in bytes.
        var keptBytes: Int { order.keptBytes + idBytes + (partial?.keptBytes ?? 0) }

        init(includesReasoning: Bool) { self.includesReasoning = includesReasoning }

        mutating func read(
            _ root: JSONElement, for model: ConfiguredModel, _ deliver: (ChunkEvent) -> Void
        ) throws(GenerationError) {
            if let id = root["responseId"]?.nonEmptyString { completion.id = id }
            if let name = root["modelVersion"]?.nonEmptyString { completion.model = name }
            if let usage = root["usageMetadata"] { read(usage: usage) }
            let candidate = root["candidates"]?.elements.first { ($0["index"]?.int ?? 0) == 0 }
            if candidate == nil, let reason = root["promptFeedback"]?["blockReason"]?.nonEmptyString {
                throw Self.blocked(reason, root["promptFeedback"]?["blockReasonMessage"]?.nonEmptyString, model)
            }
            guard let candidate else { return }
            if let parts = candidate["content"]?["parts"] {
                for part in parts.elements { try read(part: part, deliver) }
            }
            if let reason = candidate["finishReason"]?.nonEmptyString {
                hasFinishReason = true
                completion.rawFinishReason = reason
                if let words = candidate["finishMessage"]?.nonEmptyString {
                    completion.warnings.append(VendorError.clean(words, for: model))
                }
            }
        }

        private static func blocked(_ reason: String, _ words: String?, _ model: ConfiguredModel) -> GenerationError {
            let message = words ?? "the prompt was blocked: \(reason)"
            var error = GenerationError(.contentFiltered, VendorError.clean(message, for: model))
            error.httpStatus = 200
            error.providerCode = VendorError.clean(reason, for: model)
            return error
        }

        // MARK: - Parts

        private mutating func read(part: JSONElement, _ deliver: (ChunkEvent) -> Void) throws(GenerationError) {
            // The kind comes first: a call can be marked as a thought too.
            if let call = part["functionCall"] {
                return try read(call: call, signature: part["thoughtSignature"]?.nonEmptyString, deliver)
            }
            if let text = part["text"]?.string {
                let signature = part["thoughtSignature"]?.nonEmptyString
                if part["thought"]?.bool == true {
                    if includesReasoning, !text.isEmpty { deliver(.reasoning(text)) }
                    order.opaque(part.text)
                } else if !text.isEmpty {
                    order.text(text.utf8.count, signature: signature)
                    deliver(.text(text))
                } else if signature != nil {
                    order.opaque(part.text)
                }
            } else if part["inlineData"] != nil || part["fileData"] != nil {
                if !hasSkippedMedia { completion.warnings.append("the answer holds media, which is left out") }
                hasSkippedMedia = true
            } else if part.count > 0 {
                order.opaque(part.text)
            }
        }

        private mutating func read(
            call: JSONElement, signature: String?, _ deliver: (ChunkEvent) -> Void
        ) throws(GenerationError) {
            let continues = call["willContinue"]?.bool == true
            if let name = call["name"]?.nonEmptyString {
                closePartial(deliver)
                let hasPieces = continues || call["partialArgs"] != nil
                // An empty object before the pieces stands for none yet.
                let whole = call["args"].flatMap { hasPieces && $0.count == 0 ? nil : $0 }
                let arguments = whole.map(\.text) ?? (hasPieces ? "" : "{}")
                begin(id: call["id"]?.nonEmptyString, name: name, arguments: arguments, signature, deliver)
                guard hasPieces, whole == nil else { return }
                partial = PartialArguments()
            }
            guard partial != nil else { return }
            if let pieces = call["partialArgs"] {
                var text = ""
                for piece in pieces.elements { text += try partial?.add(piece) ?? "" }
                deliverArguments(text, deliver)
            }
            if !continues { closePartial(deliver) }
        }

        private mutating func begin(
            id vendorID: String?, name: String, arguments: String, _ signature: String?,
            _ deliver: (ChunkEvent) -> Void
        ) {
            var state: [UInt8] = []
            if signature != nil || vendorID != nil {
                state = ProviderState.bytes(Gemini.family) { writer in
                    writer.beginObject()
                    if let signature { writer.member("signature", signature) }
                    if let vendorID { writer.member("id", vendorID) }
                    writer.endObject()
                }
            }
            let id = vendorID.flatMap { ids.contains($0) ? nil : $0 } ?? ToolCallAssembler.makeID()
            ids.insert(id)
            idBytes += 64 + id.utf8.count
            order.call(callCount)
            deliver(
                .toolCall(
                    ToolCallDelta(
                        index: callCount, id: id, name: name, argumentsJSONDelta: arguments, providerState: state)))
            callCount += 1
        }

        private func deliverArguments(_ text: String, _ deliver: (ChunkEvent) -> Void) {
            guard !text.isEmpty else { return }
            deliver(.toolCall(ToolCallDelta(index: callCount - 1, id: "", name: "", argumentsJSONDelta: text)))
        }

        private mutating func closePartial(_ deliver: (ChunkEvent) -> Void) {
            guard var arguments = partial else { return }
            partial = nil
            deliverArguments(arguments.close(), deliver)
        }

        // MARK: - The rest

        /// Each report is a sum: the last one counts. Vertex AI's first ones have no counts at all.
        private mutating func read(usage: JSONElement) {
            let (input, output) = (usage["promptTokenCount"]?.tokens, usage["candidatesTokenCount"]?.tokens)
            guard input != nil || output != nil else { return }
            let thoughts = usage["thoughtsTokenCount"]?.tokens ?? 0
            var result = Usage()
            result.source = .provider
            // What the vendor's own tools read is in the total only, as the vendor reports it.
            result.inputTokens = input ?? 0
            result.outputTokens = (output ?? 0) + thoughts
            result.reasoningTokens = thoughts
            result.cachedInputTokens = usage["cachedContentTokenCount"]?.tokens ?? 0
            result.totalTokens = usage["totalTokenCount"]?.tokens ?? result.inputTokens + result.outputTokens
            completion.usage = result
        }

        mutating func close(providerName: String, _ deliver: (ChunkEvent) -> Void) -> Completion {
            // The vendor forgets the closing piece at times.
            closePartial(deliver)
            completion.provider = providerName
            if completion.id.isEmpty { completion.id = "gen-" + ToolCallAssembler.randomName() }
            completion.providerState = order.bytes(Gemini.family)
            completion.finishReason =
                switch completion.rawFinishReason {
                case _ where callCount > 0: .toolCalls
                case "STOP": .stop
                case "MAX_TOKENS": .length
                case "SAFETY", "RECITATION", "BLOCKLIST", "PROHIBITED_CONTENT", "SPII", "MODEL_ARMOR", "LANGUAGE",
                    "IMAGE_SAFETY", "IMAGE_PROHIBITED_CONTENT", "IMAGE_RECITATION":
                    .contentFilter
                default: .other
                }
            return completion
        }
    }

    func decode(
        _ root: JSONElement, for model: ConfiguredModel, includesReasoning: Bool
    ) throws(GenerationError) -> ChatResponse {
        if let error = VendorError(inAnswer: root) { throw error.generationError(for: model) }
        var reader = AnswerReader(includesReasoning: includesReasoning)
        var builder = MessageBuilder()
        // A proxy that loses the query turns a stream into an array of its events.
        for event in root.kind == .array ? Array(root.elements) : [root] {
            if let error = VendorError(inAnswer: event) { throw error.generationError(for: model) }
            try reader.read(event, for: model) { builder.add($0) }
        }
        guard reader.hasFinishReason || !builder.message.isEmpty else {
            throw GenerationError(.badProviderResponse, "\(model.providerName) answered without any candidate")
        }
        guard reader.hasFinishReason || root.kind != .array else {
            throw Decoder.endError(model.providerName, hasEvents: true)
        }
        let completion = reader.close(providerName: model.providerName) { builder.add($0) }
        return ChatResponse(message: builder.finish(completion), completion: completion)
    }

    /// Decodes a stream, event by event. The vendor has no end mark: the body just ends.
    final class Decoder: StreamDecoder {
        private let model: ConfiguredModel
        private var reader: AnswerReader
        private var hasEvents = false
        private var stray = StrayText()

        let isDone = false

        init(model: ConfiguredModel, includesReasoning: Bool) {
            self.model = model
            reader = AnswerReader(includesReasoning: includesReasoning)
        }

        func consume(
            _ event: SSEEvent, parser: JSONParser, _ deliver: (ChunkEvent) -> Void
        ) throws(GenerationError) {
            guard let root = try Self.parse(event, parser, &stray, for: model) else { return }
            hasEvents = true
            try reader.read(root, for: model, deliver)
            try Self.checkKept(reader.keptBytes, for: model)
        }

        func finish(_ deliver: (ChunkEvent) -> Void) throws(GenerationError) -> Completion {
            guard reader.hasFinishReason else { throw Self.endError(model.providerName, hasEvents: hasEvents) }
            return reader.close(providerName: model.providerName, deliver)
        }
    }
}

extension Message {
    /// Whether nothing was said.
    fileprivate var isEmpty: Bool { content.isEmpty && reasoning.isEmpty && toolCalls.isEmpty }
}
