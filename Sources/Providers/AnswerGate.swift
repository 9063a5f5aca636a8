internal import Config
internal import Generation

/// Filters everything that a provider returns, in every field: removes the call's own secrets from all texts, and
/// limits the length of ids, names and messages. Used for one call.
struct AnswerGate {
    /// Maximum length of an error message or a warning, in bytes.
    private static let longestWords = 4096
    /// Maximum length of an id, a model name or an error code, in bytes.
    private static let longestName = 512

    private var secrets: SecretSet
    private var hasIdentity = false
    private var text = SecretSplice()
    private var reasoning = SecretSplice()
    /// The scanners by call index, only for calls whose arguments end with the beginning of a secret.
    private var arguments: [Int: SecretSplice] = [:]
    /// Whether any of these may hold back bytes.
    private var isHoldingArguments = false

    /// Creates a gate for a call that has not sent a request yet.
    init(_ model: ConfiguredModel) { secrets = model.ownSecrets }

    /// Adds the secrets of a request; called before each sending. A call whose token is replaced sends two requests.
    mutating func add(_ identity: ConfiguredModel.Identity) {
        secrets = hasIdentity ? secrets.union(identity.secrets) : identity.secrets
        hasIdentity = true
    }

    // MARK: - Streams

    /// The held bytes of the fields other than that of `event`, which must be delivered before it to keep the order.
    /// Usually empty.
    mutating func flush(before event: ChunkEvent) -> [ChunkEvent] {
        switch event {
        case .text: flush(text: false)
        case .reasoning: flush(reasoning: false)
        case .toolCall: flush(arguments: false)
        case .part: flush()
        }
    }

    /// The part of a piece that can be delivered; `nil` if there is none yet.
    mutating func pass(_ event: ChunkEvent) -> ChunkEvent? {
        let secrets = secrets.inContent
        guard !secrets.isEmpty else { return event }
        switch event {
        case .text(let piece):
            let piece = text.add(piece, secrets)
            return piece.isEmpty ? nil : .text(piece)
        case .reasoning(let piece):
            let piece = reasoning.add(piece, secrets)
            return piece.isEmpty ? nil : .reasoning(piece)
        case .toolCall(let piece): return pass(piece).map { .toolCall($0) }
        case .part(let part): return .part(pass(part))
        }
    }

    private mutating func pass(_ piece: ToolCallDelta) -> ToolCallDelta? {
        var result = piece
        result.id = content(piece.id)
        result.name = content(piece.name)
        result.providerState = content(piece.providerState)
        var splice = arguments[piece.index] ?? SecretSplice()
        result.argumentsJSONDelta = splice.add(piece.argumentsJSONDelta, secrets.inContent)
        if !splice.isIdle || arguments[piece.index] != nil { arguments[piece.index] = splice.isIdle ? nil : splice }
        if splice.isHolding { isHoldingArguments = true }
        let isEmpty = result.argumentsJSONDelta.isEmpty && result.id.isEmpty && result.providerState.isEmpty
        return isEmpty && !piece.argumentsJSONDelta.isEmpty ? nil : result
    }

    /// The held bytes, at the end of a stream or when it is interrupted.
    mutating func end() -> [ChunkEvent] { flush() }

    private mutating func flush(
        text hasText: Bool = true, reasoning hasReasoning: Bool = true, arguments hasArguments: Bool = true
    ) -> [ChunkEvent] {
        var events: [ChunkEvent] = []
        if hasText, text.isHolding { events.append(.text(text.flush())) }
        if hasReasoning, reasoning.isHolding { events.append(.reasoning(reasoning.flush())) }
        guard hasArguments, isHoldingArguments else { return events }
        isHoldingArguments = false
        for index in arguments.keys.sorted() {
            guard let kept = arguments[index]?.flush(), !kept.isEmpty else { continue }
            events.append(.toolCall(ToolCallDelta(index: index, id: "", name: "", argumentsJSONDelta: kept)))
        }
        return events
    }

