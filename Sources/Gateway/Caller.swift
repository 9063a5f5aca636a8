/// Who calls, for accounts, limits and the log. Calls of one caller may come over many connections.
package enum Caller: Sendable, Hashable, CustomStringConvertible {
    /// A process of this user, on a Unix socket.
    case user(UInt32)
    /// Whoever showed the token of this name.
    case token(String)
    /// Anybody on a TCP port that asks for no token.
    case network
    /// This process, through the in-process API.
    case process

    /// `uid:1000`, `token:ci`, `tcp` or `process`: the name in the log and in the configuration.
    package var description: String {
        switch self {
        case .user(let id): "uid:" + String(id)
        case .token(let name): "token:" + name
        case .network: "tcp"
        case .process: "process"
        }
    }
}
