internal import EventLoop
internal import Generation
internal import HTTPClient
internal import JSON

extension ChatCompletions {
    /// Decodes a stream, event by event.
    struct StreamDecoder {
        private let model: ConfiguredModel
        private let includesReasoning: Bool
        private var state: AnswerState
        /// `[DONE]` came.
        private(set) var isDone = false
        /// Anything readable came at all.
        private var hasEvents = false

        init(model: ConfiguredModel, quirks: Quirks, includesReasoning: Bool) {
            self.model = model
            self.includesReasoning = includesReasoning
            state = AnswerState(quirks: quirks)
        }

        /// Decodes one event and hands on what it holds.
        /// - Throws: the error that the event carries, or `.badProviderResponse` where it is unreadable.
        mutating func consume(
            _ event: SSEEvent, parser: JSONParser, _ deliver: (ChunkEvent) -> Void
        ) throws(GenerationError) {
            // What comes behind the end is nobody's.
            guard !isDone else { return }
            if event.data.starts(with: "[DONE]".utf8) {
                isDone = true
                return
            }
            let root: JSONElement
            do {
                root = try parser.parse(event.data)
            } catch {
                // Some servers keep a connection alive with lines that are no fields; only a JSON one says something.
                if event.isStray { return }
                throw GenerationError(
                    .badProviderResponse, "\(model.providerName) sent an event that is not JSON: \(error)")
            }
            if let error = VendorError(inAnswer: root, isErrorEvent: event.name.elementsEqual("error".utf8)) {
                throw error.generationError(for: model)
            }
            hasEvents = true
            state.readHead(root)
            guard let choice = choice(root) else { return }
            // Filter results come in choices without a delta.
            if let delta = choice["delta"] { read(delta, deliver) }
            state.read(finishReason: choice["finish_reason"])
        }

        private mutating func read(_ delta: JSONElement, _ deliver: (ChunkEvent) -> Void) {
            if includesReasoning, let reasoning = reasoning(delta) { deliver(.reasoning(reasoning)) }
            if let text = text(delta["content"]) { deliver(.text(text)) }
            if let refusal = delta["refusal"]?.nonEmptyString {
                state.hasRefusal = true
                deliver(.text(refusal))
            }
            guard let calls = delta["tool_calls"] else { return }
            for call in calls.elements {
                let function = call["function"]
                let arguments = function?["arguments"]
                let piece = state.assembler.piece(
                    index: call["index"]?.int, id: call["id"]?.string ?? "", name: function?["name"]?.string ?? "",
                    arguments: arguments.map { $0.string ?? $0.text } ?? "")
                if let piece { deliver(.toolCall(piece)) }
            }
        }

        /// The stream is over. Returns how it ended.
        /// - Throws: `.streamInterrupted` where it has no end of its own, `.badProviderResponse` where it was none.
        mutating func finish(_ deliver: (ChunkEvent) -> Void) throws(GenerationError) -> Completion {
            guard isDone || hasEvents else {
                throw GenerationError(
                    .badProviderResponse, "\(model.providerName) answered a stream's request with no event at all")
            }
            guard isDone || state.hasFinishReason else {
                throw GenerationError(
                    .streamInterrupted, "\(model.providerName) ended the stream before the answer's end")
            }
            for piece in state.assembler.remaining() { deliver(.toolCall(piece)) }
            state.close(providerName: model.providerName)
            return state.completion
        }
    }
}
