public import Generation
internal import RPC

/// Why a call failed, as its caller sees it.
public struct ClientError: Error, Sendable, Equatable, CustomStringConvertible {
    /// Why no server was reached.
    public enum Unreachable: Sendable, Equatable {
        /// The address is neither `unix:PATH` nor `tcp:HOST:PORT`.
        case malformedAddress
        /// There is no such socket, host or way to it.
        case absent
        /// Nothing listens: the server that made the socket file has ended, or the port is closed.
        case refused
        /// This user may not connect to the socket.
        case notPermitted
        /// The server on the Unix socket runs as a user that was not named. Nothing was sent to it.
        case untrusted
        /// Nobody took the connection in time, or nobody answered on it.
        case silent
        /// Something else than a Genwire server answered.
        case notGenwire
    }

    /// The gRPC status code; 14 where no server was reached.
    public let code: Int32
    /// What happened and what to do.
    public let message: String
    /// What the server's gateway said about it, where it came that far.
    public let detail: GenerationError?
    /// Why no server was reached; `nil` where one was.
    public let unreachable: Unreachable?

    /// Whether no server was reached.
    public var isUnreachable: Bool { unreachable != nil }

    init(code: Int32, message: String, detail: GenerationError? = nil, unreachable: Unreachable? = nil) {
        self.code = code
        self.message = message
        self.detail = detail
        self.unreachable = unreachable
    }

    /// The error of a server that took a connection and answered nothing within `seconds`.
    public static func silent(_ address: String, seconds: Double) -> ClientError {
        ClientError(
            code: Status.Code.unavailable, message: "\(address): nothing answered within \(seconds) s",
            unreachable: .silent)
    }

    /// The message, with the kind of failure where it is known.
    public var description: String { detail.map { "\($0.kind.rawValue): \(message)" } ?? message }
}
