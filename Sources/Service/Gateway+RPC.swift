internal import Gateway
internal import Providers
internal import RPC

extension Caller {
    /// The caller of `call`: its token if it has one, else its user or the network.
    init(_ call: Call) {
        if let token = call.tokenName {
            self = .token(token)
        } else {
            switch call.peer {
            case .local(let user, _, _): self = .user(user)
            case .network: self = .network
            }
        }
    }
}

extension CancelCause {
    /// Maps the server's reason for ending a call to a cancel cause. Violations of limits or of the protocol, slow
    /// readers and revoked access become `.refused`.
    init(_ reason: Call.CancelReason) {
        switch reason {
        case .requested: self = .caller
        case .disconnected: self = .callerGone
        case .deadline: self = .deadline
        case .shuttingDown: self = .shuttingDown
        case .protocolViolation, .slowReader, .revoked, .pieceTooLarge: self = .refused
        }
    }
}
