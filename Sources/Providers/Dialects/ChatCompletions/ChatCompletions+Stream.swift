internal import EventLoop
internal import Generation
internal import HTTPClient
internal import JSON

extension ChatCompletions {
    /// Decodes a stream, event by event.
    final class Decoder: StreamDecoder {
        private let model: ConfiguredModel
        private let includesReasoning: Bool
        private var state: AnswerState
        /// Whether `[DONE]` was received.
        private(set) var isDone = false
        /// Whether any valid event was received.
        private var hasEvents = false
        private var stray = StrayText()

        var keptBytes: Int { state.keptBytes + stray.keptBytes }

        init(model: ConfiguredModel, quirks: Quirks, includesReasoning: Bool) {
            self.model = model
            self.includesReasoning = includesReasoning
            state = AnswerState(model, quirks: quirks)
        }

        /// Decodes one event and delivers its contents.
        /// - Throws: the error in the event, or `.badProviderResponse` if it is invalid.
        func consume(
            _ event: SSEEvent, parser: JSONParser, _ deliver: (ChunkEvent) -> Void
        ) throws(GenerationError) {
            // Everything after the end is ignored.
            guard !isDone else { return }
            if event.data.starts(with: "[DONE]".utf8) {
                isDone = true
                return
            }
            guard let root = try Self.parse(event, parser, &stray, for: model) else { return }
            hasEvents = true
            try state.readHead(root, for: model)
            guard let choice = ChatCompletions.choice(root) else { return }
            try ChatCompletions.checkError(choice, for: model)
            // Filter results arrive in choices without a delta.
            if let delta = choice["delta"] { try read(delta, deliver) }
            state.read(finishReason: choice["finish_reason"])
        }

        private func read(_ delta: JSONElement, _ deliver: (ChunkEvent) -> Void) throws(GenerationError) {
            try state.readReasoning(delta, isIncluded: includesReasoning, deliver)
            if let text = ChatCompletions.text(of: delta["content"]) { deliver(.text(text)) }
            if let refusal = delta["refusal"]?.nonEmptyString {
                state.hasRefusal = true
                deliver(.text(refusal))
            }
            if let calls = delta["tool_calls"] { try state.read(calls: calls, isWhole: false, deliver) }
        }

        /// Called at the end of the stream; returns its completion.
        /// - Throws: `.streamInterrupted` if the end is missing, `.badProviderResponse` if the stream is empty.
        func finish(_ deliver: (ChunkEvent) -> Void) throws(GenerationError) -> AnswerTrailer {
            guard isDone || state.hasFinishReason else {
                throw Self.endError(model.providerName, hasEvents: hasEvents)
            }
            _ = state.close(.stream, deliver)
            return state.completion
        }
    }
}
