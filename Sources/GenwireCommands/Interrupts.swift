internal import EventLoop
internal import GenwireClient
internal import Glibc

/// Handles Ctrl-C in a conversation. It stops a response in progress, or clears the line at the prompt. A second Ctrl-C
/// exits the program.
///
/// One signal source is used for the whole conversation, so that the signal's disposition is set only once and no
/// Ctrl-C is handled by the default action in between.
final class Interrupts {
    private enum Place {
        case prompt
        case answer(AnswerStream)
    }

    private struct State {
        var place = Place.prompt
        /// Whether Ctrl-C was pressed since the current prompt or response began.
        var isWarned = false
    }

    private let state = Locked(State())
    private let signals: SignalWatch

    /// - Parameter isInteractive: whether standard input is a terminal; if not, Ctrl-C at the prompt exits at once.
    init(isInteractive: Bool) {
        signals = SignalWatch([SIGINT]) { [state] _ in Self.interrupted(state, isInteractive) }
    }

    /// Must be called when a response begins.
    func begin(_ stream: AnswerStream) {
        state.withLock { $0 = State(place: .answer(stream)) }
    }

    /// Must be called before the prompt is shown.
    func atPrompt() {
        state.withLock { $0 = State(place: .prompt) }
    }

    private static func interrupted(_ state: Locked<State>, _ isInteractive: Bool) {
        let (place, isSecond) = state.withLock { state in
            defer { state.isWarned = true }
            return (state.place, state.isWarned)
        }
        switch place {
        case .answer(let stream) where !isSecond:
            stream.cancel()
        case .prompt where !isSecond && isInteractive:
            // The terminal has already discarded the typed line.
            Output.write("\n(Ctrl-C again, Ctrl-D or /quit exits)\n\(REPL.prompt)")
        default:
            Output.errorLine("")
            _exit(ExitStatus.interrupted.rawValue)
        }
    }
}
