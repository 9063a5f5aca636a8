internal import Generation
internal import HTTPClient
internal import JSON

/// A wire family, shared by several vendors: how a request is written and what comes back is read.
protocol Dialect: Sendable {
    /// Writes the body of `request` for `model`.
    /// - Throws: `.invalidRequest` that names the field, or `.unsupported`.
    func encode(_ request: PreparedRequest, for model: ConfiguredModel) throws(GenerationError) -> JSONWriter

    /// Reads a whole answer.
    /// - Throws: `.badProviderResponse` where it is none, or the error that the body carries.
    func decode(
        _ root: JSONElement, for model: ConfiguredModel, includesReasoning: Bool
    ) throws(GenerationError) -> ChatResponse

    /// A decoder for one stream.
    func makeStreamDecoder(for model: ConfiguredModel, includesReasoning: Bool) -> any StreamDecoder

    /// The body of a request that counts tokens; `nil` where the vendor does not.
    func encodeTokenCount(
        _ request: PreparedRequest, for model: ConfiguredModel
    ) throws(GenerationError) -> JSONWriter?

    /// The count in the vendor's answer; `nil` where there is none.
    func tokenCount(_ root: JSONElement) -> Int?
}

extension Dialect {
    func encodeTokenCount(
        _ request: PreparedRequest, for model: ConfiguredModel
    ) throws(GenerationError) -> JSONWriter? { nil }

    func tokenCount(_ root: JSONElement) -> Int? { nil }
}

/// Reads one stream, event by event. Belongs to one loop.
protocol StreamDecoder: AnyObject {
    /// The vendor's end mark came: nothing that follows matters.
    var isDone: Bool { get }

    /// Reads one event and hands on what it holds.
    /// - Throws: the error that the event carries, or `.badProviderResponse` where it is unreadable.
    func consume(
        _ event: SSEEvent, parser: JSONParser, _ deliver: (ChunkEvent) -> Void
    ) throws(GenerationError)

    /// The stream is over. Returns how it ended.
    /// - Throws: `.streamInterrupted` where it has no end of its own, `.badProviderResponse` where it was none.
    func finish(_ deliver: (ChunkEvent) -> Void) throws(GenerationError) -> Completion
}

extension StreamDecoder {
    /// The error of a stream that ended without its end, or of an answer that was none.
    static func endError(_ providerName: String, hasEvents: Bool) -> GenerationError {
        hasEvents
            ? GenerationError(.streamInterrupted, "\(providerName) ended the stream before the answer's end")
            : GenerationError(.badProviderResponse, "\(providerName) answered a stream's request with no event at all")
    }

    /// Parses an event's data; `nil` for a line that is no field, with which some servers keep a connection alive.
    static func parse(
        _ event: SSEEvent, _ parser: JSONParser, _ providerName: String
    ) throws(GenerationError) -> JSONElement? {
        do {
            return try parser.parse(event.data)
        } catch {
            if event.isStray { return nil }
            throw GenerationError(.badProviderResponse, "\(providerName) sent an event that is not JSON: \(error)")
        }
    }
}
