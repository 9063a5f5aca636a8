package import EventLoop
package import Generation

/// Receives one response from its source, on the source's loop.
package protocol AnswerSink: AnyObject {
    /// The receiver of the pieces of a stream; a source reads it once, before the first piece. A stage that handles
    /// only the end returns the sink after it, so that pieces bypass the stage. The default is the sink itself.
    var pieceSink: any AnswerSink { get }
    /// Receives a piece of a streamed response. `.pause` pauses the upstream until `AnswerSource.resume`.
    func receive(_ event: ChunkEvent) -> Demand
    /// Receives the end: the whole response of a unary request, or the completion of a stream, whose message is empty
    /// because it was delivered before. Called exactly once, and never after `AnswerSource.cancel`.
    func finish(_ result: Result<ChatResponse, GenerationError>)
}

extension AnswerSink {
    /// The sink itself.
    package var pieceSink: any AnswerSink { self }
}

/// A response in progress. Confined to one loop and owned by its caller; it holds no strong reference to its sink.
package protocol AnswerSource: AnyObject {
    /// Starts the request. The sink may receive the end before this returns.
    func start()
    /// Continues a paused stream; does nothing if none is paused.
    func resume()
    /// Stops at once, in any phase: closes the upstream connection; the sink is not called again.
    func cancel(_ cause: CancelCause)
    /// The size of the vendor's request while it may still have to be sent, in bytes; 0 before and after.
    var bodyBytes: Int { get }
}

/// One request to one model, created by `Upstream`, and the figures of its transfer.
package protocol UpstreamAttempt: AnswerSource {
    /// The HTTP status; 0 until the response headers arrive.
    var httpStatus: Int { get }
    /// How long connecting took, in microseconds; 0 if a connection was reused.
    var connectMicroseconds: Int64 { get }
    /// How long the request waited for a token, in microseconds.
    var authMicroseconds: Int64 { get }
    /// The sendings that were repeated, in order; complete once the attempt has finished.
    var repeatedSendings: [RepeatedSending] { get }
    /// The usage of what succeeded before the attempt failed or was cancelled; `.absent` if nothing did.
    var partialUsage: Usage { get }
}

extension UpstreamAttempt {
    /// None.
    package var partialUsage: Usage { Usage() }
}

/// The vendors' side of one loop.
package protocol Upstream: AnyObject {
    /// Creates an attempt; `start` sends it.
    func attempt(
        at model: ConfiguredModel, _ question: Question, isStream: Bool, into sink: any AnswerSink
    ) -> any UpstreamAttempt
}

/// Why a response is cancelled.
package enum CancelCause: Sendable, CaseIterable {
    /// The caller cancelled the call.
    case caller
    /// The caller disconnected.
    case callerGone
    /// The call's deadline passed.
    case deadline
    /// The server is shutting down.
    case shuttingDown
    /// The server ended the call: a limit was exceeded, the permission was revoked, or the protocol was violated.
    case refused

    /// The error that the attempt in progress is recorded with. Only a deadline is an upstream failure; the others are
    /// `.cancelled`.
    package var error: GenerationError {
        switch self {
        case .caller: return GenerationError(.cancelled, "cancelled by the caller")
        case .callerGone: return GenerationError(.cancelled, "the caller disconnected")
        case .shuttingDown: return GenerationError(.cancelled, "the server is shutting down")
        case .refused: return GenerationError(.cancelled, "the server ended the call")
        case .deadline:
            var error = GenerationError(.timeout, "the call's deadline passed")
            error.timeoutPhase = .total
            return error
        }
    }
}
