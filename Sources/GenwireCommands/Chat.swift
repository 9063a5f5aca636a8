internal import ArgumentParser
internal import Generation
internal import GenwireClient

/// `genwire chat`: responds to a conversation, complete or streamed.
struct Chat: ServerCommand {
    static let configuration = CommandConfiguration(
        abstract: "Respond to a conversation, optionally as a stream.",
        discussion: "Without -m, the user's message is read from standard input.")

    @ParentCommand var parent: GenwireCommand
    @OptionGroup var own: GlobalOptions
    @OptionGroup var sampling: SamplingOptions
    @Option(
        name: [.customShort("m"), .long],
        help: "A message as ROLE:TEXT; ROLE is system, user or assistant. May be repeated, in order.",
        transform: DashedText.plain)
    var message: [String] = []
    @Flag(help: "Print the response as it is generated.") var stream = false
    @Option(
        help: "A JSON file of tools: [{name, description, parameters}], or OpenAI's format.",
        transform: DashedText.plain)
    var tools: String?
    @Option(help: "auto, none, required, or the name of a tool.", transform: DashedText.plain) var toolChoice: String?
    @Option(help: "A JSON Schema file for the response.", transform: DashedText.plain) var schema: String?
    @Option(
        help: "An image file or URL for the last user message. May be repeated.",
        transform: DashedText.plain)
    var image: [String] = []
    @Option(help: "An audio file for the last user message. May be repeated.", transform: DashedText.plain)
    var audio: [String] = []

    func run(_ client: GenwireClient, _ options: GlobalOptions) async throws {
        let request = try self.request(options)
        guard stream else {
            let response = try await client.chat(request, deadlineMilliseconds: options.deadlineMilliseconds)
            return AnswerPrinter(json: options.json).chat(response)
        }
        var printer = AnswerPrinter(json: options.json)
        do {
            for try await chunk in client.streamChat(request, deadlineMilliseconds: options.deadlineMilliseconds) {
                printer.piece(chunk)
            }
        } catch {
            if !options.json { printer.finishLine() }
            throw error
        }
    }

    private func request(_ options: GlobalOptions) throws -> ChatRequest {
        var messages = try message.map { try Self.message($0) }
        if messages.isEmpty { messages = [Message(role: .user, content: try Input.text("-"))] }
        if !image.isEmpty {
            guard let last = messages.lastIndex(where: { $0.role == .user }) else {
                throw ValidationError("--image needs a user message")
            }
            messages[last].parts += try image.map { .image(try Self.image($0)) }
        }
        if !audio.isEmpty {
            guard let last = messages.lastIndex(where: { $0.role == .user }) else {
                throw ValidationError("--audio needs a user message")
            }
            messages[last].parts += try audio.map { .audio(try Self.audio($0)) }
        }
        var request = ChatRequest(model: options.model ?? "", messages: messages, options: sampling.options)
        if let tools { request.tools = try ToolsFile(path: tools).tools(try Input.bytes(tools)) }
        switch toolChoice {
        case nil: break
        case "auto": request.toolChoice = .auto
        case "none": request.toolChoice = ToolChoice.none
        case "required": request.toolChoice = .required
        case .some(let name): request.toolChoice = .named(name)
        }
        if let schema {
            request.options.responseFormat = .jsonSchema(schema: try Input.text(schema), name: "", strict: nil)
        }
        return request
    }

    static func message(_ text: String) throws -> Message {
        let roles: [(String, Role)] = [("system:", .system), ("user:", .user), ("assistant:", .assistant)]
        for (prefix, role) in roles where text.hasPrefix(prefix) {
            return Message(role: role, content: String(text.dropFirst(prefix.count)))
        }
        throw ValidationError("-m '\(text.prefix(40))': expected system:TEXT, user:TEXT or assistant:TEXT")
    }

    private static func audio(_ path: String) throws -> Audio {
        let types = [
            "wav": "audio/wav", "mp3": "audio/mpeg", "flac": "audio/flac", "ogg": "audio/ogg", "m4a": "audio/m4a",
        ]
        guard let type = types[path.split(separator: ".").last.map { $0.lowercased() } ?? ""] else {
            throw ValidationError("--audio \(path): expected .wav, .mp3, .flac, .ogg or .m4a")
        }
        return Audio(mimeType: type, source: .data(try Input.bytes(path)))
    }

    private static func image(_ path: String) throws -> Image {
        if path.hasPrefix("http://") || path.hasPrefix("https://") { return Image(mimeType: "", source: .url(path)) }
        let types = [
            "png": "image/png", "jpg": "image/jpeg", "jpeg": "image/jpeg", "gif": "image/gif", "webp": "image/webp",
        ]
        guard let type = types[path.split(separator: ".").last.map { $0.lowercased() } ?? ""] else {
            throw ValidationError("--image \(path): expected .png, .jpg, .gif or .webp, or a URL")
        }
        return Image(mimeType: type, source: .data(try Input.bytes(path)))
    }
}