    // MARK: - Unary responses, trailers and errors

    func pass(_ response: ChatResponse) -> ChatResponse {
        var result = response
        result.message.content = content(response.message.content)
        result.message.reasoning = content(response.message.reasoning)
        result.message.providerState = content(response.message.providerState)
        result.message.parts = response.message.parts.map { pass($0) }
        for (index, call) in response.message.toolCalls.enumerated() {
            result.message.toolCalls[index].id = content(call.id)
            result.message.toolCalls[index].name = content(call.name)
            result.message.toolCalls[index].argumentsJSON = content(call.argumentsJSON)
            result.message.toolCalls[index].providerState = content(call.providerState)
        }
        let completion = response.completion
        result.completion.id = name(completion.id)
        result.completion.model = name(completion.model)
        result.completion.rawFinishReason = name(completion.rawFinishReason)
        result.completion.providerRequestID = name(completion.providerRequestID)
        result.completion.warnings = completion.warnings.map { words($0) }
        result.completion.providerState = content(completion.providerState)
        result.completion.citations = completion.citations.map { citation in
            Citation(
                documentID: content(citation.documentID), url: content(citation.url), title: content(citation.title),
                quote: content(citation.quote), start: citation.start, end: citation.end)
        }
        result.completion.extraJSON = content(completion.extraJSON)
        return result
    }

    /// Searches only the other fields of an image, because its bytes are not text.
    private func pass(_ part: Part) -> Part {
        var result = part
        switch part.content {
        case .text(let text): result.content = .text(content(text))
        case .image(var image):
            image.mimeType = content(image.mimeType)
            image.source = pass(image.source)
            result.content = .image(image)
        case .file(var file):
            file.mimeType = content(file.mimeType)
            file.name = content(file.name)
            file.source = pass(file.source)
            result.content = .file(file)
        case .audio(var audio):
            audio.mimeType = content(audio.mimeType)
            audio.source = pass(audio.source)
            result.content = .audio(audio)
        }
        return result
    }

    private func pass(_ source: MediaSource) -> MediaSource {
        switch source {
        case .data: source
        case .url(let url): .url(content(url))
        }
    }

    func pass(_ error: GenerationError) -> GenerationError {
        var result = error
        result.message = words(error.message)
        result.providerCode = words(error.providerCode, limit: Self.longestName)
        return result
    }

    private func content(_ text: String) -> String { SecretSet.scrub(text, secrets.inContent) }

    private func content(_ bytes: [UInt8]) -> [UInt8] {
        guard !bytes.isEmpty else { return bytes }
        return bytes.withUnsafeBytes { SecretSet.scrub($0, secrets.inContent) } ?? bytes
    }

    private func name(_ text: String) -> String { content(text).truncated(toBytes: Self.longestName) }

    /// Messages are also searched for keys that are not the call's own, and for a secret that was truncated: at the
    /// end, and before each `…` that `truncated(toBytes:)` inserted.
    private func words(_ text: String, limit: Int = longestWords) -> String {
        let text = SecretSet.scrub(Self.beginning(text), secrets.inWords)
        let parts = text.split(separator: "…", omittingEmptySubsequences: false).map { withoutCutSecret($0) }
        return Scrubber.scrub(parts.joined(separator: "…")).truncated(toBytes: limit)
    }

    private func withoutCutSecret(_ part: Substring) -> String {
        var text = String(part)
        let count = text.withUTF8 {
            SecretSet.beginning(of: secrets.inWords, atTheEndOf: UnsafeRawBufferPointer($0)).count
        }
        return count < 8 ? text : String(decoding: text.utf8.dropLast(count), as: UTF8.self) + SecretSet.mark
    }

    /// The part of a vendor's message that is kept until `pass`. It is longer than what is returned, because removing
    /// secrets shortens it.
    static func beginning(_ words: String) -> String { words.truncated(toBytes: 4 * longestWords) }
}
