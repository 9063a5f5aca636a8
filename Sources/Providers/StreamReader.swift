internal import Generation
internal import HTTPClient
internal import JSON

/// Reads one streamed answer: cuts the bytes into events, decodes them, and watches the budget. Belongs to one loop.
final class StreamReader {
    private let providerName: String
    private let parser: JSONParser
    private let decoder: any StreamDecoder
    private var sse = SSEParser(maximumEventBytes: CallBudget.eventBytes)

    /// What is kept of the answer, in bytes.
    private(set) var keptBytes = 0

    /// The vendor's end mark came: nothing that follows matters.
    var isDone: Bool { decoder.isDone }

    /// A reader of an answer of `model`. The parser is the loop's, and is used for one event at a time.
    init(_ model: ConfiguredModel, includesReasoning: Bool, parser: JSONParser) {
        providerName = model.providerName
        self.parser = parser
        decoder = model.provider.dialect.makeStreamDecoder(for: model, includesReasoning: includesReasoning)
    }

    /// Takes the next bytes and hands on what the events in them hold.
    /// - Throws: the error that an event carries, or `.badProviderResponse` where one is unreadable or the budget is
    ///   exceeded. The stream is of no use then.
    func consume(
        _ bytes: UnsafeRawBufferPointer, _ deliver: (ChunkEvent) -> Void
    ) throws(GenerationError) {
        var failure: GenerationError?
        do {
            try sse.consume(bytes) { take($0, &failure, deliver) }
        } catch {
            // What was wrong before came first.
            throw failure ?? CallBudget.exceeded(providerName, "cannot be read: \(error)")
        }
        if let failure { throw failure }
        keptBytes = sse.keptBytes + decoder.keptBytes
        try CallBudget.check(providerName, bytes: keptBytes)
    }

    /// The body is over: hands on what an event without its end holds.
    /// - Throws: as `consume`.
    func flush(_ deliver: (ChunkEvent) -> Void) throws(GenerationError) {
        var failure: GenerationError?
        sse.finish { take($0, &failure, deliver) }
        if let failure { throw failure }
    }

    /// The stream is over. Returns how it ended.
    /// - Throws: `.streamInterrupted` where it has no end of its own, `.badProviderResponse` where it was none.
    func finish(_ deliver: (ChunkEvent) -> Void) throws(GenerationError) -> Completion {
        try decoder.finish(deliver)
    }

    private func take(_ event: SSEEvent, _ failure: inout GenerationError?, _ deliver: (ChunkEvent) -> Void) {
        guard failure == nil else { return }
        do {
            try decoder.consume(event, parser: parser, deliver)
            // A slice has many events.
            try CallBudget.check(providerName, bytes: decoder.keptBytes)
        } catch {
            failure = error
        }
    }
}
