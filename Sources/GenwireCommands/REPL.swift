internal import ArgumentParser
internal import Generation
internal import GenwireClient
internal import Glibc
internal import Messages

/// `genwire repl`: an interactive conversation.
struct REPL: ServerCommand {
    static let configuration = CommandConfiguration(
        commandName: "repl", abstract: "Chat with a model interactively.",
        discussion: """
            Ctrl-C stops a response; at the prompt it clears the line, and a second one exits. /new starts a new \
            conversation; /quit or Ctrl-D exits.
            """)

    /// The prompt shown before the user's input.
    static let prompt = "> "

    @ParentCommand var parent: GenwireCommand
    @OptionGroup var own: GlobalOptions
    @OptionGroup var sampling: SamplingOptions
    @Option(help: "The system message.", transform: DashedText.plain) var system = ""

    func run(_ client: GenwireClient, _ options: GlobalOptions) async throws {
        let opening = system.isEmpty ? [] : [Message(role: .system, content: system)]
        var messages = opening
        let isInteractive = isatty(STDIN_FILENO) == 1
        let interrupts = Interrupts(isInteractive: isInteractive)
        // --timeout applies to each response separately.
        let deadline = own.merged(over: parent.options).deadlineMilliseconds
        while true {
            interrupts.atPrompt()
            if isInteractive { Output.write(Self.prompt) }
            guard let line = readLine() else { break }
            switch line.trimmed {
            case "": continue
            case "/quit": return
            case "/new":
                messages = opening
                continue
            default: break
            }
            messages.append(Message(role: .user, content: line))
            let request = ChatRequest(model: options.model ?? "", messages: messages, options: sampling.options)
            let stream = client.streamChat(request, deadlineMilliseconds: deadline)
            interrupts.begin(stream)
            if let reply = try await turn(stream, options) {
                messages.append(reply)
            } else {
                messages.removeLast()
            }
        }
    }

    /// Streams one response; `nil` if it failed or was stopped, after which the conversation continues.
    private func turn(_ stream: AnswerStream, _ options: GlobalOptions) async throws -> Message? {
        var printer = AnswerPrinter(json: options.json)
        do {
            for try await chunk in stream { printer.piece(chunk) }
            return printer.message
        } catch {
            if !options.json { printer.finishLine() }
            guard error.code != 14 || error.detail != nil else { throw error }
            Output.errorLine(error.code == 1 ? "(stopped)" : "genwire: \(error)")
            return nil
        }
    }
}

extension String {
    fileprivate var trimmed: String {
        let isSpace: (Character) -> Bool = { $0.isWhitespace }
        guard let start = firstIndex(where: { !isSpace($0) }), let end = lastIndex(where: { !isSpace($0) }) else {
            return ""
        }
        return String(self[start...end])
    }
}
