internal import EventLoop
internal import GenwireClient
internal import Glibc

/// What Ctrl-C does in a conversation: it stops the answer; at the prompt it drops the line, and a second one ends the
/// program, as a second one does while an answer is being stopped.
///
/// One signal source serves the whole conversation: the kernel's handling of the signal is set once, so no Ctrl-C falls
/// between two settings.
final class Interrupts {
    private enum Place {
        case prompt
        case answer(AnswerStream)
    }

    private struct State {
        var place = Place.prompt
        /// Whether there was one since the last prompt or answer began.
        var isWarned = false
    }

    private let state = Locked(State())
    private let signals: SignalWatch

    /// - Parameter isInteractive: whether there is a person to go back to the prompt for.
    init(isInteractive: Bool) {
        signals = SignalWatch([SIGINT]) { [state] _ in Self.interrupted(state, isInteractive) }
    }

    /// An answer begins.
    func begin(_ stream: AnswerStream) {
        state.withLock { $0 = State(place: .answer(stream)) }
    }

    /// The prompt is back.
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
            // The terminal has dropped what was typed.
            Output.write("\n(Ctrl-C again, Ctrl-D or /quit ends)\n\(REPL.prompt)")
        default:
            Output.errorLine("")
            _exit(ExitStatus.interrupted.rawValue)
        }
    }
}
