public import Generation
internal import RPC

/// An error of a call or a connection attempt.
public struct ClientError: Error, Sendable, Equatable, CustomStringConvertible {
    /// Why no server was reached.
    public enum Unreachable: Sendable, Equatable {
        /// The address is neither `unix:PATH` nor `tcp:HOST:PORT`.
        case malformedAddress
        /// The socket or host does not exist, or there is no route to it.
        case absent
        /// Nothing is listening: the server that created the socket file is gone, or the port is closed.
        case refused
        /// This user may not connect to the socket.
        case notPermitted
        /// The server on the Unix socket runs as an untrusted user. Nothing was sent to it.
        case untrusted
        /// The connection was not accepted in time, or the server did not respond on it.
        case silent
        /// The peer is not a Genwire server.
        case notGenwire
    }

    /// The gRPC status code; 14 (7 for `.untrusted`) if no server was reached.
    public let code: Int32
    /// The cause and, if known, the remedy.
    public let message: String
    /// The error that the server's gateway reported; `nil` if the call failed before it reached the gateway.
    public let detail: GenerationError?
    /// Why no server was reached; `nil` if one was.
    public let unreachable: Unreachable?

    /// Whether no server was reached.
    public var isUnreachable: Bool { unreachable != nil }

    init(code: Int32, message: String, detail: GenerationError? = nil, unreachable: Unreachable? = nil) {
        self.code = code
        self.message = message
        self.detail = detail
        self.unreachable = unreachable
    }

    /// The error for a server that accepted a connection but did not respond within `seconds`.
    public static func silent(_ address: String, seconds: Double) -> ClientError {
        ClientError(
            code: Status.Code.unavailable, message: "\(address): no response within \(seconds) s",
            unreachable: .silent)
    }

    /// The message, prefixed with the error kind if known.
    public var description: String { detail.map { "\($0.kind.rawValue): \(message)" } ?? message }
}
