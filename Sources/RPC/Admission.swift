/// Who is at the other end of one connection, and what it may do: a value without I/O.
///
/// A connection is *known* once its peer may call: at once for a permitted user of a Unix socket and for everybody
/// where no token is asked for, else with the first valid token. Until then it is a stranger, which holds little memory,
/// lives for a few seconds and has places of its own.
struct Admission {
    /// Whose call it is, and the token that shows it where the call brought its own.
    struct Caller: Equatable {
        var name: String
        var token: String?
        /// The configured name of the token that showed who calls; `nil` where none was asked for.
        var tokenName: String? {
            name.hasPrefix(Admission.tokenPrefix) ? String(name.dropFirst(Admission.tokenPrefix.count)) : nil
        }
    }

    private static let tokenPrefix = "token:"

    /// A longer token is wrong whatever it says.
    private static let maximumTokenBytes = 4096

    let peer: PeerIdentity
    private let groups: () -> [UInt32]
    private var policy: AccessPolicy
    /// Why every call of this peer is refused.
    private var refusal: Failure?
    /// The connection's caller, unless a call's own metadata says otherwise.
    private var caller: Caller
    /// The newest caller that a token showed.
    private var shown: Caller?
    /// Whether the peer may call, or has shown a token with one of its calls.
    private(set) var isKnown: Bool

    /// - Parameter groups: the peer's supplementary groups, asked for where nothing else decides.
    init(peer: PeerIdentity, policy: AccessPolicy, groups: @escaping () -> [UInt32]) {
        self.peer = peer
        self.policy = policy
        self.groups = groups
        caller = Caller(name: peer.caller)
        refusal = policy.refusal(of: peer, groups: groups)
        isKnown = refusal == nil && (peer != .network || policy.tokenName == nil)
    }

    /// The caller of one call: its own token's, else the connection's.
    /// - Parameter isOpen: whether the method is the one in which a caller shows its token.
    /// - Throws: `Failure` after which the connection is to be closed; `wrongToken` counts as a guess.
    mutating func caller(
        metadata: [(key: String, value: String)], isOpen: Bool
    ) throws(Failure) -> Caller {
        if let refusal { throw refusal }
        guard policy.tokenName != nil, let header = Self.authorization(metadata) else {
            guard isOpen || mayCall(caller) else { throw Self.missingToken }
            return caller
        }
        guard let token = Self.bearer(header), let name = name(of: token) else { throw Self.wrongToken }
        isKnown = true
        let caller = Caller(name: name, token: token)
        shown = caller
        return caller
    }

    /// Takes a token for the whole connection. Returns the caller's name, `nil` for a wrong token; where no token is
    /// asked for, any is right.
    mutating func authenticate(token: String) -> String? {
        guard policy.tokenName != nil else { return caller.name }
        guard let name = name(of: token) else { return nil }
        caller = Caller(name: name, token: token)
        shown = caller
        isKnown = true
        return name
    }

    /// Whether a caller has shown who it is, as far as this server asks for it.
    func mayCall(_ caller: Caller) -> Bool {
        peer != .network || policy.tokenName == nil || caller.token != nil
    }

    /// Whether the connection itself has.
    var mayCall: Bool { mayCall(caller) }

    /// Takes over another policy. Whoever it admits without a token is known from then on.
    /// - Parameter live: the callers of the calls in progress.
    /// - Returns: why a connection that was known has to end: nobody on it is admitted any more. `nil` where it goes on.
    mutating func adopt(_ policy: AccessPolicy, live: [Caller]) -> Failure? {
        self.policy = policy
        refusal = policy.refusal(of: peer, groups: groups)
        if let refusal { return isKnown ? refusal : nil }
        if failure(of: caller) != nil { caller = Caller(name: peer.caller) }
        if let shown, failure(of: shown) != nil { self.shown = nil }
        if mayCall {
            isKnown = true
        } else if isKnown, shown == nil, !live.contains(where: { failure(of: $0) == nil }) {
            return Self.revoked
        }
        return nil
    }

    /// Why the calls of `caller` have to end after a change of the policy; `nil` where they go on.
    func failure(of caller: Caller) -> Failure? {
        guard peer == .network, policy.tokenName != nil else { return nil }
        guard let token = caller.token else { return Self.missingToken }
        return name(of: token) == caller.name ? nil : Self.revoked
    }

    private func name(of token: String) -> String? {
        guard token.utf8.count <= Self.maximumTokenBytes else { return nil }
        return policy.tokenName?(token).map { Self.tokenPrefix + $0 }
    }

    /// The value of the metadata pair `authorization`.
    static func authorization(_ metadata: [(key: String, value: String)]) -> String? {
        metadata.first { $0.key.lowercased() == "authorization" }?.value
    }

    /// The token of an `authorization` value; `nil` for another scheme than `Bearer`.
    static func bearer(_ header: String) -> String? {
        header.utf8.count > 7 && header.prefix(7).lowercased() == "bearer " ? String(header.dropFirst(7)) : nil
    }

    private static let revoked = Failure(
        .unauthenticated, "the token of this call is no longer valid; connect again with another one")
    static let wrongToken = Failure(.unauthenticated, "invalid token")
    static let missingToken = Failure(
        .unauthenticated,
        "authentication required: send the metadata 'authorization: Bearer TOKEN' with each call, or call Control.Hello "
            + "with the token first")
}
