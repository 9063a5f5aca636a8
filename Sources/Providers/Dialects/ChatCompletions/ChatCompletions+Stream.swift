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
        /// `[DONE]` came.
        private(set) var isDone = false
        /// Anything readable came at all.
        private var hasEvents = false
        private var stray = StrayText()

        var keptBytes: Int { state.keptBytes + stray.keptBytes }

        init(model: ConfiguredModel, quirks: Quirks, includesReasoning: Bool) {
            self.model = model
            self.includesReasoning = includesReasoning
            state = AnswerState(providerName: model.providerName, quirks: quirks)
        }

        /// Decodes one event and hands on what it holds.
        /// - Throws: the error that the event carries, or `.badProviderResponse` where it is unreadable.
        func consume(
            _ event: SSEEvent, parser: JSONParser, _ deliver: (ChunkEvent) -> Void
        ) throws(GenerationError) {
            // What comes behind the end is nobody's.
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
            // Filter results come in choices without a delta.
            if let delta = choice["delta"] { try read(delta, deliver) }
            state.read(finishReason: choice["finish_reason"])
        }

        private func read(_ delta: JSONElement, _ deliver: (ChunkEvent) -> Void) throws(GenerationError) {
            if includesReasoning, let reasoning = ChatCompletions.reasoning(of: delta) {
                deliver(.reasoning(reasoning))
            }
            if let text = ChatCompletions.text(of: delta["content"]) { deliver(.text(text)) }
            if let refusal = delta["refusal"]?.nonEmptyString {
                state.hasRefusal = true
                deliver(.text(refusal))
            }
            if let calls = delta["tool_calls"] { try state.read(calls: calls, isWhole: false, deliver) }
        }

        /// The stream is over. Returns how it ended.
        /// - Throws: `.streamInterrupted` where it has no end of its own, `.badProviderResponse` where it was none.
        func finish(_ deliver: (ChunkEvent) -> Void) throws(GenerationError) -> Completion {
            guard isDone || state.hasFinishReason else {
                throw Self.endError(model.providerName, hasEvents: hasEvents)
            }
            _ = state.close(.stream, deliver)
            return state.completion
        }
    }
}
