internal import Gateway
internal import Providers
internal import RPC

extension Caller {
    /// The gateway's word for whoever makes `call`.
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
    /// The gateway's word for the end of a call that its handler did not end.
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
