public import EventLoop
public import Generation

/// Receives one answer from its source, on the source's loop.
public protocol AnswerSink: AnyObject {
    /// Where the pieces of a stream go; a source asks once, before the first one. A stage that looks at ends only names
    /// the sink behind it, so that pieces bypass the stage. The default is the sink itself.
    var pieceSink: any AnswerSink { get }
    /// A piece of a streamed answer. After `.pause` the upstream is held until `AnswerSource.resume`.
    func receive(_ event: ChunkEvent) -> Demand
    /// The end: the whole answer of a unary request, or what closes a stream (its message is empty, since it was
    /// delivered). Called exactly once, and never after `AnswerSource.cancel`.
    func finish(_ result: Result<ChatResponse, GenerationError>)
}

extension AnswerSink {
    /// The sink itself.
    public var pieceSink: any AnswerSink { self }
}

/// An answer in the making. Belongs to one loop, and to whoever asked for it; never holds its sink.
public protocol AnswerSource: AnyObject {
    /// Begins. The sink may hear the end before this returns.
    func start()
    /// Continues a paused stream; does nothing where none is paused.
    func resume()
    /// Stops at once, in any phase: the upstream connection is closed, and the sink hears nothing more.
    func cancel(_ cause: CancelCause)
    /// The size of the vendor's request while it may still have to be sent, in bytes; 0 before and after.
    var bodyBytes: Int { get }
}

/// One request to one model, as `Upstream` makes it, with what is known of its transfer.
public protocol UpstreamAttempt: AnswerSource {
    /// The HTTP status; 0 while none came.
    var httpStatus: Int { get }
    /// How long connecting took, in microseconds; 0 where a connection was re-used.
    var connectMicroseconds: Int64 { get }
    /// How long the request waited for a token, in microseconds.
    var authMicroseconds: Int64 { get }
    /// The sendings that were repeated, in their order; complete once the attempt has finished.
    var repeatedSendings: [RepeatedSending] { get }
}

/// The vendors' side of one loop.
public protocol Upstream: AnyObject {
    /// An attempt that `start` sends.
    func attempt(
        at model: ConfiguredModel, _ request: ChatRequest, isStream: Bool, into sink: any AnswerSink
    ) -> any UpstreamAttempt
}

/// Why an answer is stopped before its end.
public enum CancelCause: Sendable, CaseIterable {
    /// The caller cancelled the call.
    case caller
    /// The caller's connection is gone.
    case callerGone
    /// The call's deadline passed.
    case deadline
    /// The server shuts down.
    case shuttingDown
    /// The server ended the call: over a limit, not permitted any more, or against the protocol.
    case refused

    /// What the attempt in progress is recorded with. Only a deadline is a failure of the upstream; the others are
    /// `.cancelled`.
    public var error: GenerationError {
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
