internal import Encodings
internal import Generation
internal import JSON

/// Decodes the content of a message or of a stream's delta, which have the same members.
extension ChatCompletions.AnswerState {
    /// The members that the contract defines, and those without information.
    static let namedRoot: Set<String> = ["id", "model", "choices", "object", "error", "obfuscation"]
    static let namedChoice: Set<String> = ["index", "message", "delta", "finish_reason", "error"]
    static let namedMessage: Set<String> = [
        "role", "content", "refusal", "tool_calls", "function_call", "reasoning", "reasoning_content", "annotations",
        "images", "audio",
    ]

    /// Decodes the content of a message.
    /// - Parameter isWhole: whether each call is complete, regardless of its index.
    /// - Throws: `.badProviderResponse` if there are too many pieces.
    mutating func read(
        message: JSONElement, isWhole: Bool, _ deliver: (ChunkEvent) -> Void
    ) throws(GenerationError) {
        try readReasoning(message, deliver)
        if let content = message["content"] { try read(content: content, deliver) }
        if let refusal = message["refusal"]?.nonEmptyString {
            hasRefusal = true
            text(refusal, deliver)
        }
        if let audio = message["audio"] { read(audio: audio, deliver) }
        if let images = message["images"] {
            for image in images.elements { read(image: image, deliver) }
        }
        if let annotations = message["annotations"] { try read(annotations: annotations) }
        if let calls = message["tool_calls"] { try read(calls: calls, isWhole: isWhole, deliver) }
        // The legacy form of a call; a message has at most one.
        if let call = message["function_call"], call.kind == .object, (message["tool_calls"]?.count ?? 0) == 0 {
            read(function: call, index: 0, deliver)
        }
        extra.keep(message, except: Self.namedMessage)
    }

    mutating func text(_ text: String, _ deliver: (ChunkEvent) -> Void) {
        offsets.add(text)
        deliver(.text(text))
    }

    /// Decodes `content`: a string, or parts with text, reasoning and images.
    private mutating func read(content: JSONElement, _ deliver: (ChunkEvent) -> Void) throws(GenerationError) {
        guard content.kind == .array else {
            if let text = content.nonEmptyString { self.text(text, deliver) }
            return
        }
        try CallBudget.check(providerName, blocks: content.count)
        for part in content.elements {
            if part["thinking"] != nil { continue }
            if let text = part["text"]?.string {
                if !text.isEmpty { self.text(text, deliver) }
            } else if part["image_url"] != nil {
                read(image: part, deliver)
            } else if part.kind == .object {
                warn("the response contains content of a kind that is omitted")
            }
        }
    }

    private func read(image: JSONElement, _ deliver: (ChunkEvent) -> Void) {
        let address = image["image_url"]
        guard let url = address?["url"]?.nonEmptyString ?? address?.nonEmptyString else { return }
        deliver(.part(.image(Image(atAddress: url))))
    }

    /// Keeps audio until the end, because streams send it in pieces. Its transcript is delivered as text.
    private mutating func read(audio: JSONElement, _ deliver: (ChunkEvent) -> Void) {
        if let words = audio["transcript"]?.nonEmptyString { text(words, deliver) }
        if let data = audio["data"]?.nonEmptyString { sound += Base64.decode(data.utf8) }
    }

    // MARK: - Sources

    /// - Throws: `.badProviderResponse` if there are too many.
    private mutating func read(annotations: JSONElement) throws(GenerationError) {
        try CallBudget.check(providerName, blocks: citations.count + annotations.count)
        for annotation in annotations.elements {
            guard let citation = Self.citation(annotation) else {
                warn("the response contains annotations of a kind that are omitted")
                continue
            }
            citations.append(citation)
            citationBytes += citation.keptBytes
            try CallBudget.check(providerName, bytes: keptBytes)
        }
    }

    /// Decodes an annotation, whose positions count characters; `nil` if its type is unknown.
    private static func citation(_ annotation: JSONElement) -> Citation? {
        let kinds = ["url_citation", "file_citation", "document_citation", "function_citation", "file"]
        guard let kind = annotation["type"]?.string, kinds.contains(kind) else { return nil }
        let body = annotation[name: kind] ?? annotation
        let document = body["document_id"] ?? body["file_id"] ?? body["tool_call_id"] ?? body["hash"]
        return Citation(
            documentID: document?.string ?? "", url: body["url"]?.string ?? "",
            title: (body["title"] ?? body["filename"] ?? body["name"])?.string ?? "",
            quote: body["content"]?.string ?? "",
            start: body["start_index"]?.int ?? 0, end: body["end_index"]?.int ?? 0)
    }

    /// Delivers what is complete only at the end: audio, and the positions of citations in bytes.
    mutating func closeContent(_ deliver: (ChunkEvent) -> Void) {
        if !sound.isEmpty { deliver(.part(.audio(Audio(mimeType: Audio.mimeType(of: sound), source: .data(sound))))) }
        sound = []
        completion.citations = citations.map { citation in
            var citation = citation
            // Both positions are 0 if a citation has no range.
            (citation.start, citation.end) = (
                offsets.byte(ofScalar: citation.start), offsets.byte(ofScalar: citation.end)
            )
            return citation
        }
        completion.extraJSON = extra.text
    }
}

extension Image {
    /// The image at a URL, with its bytes if it is a `data:` URL.
    init(atAddress url: String) {
        let (address, mimeType) = MediaAddress.of(.url(url))
        if case .base64(let text) = address {
            self.init(mimeType: mimeType ?? "image/png", source: .data(Base64.decode(text.utf8)))
        } else {
            self.init(mimeType: "", source: .url(url))
        }
    }
}

extension Audio {
    /// The media type of audio, from its first bytes; audio without a header is raw PCM.
    static func mimeType(of bytes: [UInt8]) -> String {
        if bytes.starts(with: "RIFF".utf8) { return "audio/wav" }
        if bytes.starts(with: "OggS".utf8) { return "audio/ogg" }
        if bytes.starts(with: "fLaC".utf8) { return "audio/flac" }
        let isMPEG = bytes.starts(with: "ID3".utf8) || (bytes.count > 1 && bytes[0] == 0xFF && bytes[1] & 0xE0 == 0xE0)
        return isMPEG ? "audio/mpeg" : "audio/pcm"
    }
}

extension Citation {
    /// The memory used by the citation's texts, in bytes.
    var keptBytes: Int { 128 + documentID.utf8.count + url.utf8.count + title.utf8.count + quote.utf8.count }
}
