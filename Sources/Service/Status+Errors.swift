internal import Generation
internal import Messages
public import RPC

extension Status {
    /// The status of an error: its code, its words, and one `ErrorDetail`.
    init(_ error: GenerationError, coder: MessageCoder) {
        self.init(Int32(error.kind.statusCode), error, coder)
    }

    /// The status of a failure that the server found itself: like every failed call it has an `ErrorDetail`.
    public init(_ failure: Failure) {
        var error = GenerationError(failure.reason.kind, failure.message)
        error.isRetryable = failure.reason == .busy || failure.reason == .shuttingDown
        if failure.reason == .busy { error.retryAfterMilliseconds = 1000 }
        if failure.reason == .deadline { error.timeoutPhase = .total }
        // Rare enough for a coder of its own.
        self.init(failure.reason.code, error, MessageCoder())
    }

    private init(_ code: Int32, _ error: GenerationError, _ coder: MessageCoder) {
        self.init(
            code, error.message,
            details: [Detail(typeURL: "type.googleapis.com/genwire.v1.ErrorDetail", value: coder.encode(error))])
    }
}

extension Failure.Reason {
    fileprivate var kind: GenerationError.Kind {
        switch self {
        case .malformed, .requestTooLarge, .answerTooLarge: .invalidRequest
        case .unknownMethod: .unsupported
        case .unauthenticated: .authentication
        case .notPermitted: .permission
        case .busy: .rateLimit
        case .slowReader: .streamInterrupted
        case .cancelled: .cancelled
        case .deadline: .timeout
        case .shuttingDown: .shuttingDown
        }
    }
}
