internal import Encodings
internal import Generation
internal import HTTPClient
internal import JSON

extension Gemini {
    /// The state that unary responses and streams share; both use the same object.
    struct AnswerReader {
        private(set) var completion = AnswerTrailer()
        private(set) var hasFinishReason = false
        private let providerName: String
        private let wishes: AnswerWishes
        private let form: AnswerEnd.Form
        private var order = BlockOrder()
        private var assembler = ToolCallAssembler()
        private var callCount = 0
        private var partCount = 0
        private var sources = Sources()
        private var extra: ExtraFields
        /// The vendor's newest finish message.
        private var finishWords: String?
        /// The arguments of the newest call if it arrives in pieces; otherwise `nil`.
        private var partial: PartialArguments?
        /// The arguments of calls that ended within a string, by the calls' indexes. Only the response's end
        /// shows whether they are complete.
        private var unfinished: [(call: Int, arguments: PartialArguments)] = []
        private var unfinishedBytes = 0
        /// The indexes of the calls to remove from a unary response.
        private(set) var leftOut: Set<Int> = []

        /// The bytes held until the end.
        var keptBytes: Int {
            completion.keptBytes + (finishWords?.utf8.count ?? 0) + order.keptBytes + assembler.keptBytes
                + (partial?.keptBytes ?? 0) + unfinishedBytes + sources.keptBytes + extra.keptBytes
        }

        init(providerName: String, _ wishes: AnswerWishes, _ form: AnswerEnd.Form) {
            self.providerName = providerName
            self.wishes = wishes
            self.form = form
            extra = ExtraFields(isWanted: wishes.extra)
        }

        mutating func read(
            _ root: JSONElement, for model: ConfiguredModel, _ deliver: (ChunkEvent) -> Void
        ) throws(GenerationError) {
            if let id = root["responseId"]?.nonEmptyString { completion.id = id }
            if let name = root["modelVersion"]?.nonEmptyString { completion.model = name }
            if let usage = root["usageMetadata"] { read(usage: usage) }
            extra.keep(root, except: Self.namedRoot)
            let candidate = root["candidates"]?.elements.first { ($0["index"]?.int ?? 0) == 0 }
            if candidate == nil, let reason = root["promptFeedback"]?["blockReason"]?.nonEmptyString {
                throw Self.blocked(reason, root["promptFeedback"]?["blockReasonMessage"]?.nonEmptyString)
            }
            guard let candidate else { return }
            extra.keep(candidate, except: Self.namedCandidate)
            if (root["candidates"]?.count ?? 0) > 1 {
                warn("the response has more than one candidate; only the first is returned")
            }
            sources.beginContent()
            if let parts = candidate["content"]?["parts"] {
                try CallBudget.check(providerName, blocks: parts.count)
                for part in parts.elements {
                    sources.beginPart()
                    try read(part: part, deliver)
                    try CallBudget.check(
                        providerName, bytes: keptBytes, toolCalls: assembler.count, blocks: order.entries.count)
                }
            }
            try sources.read(candidate, providerName: providerName)
            if let reason = candidate["finishReason"]?.nonEmptyString {
                hasFinishReason = true
                completion.rawFinishReason = reason
                if let words = candidate["finishMessage"]?.nonEmptyString {
                    finishWords = AnswerGate.beginning(words)
                }
            }
        }

        /// The members that the contract has a name for.
        private static let namedRoot: Set<String> = ["candidates", "modelVersion", "responseId", "error"]
        private static let namedCandidate: Set<String> = ["content", "index", "finishReason", "finishMessage"]

        /// Adds a warning once.
        private mutating func warn(_ warning: String) {
            if !completion.warnings.contains(warning) { completion.warnings.append(warning) }
        }

        private static func blocked(_ reason: String, _ words: String?) -> GenerationError {
            let message = words ?? "the prompt was blocked: \(reason)"
            var error = GenerationError(.contentFiltered, AnswerGate.beginning(message))
            error.httpStatus = 200
            error.providerCode = AnswerGate.beginning(reason)
            return error
        }

        // MARK: - Parts

