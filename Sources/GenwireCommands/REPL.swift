internal import ArgumentParser
internal import Dispatch
internal import Generation
internal import GenwireClient
internal import Glibc
internal import Messages

/// A conversation at the terminal.
struct REPL: ServerCommand {
    static let configuration = CommandConfiguration(
        commandName: "repl", abstract: "Talk to a model, turn by turn.",
        discussion: "Ctrl-C stops an answer; /new forgets the conversation; /quit or Ctrl-D ends.")

    @ParentCommand var parent: GenwireCommand
    @OptionGroup var own: GlobalOptions
    @OptionGroup var sampling: SamplingOptions
    @Option(help: "Instructions to the model.") var system = ""

    func run(_ client: GenwireClient, _ options: GlobalOptions) async throws {
        let opening = system.isEmpty ? [] : [Message(role: .system, content: system)]
        var messages = opening
        let isInteractive = isatty(STDIN_FILENO) == 1
        while true {
            if isInteractive { Output.write("> ") }
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
            if let answer = try await turn(client, request, options) {
                messages.append(answer)
            } else {
                messages.removeLast()
            }
        }
    }

    /// One answer; `nil` where it failed or was stopped, which the conversation survives.
    private func turn(
        _ client: GenwireClient, _ request: ChatRequest, _ options: GlobalOptions
    ) async throws -> Message? {
        let stream = client.streamChat(request, deadlineMilliseconds: options.deadlineMilliseconds)
        signal(SIGINT, SIG_IGN)
        let source = DispatchSource.makeSignalSource(signal: SIGINT, queue: .global())
        source.setEventHandler { stream.cancel() }
        source.activate()
        defer {
            source.cancel()
            signal(SIGINT, SIG_DFL)
        }
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
