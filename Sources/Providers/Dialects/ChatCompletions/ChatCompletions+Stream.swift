internal import EventLoop
internal import Generation
internal import HTTPClient
internal import JSON

extension ChatCompletions {
    /// Decodes a stream, event by event.
    final class Decoder: StreamDecoder {
        private let model: ConfiguredModel
        private var state: AnswerState
        /// Whether `[DONE]` was received.
        private(set) var isDone = false
        /// Whether any valid event was received.
        private var hasEvents = false
        private var stray = StrayText()

        var keptBytes: Int { state.keptBytes + stray.keptBytes }

        init(model: ConfiguredModel, quirks: Quirks, _ wishes: AnswerWishes) {
            self.model = model
            state = AnswerState(model, quirks: quirks, wishes)
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
            state.checkChoices(root)
            guard let choice = ChatCompletions.choice(root) else { return }
            try ChatCompletions.checkError(choice, for: model)
            // Filter results arrive in choices without a delta.
            if let delta = choice["delta"] { try state.read(message: delta, isWhole: false, deliver) }
            state.read(choice: choice)
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