        private mutating func read(part: JSONElement, _ deliver: (ChunkEvent) -> Void) throws(GenerationError) {
            // Check the kind first: a call can be marked as a thought too.
            if let call = part["functionCall"] {
                return try read(call: call, signature: part["thoughtSignature"]?.nonEmptyString, deliver)
            }
            if let text = part["text"]?.string {
                let signature = part["thoughtSignature"]?.nonEmptyString
                if part["thought"]?.bool == true {
                    if wishes.reasoning, !text.isEmpty { deliver(.reasoning(text)) }
                    order.opaque(part.text)
                } else if !text.isEmpty {
                    order.text(text.utf8.count, signature: signature)
                    sources.text(text.utf8.count)
                    deliver(.text(text))
                } else if signature != nil {
                    order.opaque(part.text)
                }
            } else if let media = Self.media(part) {
                guard part["thought"]?.bool != true else {
                    return warn("the model's thoughts contain media, which is omitted")
                }
                order.part(partCount, signature: part["thoughtSignature"]?.nonEmptyString)
                partCount += 1
                deliver(.part(media))
            } else if part.count > 0 {
                extra.append(part.text, to: "blocks")
                order.opaque(part.text)
            }
        }

        /// The part of the message for media that the model generated; `nil` if there are none.
        private static func media(_ part: JSONElement) -> Part? {
            let (inline, file) = (part["inlineData"], part["fileData"])
            let source: MediaSource
            if let data = inline?["data"]?.string {
                source = .data(Base64.decode(data.utf8))
            } else if let url = file?["fileUri"]?.string {
                source = .url(url)
            } else {
                return nil
            }
            let mimeType = (inline ?? file)?["mimeType"]?.string ?? ""
            if mimeType.hasPrefix("image/") { return .image(Image(mimeType: mimeType, source: source)) }
            if mimeType.hasPrefix("audio/") { return .audio(Audio(mimeType: mimeType, source: source)) }
            return .file(File(mimeType: mimeType, source: source))
        }

        private mutating func read(
            call: JSONElement, signature: String?, _ deliver: (ChunkEvent) -> Void
        ) throws(GenerationError) {
            let continues = call["willContinue"]?.bool == true
            if let name = call["name"]?.nonEmptyString {
                closePartial(deliver)
                let hasPieces = continues || call["partialArgs"] != nil
                // An empty object before the pieces means that there are no arguments yet.
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
                self.deliver(arguments: text, of: callCount - 1, deliver)
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
            // The vendor's index would be this one: each call with a name is a new one.
            let piece = assembler.piece(index: callCount, id: vendorID ?? "", name: name, arguments: arguments)
            guard var piece else { return }
            piece.providerState = state
            order.call(callCount)
            callCount += 1
            deliver(.toolCall(piece))
        }

        private mutating func deliver(
            arguments text: String, of call: Int, _ deliver: (ChunkEvent) -> Void
        ) {
            guard !text.isEmpty else { return }
            let piece = assembler.piece(index: call, id: "", name: "", arguments: text)
            if let piece { deliver(.toolCall(piece)) }
        }

        /// Called when the vendor reports the end of the newest call.
        private mutating func closePartial(_ deliver: (ChunkEvent) -> Void) {
            guard var arguments = partial else { return }
            partial = nil
            if arguments.isInText {
                unfinished.append((callCount - 1, arguments))
                unfinishedBytes += arguments.keptBytes
            } else {
                self.deliver(arguments: arguments.close(), of: callCount - 1, deliver)
            }
        }

        /// Called if the response is complete: closes all calls.
        private mutating func closeAll(_ deliver: (ChunkEvent) -> Void) {
            // The vendor sometimes omits the closing piece.
            closePartial(deliver)
            for var (call, arguments) in unfinished { self.deliver(arguments: arguments.close(), of: call, deliver) }
            unfinished = []
        }

        // MARK: - The rest

        /// Each report is a total: the last one counts. Vertex AI's first reports have no counts.
        private mutating func read(usage: JSONElement) {
            let (input, output) = (usage["promptTokenCount"]?.tokens, usage["candidatesTokenCount"]?.tokens)
            guard input != nil || output != nil else { return }
            let thoughts = usage["thoughtsTokenCount"]?.tokens ?? 0
            var result = Usage()
            result.source = .provider
            // What the vendor's own tools read is in the total only, as the vendor reports it.
            result.inputTokens = input ?? 0
            result.outputTokens = (output ?? 0) + thoughts
            let total = usage["totalTokenCount"]?.tokens
            // Some servers count thoughts among the candidates' tokens already; the sum is then more than the total.
            if let output, let total, output >= thoughts, result.inputTokens + result.outputTokens > total {
                result.outputTokens = output
            }
            result.reasoningTokens = thoughts
            result.cachedInputTokens = usage["cachedContentTokenCount"]?.tokens ?? 0
            result.totalTokens = total ?? result.inputTokens + result.outputTokens
            completion.usage = result
        }

        private var end: AnswerEnd {
            switch completion.rawFinishReason {
            case "STOP": AnswerEnd(.stop)
            case "MAX_TOKENS": AnswerEnd(.length)
            case "SAFETY", "RECITATION", "BLOCKLIST", "PROHIBITED_CONTENT", "SPII", "MODEL_ARMOR", "LANGUAGE",
                "IMAGE_SAFETY", "IMAGE_PROHIBITED_CONTENT", "IMAGE_RECITATION":
                AnswerEnd(.contentFilter)
            // A call of a tool that was not offered: the call itself may be complete.
            case "UNEXPECTED_TOOL_CALL": AnswerEnd(.other)
            // All other reasons of the vendor are failures.
            default: AnswerEnd(.other, isBroken: true)
            }
        }

        mutating func close(_ deliver: (ChunkEvent) -> Void) -> AnswerTrailer {
            let end = end
            if end.isGood { closeAll(deliver) }
            completion.provider = providerName
            if completion.id.isEmpty { completion.id = "gen-" + ToolCallAssembler.randomName() }
            if let finishWords { completion.warnings.append(finishWords) }
            leftOut = end.close(&completion, &assembler, form, deliver)
            order.leaveOutCalls(leftOut)
            completion.providerState = order.bytes(Gemini.family)
            completion.citations = sources.citations
            completion.extraJSON = extra.text
            return completion
        }
    }

