internal import Generation
internal import GenwireClient
internal import Glibc
internal import Messages

/// Prints responses, complete or streamed.
struct AnswerPrinter {
    private let forms: JSONForms?
    private let output: (String) -> Void
    private let errors: (String) -> Void
    private var builder = MessageBuilder()
    private var endsWithLineFeed = true
    private var isThinking = false

    /// The response printed so far, as the assistant's message.
    var message: Message { builder.message }

    /// - Parameters:
    ///   - json: whether to print JSON, one object per line.
    ///   - output: receives the response; standard output by default.
    ///   - errors: receives warnings, reasoning and the summary; standard error by default.
    init(
        json: Bool, output: @escaping (String) -> Void = Output.write, errors: @escaping (String) -> Void = Output.error
    ) {
        forms = json ? JSONForms() : nil
        self.output = output
        self.errors = errors
    }

    /// Prints a complete response of `Chat`.
    func chat(_ response: ChatResponse) {
        if let forms { output(forms.chat(response) + "\n") } else { plain(response) }
    }

    /// Prints a response of `Generate`.
    func generated(_ response: ChatResponse) {
        if let forms { output(forms.generated(response) + "\n") } else { plain(response) }
    }

    private func plain(_ response: ChatResponse) {
        if !response.message.reasoning.isEmpty {
            errors(Output.dim(response.message.reasoning, on: STDERR_FILENO) + "\n")
        }
        if !response.message.content.isEmpty { output(response.message.content + "\n") }
        for part in response.message.parts { output(Self.line(part) + "\n") }
        for call in response.message.toolCalls { output("-> \(call.name)(\(call.argumentsJSON))\n") }
        sources(response.completion.citations)
        summary(response.completion)
    }

    /// Prints one chunk of a streamed response.
    mutating func piece(_ chunk: StreamedChunk) {
        if let forms { output(forms.chunk(chunk) + "\n") }
        let callCount = message.toolCalls.count
        switch chunk.content {
        case .event(let event):
            builder.add(event)
            if forms == nil { show(event, isNewCall: message.toolCalls.count > callCount, isFirstCall: callCount == 0) }
        case .completed(let completion, _):
            _ = builder.finish(completion)
            guard forms == nil else { return }
            if !message.toolCalls.isEmpty { write(")") }
            finishLine()
            sources(completion.citations)
            summary(completion)
        }
    }

    private mutating func show(_ event: ChunkEvent, isNewCall: Bool, isFirstCall: Bool) {
        // Reasoning is printed to standard error. End its line before any other content.
        if case .reasoning = event {} else if isThinking { errors("\n") }
        isThinking = if case .reasoning = event { true } else { false }
        switch event {
        case .text(let text): write(text)
        case .reasoning(let text): errors(Output.dim(text, on: STDERR_FILENO))
        case .toolCall(let delta):
            if isNewCall {
                if !isFirstCall { write(")") }
                finishLine()
                write("-> \(delta.name)(")
            }
            write(delta.argumentsJSONDelta)
        case .part(let part):
            finishLine()
            write(Self.line(part) + "\n")
        }
    }

    /// Describes a generated part in one line; only `--json` prints its bytes.
    private static func line(_ part: Part) -> String {
        func line(_ kind: String, _ mimeType: String, _ source: MediaSource) -> String {
            switch source {
            case .data(let bytes): "[\(kind) \(mimeType), \(bytes.count) bytes; --json prints them]"
            case .url(let url): "[\(kind) \(url)]"
            }
        }
        return switch part.content {
        case .text(let text): text
        case .image(let image): line("image", image.mimeType, image.source)
        case .file(let file): line("file", file.mimeType, file.source)
        case .audio(let audio): line("audio", audio.mimeType, audio.source)
        }
    }

    /// Prints the sources of the response, each once.
    private func sources(_ citations: [Citation]) {
        var seen: Set<String> = []
        for citation in citations {
            let place = citation.url.isEmpty ? citation.documentID : citation.url
            let words = [citation.title, place].filter { !$0.isEmpty }.joined(separator: " ")
            let line = words.isEmpty ? citation.quote : words
            guard !line.isEmpty, seen.insert(line).inserted else { continue }
            output("[\(seen.count)] \(line)\n")
        }
    }

    /// Ends an incomplete line, for example after an error.
    mutating func finishLine() {
        if !endsWithLineFeed { write("\n") }
    }

    private mutating func write(_ text: String) {
        output(text)
        if let last = text.utf8.last { endsWithLineFeed = last == 0x0A }
    }

    /// Prints the warnings and, on a terminal, one line with the model, tokens and times.
    private func summary(_ completion: AnswerTrailer) {
        for warning in completion.warnings { errors("note: \(warning)\n") }
        guard isatty(STDERR_FILENO) == 1 else { return }
        var words = "\(completion.provider) \(completion.model)"
        if completion.usage.source != .absent {
            words += " · \(completion.usage.inputTokens) + \(completion.usage.outputTokens) tokens"
        }
        words += " · first content \(completion.timing.firstTokenMicroseconds / 1000) ms"
        words += ", all \(completion.timing.totalMicroseconds / 1000) ms"
        if completion.finishReason != .stop { words += " · \(completion.finishReason.contractName)" }
        errors(Output.dim(words, on: STDERR_FILENO) + "\n")
    }
}
