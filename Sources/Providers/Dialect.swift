internal import Config
internal import Generation
internal import HTTPClient
internal import JSON

/// A wire family, shared by several vendors: how a request is written and what comes back is read.
protocol Dialect: Sendable {
    /// The dialect with the family's own keys of a model's section.
    func configured(by model: ModelConfiguration) -> Self

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
    func configured(by model: ModelConfiguration) -> Self { self }

    func encodeTokenCount(
        _ request: PreparedRequest, for model: ConfiguredModel
    ) throws(GenerationError) -> JSONWriter? { nil }

    func tokenCount(_ root: JSONElement) -> Int? { nil }
}

/// Reads one stream, event by event. Belongs to one loop.
protocol StreamDecoder: AnyObject {
    /// The vendor's end mark came: nothing that follows matters.
    var isDone: Bool { get }

    /// Everything that is kept until the end, in bytes: see `CallBudget`.
    var keptBytes: Int { get }

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
            ? GenerationError(.streamInterrupted, "\(providerName) ended the stream before the end of the response")
            : GenerationError(.badProviderResponse, "\(providerName) returned an empty stream")
    }

    /// Parses an event's data; `nil` where it holds nothing: some servers keep a connection alive with empty events,
    /// or with lines that are no field, and some proxies add OpenAI's end mark to every stream.
    /// - Throws: the error that the event is, in whatever form, or `.badProviderResponse` where it is unreadable.
    static func parse(
        _ event: SSEEvent, _ parser: JSONParser, _ stray: inout StrayText, for model: ConfiguredModel
    ) throws(GenerationError) -> JSONElement? {
        if event.isStray {
            guard let text = stray.add(event.data), let root = try? parser.parse(text),
                let error = VendorError(inAnswer: root)
            else { return nil }
            throw error.generationError(for: model)
        }
        let isErrorEvent = event.name.elementsEqual("error".utf8)
        let root: JSONElement
        do {
            root = try parser.parse(event.data)
        } catch {
            if isErrorEvent {
                let words = String(decoding: event.data.prefix(4096), as: UTF8.self)
                throw VendorError(words: words).generationError(for: model)
            }
            if event.data.starts(with: "[DONE]".utf8) || event.data.allSatisfy({ $0 <= 0x20 }) { return nil }
            throw GenerationError(
                .badProviderResponse, "\(model.providerName) sent an event that is not JSON: \(error)")
        }
        if let error = VendorError(inAnswer: root, isErrorEvent: isErrorEvent) {
            throw error.generationError(for: model)
        }
        return root
    }
}
