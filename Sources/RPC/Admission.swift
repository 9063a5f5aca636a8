/// Authentication state of one connection, as a value without I/O: who the peer is and what it may do.
///
/// A connection is *known* once its peer may call: immediately for a permitted user of a Unix socket and for any peer
/// if no token is required, otherwise with its first valid token. Until then it is a *stranger*: it gets little memory,
/// is closed after a few seconds, and counts against a separate connection limit.
struct Admission {
    /// The caller of a call, with the token that authenticated it, if any.
    struct Caller: Equatable {
        var name: String
        var token: String?
        /// The configured name of the token that authenticated the caller; `nil` if none was required.
        var tokenName: String? {
            name.hasPrefix(Admission.tokenPrefix) ? String(name.dropFirst(Admission.tokenPrefix.count)) : nil
        }
    }

    private static let tokenPrefix = "token:"

    /// Longer tokens are rejected without a lookup.
    private static let maximumTokenBytes = 4096

    let peer: PeerIdentity
    private let groups: () -> [UInt32]
    private var policy: AccessPolicy
    /// Why every call of this peer is refused.
    private var refusal: Failure?
    /// The connection's caller; a token in a call's metadata overrides it for that call.
    private var caller: Caller
    /// The caller that authenticated most recently with a token.
    private var shown: Caller?
    /// Whether the peer may call, or has authenticated with a token in one of its calls.
    private(set) var isKnown: Bool

    /// - Parameter groups: returns the peer's supplementary groups; called only if nothing else decides.
    init(peer: PeerIdentity, policy: AccessPolicy, groups: @escaping () -> [UInt32]) {
        self.peer = peer
        self.policy = policy
        self.groups = groups
        caller = Caller(name: peer.caller)
        refusal = policy.refusal(of: peer, groups: groups)
        isKnown = refusal == nil && (peer != .network || policy.tokenName == nil)
    }

    /// Returns the caller of one call: the one its own token authenticates, otherwise the connection's.
    /// - Parameter isOpen: whether the method may be called without authentication (`Method.isOpen`).
    /// - Throws: a `Failure` after which the connection must be closed; `wrongToken` counts as a guess.
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

    /// Authenticates the whole connection with a token. Returns the caller's name, `nil` for an invalid token. If no
    /// token is required, any token is accepted.
    mutating func authenticate(token: String) -> String? {
        guard policy.tokenName != nil else { return caller.name }
        guard let name = name(of: token) else { return nil }
        caller = Caller(name: name, token: token)
        shown = caller
        isKnown = true
        return name
    }

    /// Whether a caller is authenticated as far as the policy requires.
    func mayCall(_ caller: Caller) -> Bool {
        peer != .network || policy.tokenName == nil || caller.token != nil
    }

    /// Whether the connection itself is authenticated.
    var mayCall: Bool { mayCall(caller) }

    /// Applies a new policy. A peer that it admits without a token becomes known.
    /// - Parameter live: the callers of the calls in progress.
    /// - Returns: why a known connection must close because the policy no longer admits any of its callers; `nil` if it
    ///   stays open.
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

    /// Returns why the policy ends the calls of `caller`; `nil` if they continue.
    func failure(of caller: Caller) -> Failure? {
        guard peer == .network, policy.tokenName != nil else { return nil }
        guard let token = caller.token else { return Self.missingToken }
        return name(of: token) == caller.name ? nil : Self.revoked
    }

    private func name(of token: String) -> String? {
        guard token.utf8.count <= Self.maximumTokenBytes else { return nil }
        return policy.tokenName?(token).map { Self.tokenPrefix + $0 }
    }

    /// Returns the value of the metadata key `authorization`, in any case; the first one if there are several.
    static func authorization(_ metadata: [(key: String, value: String)]) -> String? {
        metadata.first { $0.key.lowercased() == "authorization" }?.value
    }

    /// Returns the token of an `authorization` value; `nil` for any scheme other than `Bearer`.
    static func bearer(_ header: String) -> String? {
        header.utf8.count > 7 && header.prefix(7).lowercased() == "bearer " ? String(header.dropFirst(7)) : nil
    }

    private static let revoked = Failure(
        .unauthenticated, "the token of this call is no longer valid; reconnect with a valid token")
    static let wrongToken = Failure(.unauthenticated, "invalid token")
    static let missingToken = Failure(
        .unauthenticated,
        "authentication required: send the metadata 'authorization: Bearer TOKEN' with each call, or call "
            + "Control.Hello with the token first")
}