    func decode(
        _ root: JSONElement, for model: ConfiguredModel, _ wishes: AnswerWishes
    ) throws(GenerationError) -> ChatResponse {
        if let error = VendorError(inAnswer: root) { throw error.generationError(for: model) }
        var reader = AnswerReader(providerName: model.providerName, wishes, .whole)
        var builder = MessageBuilder()
        // A proxy that loses the query turns a stream into an array of its events.
        for event in root.kind == .array ? Array(root.elements) : [root] {
            if let error = VendorError(inAnswer: event) { throw error.generationError(for: model) }
            try reader.read(event, for: model) { builder.add($0) }
        }
        guard reader.hasFinishReason || !builder.message.isEmpty else {
            throw GenerationError(.badProviderResponse, "\(model.providerName) returned no candidate")
        }
        guard reader.hasFinishReason || root.kind != .array else {
            throw Decoder.endError(model.providerName, hasEvents: true)
        }
        let completion = reader.close { builder.add($0) }
        var message = builder.finish(completion)
        message.leaveOutCalls(reader.leftOut)
        return ChatResponse(message: message, completion: completion)
    }

    /// Decodes a stream, event by event. The vendor has no end mark: the body just ends.
    final class Decoder: StreamDecoder {
        private let model: ConfiguredModel
        private var reader: AnswerReader
        private var hasEvents = false
        private var stray = StrayText()

        let isDone = false
        var keptBytes: Int { reader.keptBytes + stray.keptBytes }

        init(model: ConfiguredModel, _ wishes: AnswerWishes) {
            self.model = model
            reader = AnswerReader(providerName: model.providerName, wishes, .stream)
        }

        func consume(
            _ event: SSEEvent, parser: JSONParser, _ deliver: (ChunkEvent) -> Void
        ) throws(GenerationError) {
            guard let root = try Self.parse(event, parser, &stray, for: model) else { return }
            hasEvents = true
            try reader.read(root, for: model, deliver)
        }

        func finish(_ deliver: (ChunkEvent) -> Void) throws(GenerationError) -> AnswerTrailer {
            guard reader.hasFinishReason else { throw Self.endError(model.providerName, hasEvents: hasEvents) }
            return reader.close(deliver)
        }
    }
}

extension Message {
    /// Whether there is no content, part, reasoning or call.
    fileprivate var isEmpty: Bool { content.isEmpty && reasoning.isEmpty && toolCalls.isEmpty && parts.isEmpty }
}
