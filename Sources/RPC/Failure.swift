/// Why the server itself ends a call, before, beside or after its handler.
public struct Failure: Error, Sendable, Equatable {
    /// The reasons, each with one status code.
    public enum Reason: Sendable, CaseIterable {
        /// The request, its envelope or its place in the stream breaks the protocol.
        case malformed
        /// No such method.
        case unknownMethod
        /// The caller has not shown who it is, or showed a token that is not, or no longer, known.
        case unauthenticated
        /// The caller is known and may not call.
        case notPermitted
        /// The connection or the process has too much in progress; another try later may succeed.
        case busy
        /// The request is over a limit; another try fails the same way.
        case requestTooLarge
        /// The answer is over a limit; another try fails the same way.
        case answerTooLarge
        /// A piece of a streamed answer is over a limit: what is behind the server sends too much at once.
        case pieceTooLarge
        /// The caller does not read its answers.
        case slowReader
        /// The caller cancelled the call, or its connection is gone.
        case cancelled
        /// The call's deadline passed.
        case deadline
        /// The server is shutting down.
        case shuttingDown

        /// The gRPC status code.
        public var code: Int32 {
            switch self {
            case .malformed: Status.Code.invalidArgument
            case .unknownMethod: Status.Code.unimplemented
            case .unauthenticated: Status.Code.unauthenticated
            case .notPermitted: Status.Code.permissionDenied
            case .busy, .requestTooLarge, .answerTooLarge, .pieceTooLarge, .slowReader:
                Status.Code.resourceExhausted
            case .cancelled: Status.Code.cancelled
            case .deadline: Status.Code.deadlineExceeded
            case .shuttingDown: Status.Code.unavailable
            }
        }
    }

    /// See `Reason`.
    public let reason: Reason
    /// What happened and what to do. Holds nothing of the peer's beyond a few bytes.
    public let message: String

    init(_ reason: Reason, _ message: String) {
        self.reason = reason
        self.message = message
    }

    /// The status without any details.
    public var plainStatus: Status { Status(reason.code, message) }

    static let shuttingDown = Failure(.shuttingDown, "the server is shutting down; call another one")
}
