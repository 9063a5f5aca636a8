/// An error with which the server itself, rather than a handler, ends a call.
package struct Failure: Error, Sendable, Equatable {
    /// The reason; each maps to one status code.
    package enum Reason: Sendable, CaseIterable {
        /// The request, its envelope or its position in the stream violates the protocol.
        case malformed
        /// The server has no such method.
        case unknownMethod
        /// The caller is not authenticated, or its token is invalid or no longer valid.
        case unauthenticated
        /// The caller is authenticated but not permitted to call.
        case notPermitted
        /// The connection or the process has too much in progress; a later retry may succeed.
        case busy
        /// The request exceeds a limit; a retry fails the same way.
        case requestTooLarge
        /// The response exceeds a limit; a retry fails the same way.
        case answerTooLarge
        /// One message of a streamed response exceeds a limit: the upstream sends too much at once.
        case pieceTooLarge
        /// The caller does not read its responses.
        case slowReader
        /// The caller cancelled the call or disconnected.
        case cancelled
        /// The call's deadline passed.
        case deadline
        /// The server is shutting down.
        case shuttingDown

        /// The gRPC status code.
        package var code: Int32 {
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

    /// Why the call ended; determines the status code.
    package let reason: Reason
    /// What happened and what to do. Contains at most a few bytes of the peer's data.
    package let message: String

    init(_ reason: Reason, _ message: String) {
        self.reason = reason
        self.message = message
    }

    /// The status without details.
    package var plainStatus: Status { Status(reason.code, message) }

    static let shuttingDown = Failure(.shuttingDown, "the server is shutting down; use another one")
}
