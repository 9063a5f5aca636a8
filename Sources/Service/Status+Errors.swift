internal import Generation
internal import Messages
package import RPC

extension Status {
    /// The status for an error: its code, its message and one `ErrorDetail`.
    init(_ error: GenerationError, coder: MessageCoder) {
        self.init(Int32(error.kind.statusCode), error.message, details: [Detail(error, coder)])
    }

    /// The status for a failure that the server detected. Like every failed call, it has an `ErrorDetail`.
    package init(_ failure: Failure) {
        self.init(failure.reason.code, failure.message, details: [Self.details[failure.reason] ?? Self.anyDetail])
    }

    /// The details are the same for all calls, so they are encoded once: invalid requests must be cheap to reject.
    private static let details = Dictionary(
        uniqueKeysWithValues: Failure.Reason.allCases.map { reason in
            var error = GenerationError(reason.kind, "")
            error.isRetryable = reason == .busy || reason == .shuttingDown
            if reason == .busy { error.retryAfterMilliseconds = 1000 }
            if reason == .deadline { error.timeoutPhase = .total }
            return (reason, Detail(error, MessageCoder()))
        })
    private static let anyDetail = Detail(GenerationError(.invalidRequest, ""), MessageCoder())
}

extension Status.Detail {
    fileprivate init(_ error: GenerationError, _ coder: MessageCoder) {
        self.init(typeURL: "type.googleapis.com/genwire.v1.ErrorDetail", value: coder.encode(error))
    }
}

extension Failure.Reason {
    fileprivate var kind: GenerationError.Kind {
        switch self {
        case .malformed, .requestTooLarge, .answerTooLarge: .invalidRequest
        case .pieceTooLarge: .badProviderResponse
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
