internal import EventLoop
internal import Generation
internal import HTTPClient
internal import JSON

extension Responses {
    /// Decodes a stream event by event.
    final class Decoder: StreamDecoder {
        private let model: ConfiguredModel
        private var reader: AnswerReader
        private(set) var isDone = false
        /// Whether any event of the API was received.
        private var hasEvents = false
        private var stray = StrayText()

        var keptBytes: Int { reader.keptBytes + stray.keptBytes }

        init(model: ConfiguredModel, family: StaticString, _ wishes: AnswerWishes) {
            self.model = model
            reader = AnswerReader(providerName: model.providerName, family: family, wishes, .stream)
        }

        /// Decodes one event and delivers its contents.
        /// - Throws: the error in the event, or `.badProviderResponse` if it is invalid.
        func consume(
            _ event: SSEEvent, parser: JSONParser, _ deliver: (ChunkEvent) -> Void
        ) throws(GenerationError) {
            // Events after the end are ignored.
            guard !isDone, let root = try Self.parse(event, parser, &stray, for: model) else { return }
            // Some servers send no event names, so the type is read from the data.
            guard let type = root["type"]?.string else { return }
            hasEvents = true
            let index = root["output_index"]?.int
            switch type {
            case "response.output_text.delta": reader.text(root["delta"]?.string, at: index, deliver)
            case "response.function_call_arguments.delta":
                reader.arguments(root["delta"]?.string, at: index, deliver)
            case "response.reasoning_summary_text.delta":
                reader.reasoning(root["delta"]?.string, .summary, at: index, deliver)
            case "response.reasoning_text.delta": reader.reasoning(root["delta"]?.string, .raw, at: index, deliver)
            case "response.refusal.delta": reader.text(root["delta"]?.string, at: index, isRefusal: true, deliver)
            case "response.output_item.added":
                if let item = root["item"] { try reader.begin(item, at: index, deliver) }
            case "response.output_item.done":
                if let item = root["item"] { try reader.end(item, at: index, deliver) }
            case "response.created", "response.in_progress", "response.queued":
                if let response = root["response"] { reader.read(response: response) }
            case "response.completed", "response.incomplete", "response.cancelled":
                try end(root["response"], String(type.dropFirst("response.".count)), deliver)
            case "response.failed", "error":
                throw VendorError(root["response"] ?? root).generationError(for: model)
            // The starts and ends of parts, the progress of built-in tools, and unknown events.
            default: break
            }
        }

        private func end(
            _ response: JSONElement?, _ status: String, _ deliver: (ChunkEvent) -> Void
        ) throws(GenerationError) {
            if let response {
                reader.read(response: response)
                // Some servers send the items only in the last event.
                if reader.itemCount == 0, let output = response["output"], output.kind == .array {
                    for (index, item) in output.elements.enumerated() { try reader.end(item, at: index, deliver) }
                }
            }
            reader.read(end: response, fallback: status)
            isDone = true
        }

        /// Called at the end of the stream; returns its completion.
        /// - Throws: `.streamInterrupted` if the end is missing, `.badProviderResponse` if the stream is empty.
        func finish(_ deliver: (ChunkEvent) -> Void) throws(GenerationError) -> AnswerTrailer {
            guard isDone else { throw Self.endError(model.providerName, hasEvents: hasEvents) }
            return reader.close(deliver).completion
        }
    }
}
