internal import Generation
internal import HTTPClient
internal import JSON

/// Reads one streamed response: splits it into events, decodes them, and enforces the budget. Confined to one loop.
final class StreamReader {
    private let providerName: String
    private let parser: JSONParser
    private let decoder: any StreamDecoder
    private var sse = SSEParser(maximumEventBytes: CallBudget.eventBytes)

    /// The bytes held of the response.
    private(set) var keptBytes = 0

    /// Whether the vendor's end marker was received; everything after it is ignored.
    var isDone: Bool { decoder.isDone }

    /// Creates a reader for a response of `model`. The loop's parser is used for one event at a time.
    /// - Parameter dialect: the default is that of the model's main API.
    init(
        _ model: ConfiguredModel, dialect: (any Dialect)? = nil, _ wishes: AnswerWishes, parser: JSONParser
    ) {
        providerName = model.providerName
        self.parser = parser
        let dialect = dialect ?? model.provider.dialect
        decoder = dialect.makeStreamDecoder(for: model, wishes)
    }

    /// Reads the next bytes and delivers the contents of their events.
    /// - Throws: the error in an event, or `.badProviderResponse` if an event is invalid or the budget is exceeded. The
    ///   stream cannot be continued then.
    func consume(
        _ bytes: UnsafeRawBufferPointer, _ deliver: (ChunkEvent) -> Void
    ) throws(GenerationError) {
        var failure: GenerationError?
        do {
            try sse.consume(bytes) { take($0, &failure, deliver) }
        } catch {
            // An earlier failure takes precedence.
            throw failure ?? CallBudget.exceeded(providerName, "cannot be read: \(error)")
        }
        if let failure { throw failure }
        keptBytes = sse.keptBytes + decoder.keptBytes
        try CallBudget.check(providerName, bytes: keptBytes)
    }

    /// Called at the end of the body: delivers the contents of an event without a final blank line.
    /// - Throws: as `consume`.
    func flush(_ deliver: (ChunkEvent) -> Void) throws(GenerationError) {
        var failure: GenerationError?
        sse.finish { take($0, &failure, deliver) }
        if let failure { throw failure }
    }

    /// Called at the end of the stream; returns its completion.
    /// - Throws: `.streamInterrupted` if the end is missing, `.badProviderResponse` if the stream is empty.
    func finish(_ deliver: (ChunkEvent) -> Void) throws(GenerationError) -> AnswerTrailer {
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
