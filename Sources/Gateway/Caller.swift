/// The identity of a caller, for accounting, limits and the log. One caller may use many connections.
package enum Caller: Sendable, Hashable, CustomStringConvertible {
    /// A process of the user with this id, on a Unix socket.
    case user(UInt32)
    /// A holder of the token with this name.
    case token(String)
    /// Any client on a TCP port that requires no token.
    case network
    /// This process, through the in-process API.
    case process

    /// `uid:1000`, `token:ci`, `tcp` or `process`: the name used in the log and in the configuration.
    package var description: String {
        switch self {
        case .user(let id): "uid:" + String(id)
        case .token(let name): "token:" + name
        case .network: "tcp"
        case .process: "process"
        }
    }
}
