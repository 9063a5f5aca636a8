internal import Config
internal import Generation
internal import HTTPClient
internal import JSON

/// A wire format, shared by several vendors: writes requests and reads responses.
protocol Dialect: Sendable {
    /// The dialect, configured by the keys of a model's section.
    func configured(by model: ModelConfiguration) -> Self

    /// The fewest tokens that a request may limit its response to.
    var leastMaxTokens: Int { get }

    /// Leaves out of `request` what this vendor does not accept together.
    /// - Parameter asked: the caller's options, without the configuration's.
    /// - Throws: `.unsupported` for what the caller asked for, unless with `drop_unsupported`, or `.invalidRequest`.
    func settle(
        _ request: inout PreparedRequest, _ asked: GenerationOptions, for model: ConfiguredModel
    ) throws(GenerationError)

    /// Writes the body of `request` for `model`.
    /// - Throws: `.invalidRequest` that names the field, or `.unsupported`.
    func encode(_ request: PreparedRequest, for model: ConfiguredModel) throws(GenerationError) -> JSONWriter

    /// Reads a unary response.
    /// - Throws: `.badProviderResponse` if it is invalid, or the error in its body.
    func decode(
        _ root: JSONElement, for model: ConfiguredModel, _ wishes: AnswerWishes
    ) throws(GenerationError) -> ChatResponse

    /// The provider state of a response, bound to the request that it answers.
    func bound(_ state: [UInt8], to request: ChatRequest, at model: ConfiguredModel) -> [UInt8]

    /// Whether an error refuses the thinking blocks of earlier responses, so that a request without them may succeed.
    func refusesThinking(_ error: GenerationError) -> Bool

    /// A decoder for one stream.
    func makeStreamDecoder(for model: ConfiguredModel, _ wishes: AnswerWishes) -> any StreamDecoder

    /// The body of a request that counts tokens; `nil` if the vendor has no such endpoint.
    func encodeTokenCount(
        _ request: PreparedRequest, for model: ConfiguredModel
    ) throws(GenerationError) -> JSONWriter?

    /// The count in the vendor's response; `nil` if there is none.
    func tokenCount(_ root: JSONElement) -> Int?
}

extension Dialect {
    func configured(by model: ModelConfiguration) -> Self { self }

    var leastMaxTokens: Int { 1 }

    func settle(
        _ request: inout PreparedRequest, _ asked: GenerationOptions, for model: ConfiguredModel
    ) throws(GenerationError) {}

    func bound(_ state: [UInt8], to request: ChatRequest, at model: ConfiguredModel) -> [UInt8] { state }

    func refusesThinking(_ error: GenerationError) -> Bool { false }

    func encodeTokenCount(
        _ request: PreparedRequest, for model: ConfiguredModel
    ) throws(GenerationError) -> JSONWriter? { nil }

    func tokenCount(_ root: JSONElement) -> Int? { nil }
}

/// Reads one stream, event by event. Confined to one loop.
protocol StreamDecoder: AnyObject {
    /// Whether the vendor's end marker was received; everything after it is ignored.
    var isDone: Bool { get }

    /// The bytes held until the end: see `CallBudget`.
    var keptBytes: Int { get }

    /// Reads one event and delivers its contents.
    /// - Throws: the error in the event, or `.badProviderResponse` if it is invalid.
    func consume(
        _ event: SSEEvent, parser: JSONParser, _ deliver: (ChunkEvent) -> Void
    ) throws(GenerationError)

    /// Called at the end of the stream; returns its completion.
    /// - Throws: `.streamInterrupted` if the end is missing, `.badProviderResponse` if the stream is empty.
    func finish(_ deliver: (ChunkEvent) -> Void) throws(GenerationError) -> AnswerTrailer
}

extension StreamDecoder {
    /// The error of a stream whose end is missing, or that is empty.
    static func endError(_ providerName: String, hasEvents: Bool) -> GenerationError {
        hasEvents
            ? GenerationError(.streamInterrupted, "\(providerName) ended the stream before the end of the response")
            : GenerationError(.badProviderResponse, "\(providerName) returned an empty stream")
    }

    /// Parses an event's data; `nil` if it is empty. Some servers keep a connection alive with empty events or invalid
    /// lines, and some proxies add OpenAI's end marker to every stream.
    /// - Throws: the error that the event reports, in any known form, or `.badProviderResponse` if it is invalid.
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
