internal import Glibc

/// The access rules of a server: users and groups on Unix sockets, tokens on TCP.
package struct AccessPolicy: Sendable {
    /// User ids that may call. The superuser always may.
    package var users: Set<UInt32>
    /// Group ids that may call. The caller's supplementary groups count too.
    package var groups: Set<UInt32>
    /// Returns the name of a token, `nil` for an invalid one. The property is `nil` if no token is required. The
    /// function must run in a time that does not depend on the tokens.
    package var tokenName: (@Sendable (String) -> String?)?

    /// Admits the server's own user and the superuser; requires no token.
    package static var sameUser: AccessPolicy { AccessPolicy(users: [geteuid()], groups: []) }

    /// Creates a policy; by default it admits no groups and requires no token.
    package init(
        users: Set<UInt32>, groups: Set<UInt32> = [], tokenName: (@Sendable (String) -> String?)? = nil
    ) {
        self.users = users
        self.groups = groups
        self.tokenName = tokenName
    }

    /// Whether users other than the server's own and the superuser may call over Unix sockets.
    var admitsOthers: Bool { !groups.isEmpty || users.contains { $0 != 0 && $0 != geteuid() } }

    /// Returns why a peer is refused; `nil` if it may connect.
    /// - Parameter groups: returns the peer's supplementary groups; called only if nothing else decides.
    func refusal(of peer: PeerIdentity, groups memberships: () -> [UInt32]) -> Failure? {
        guard case .local(let user, let group, _) = peer else { return nil }
        if user == 0 || users.contains(user) || groups.contains(group) { return nil }
        if !groups.isEmpty, memberships().contains(where: groups.contains) { return nil }
        return Failure(
            .notPermitted,
            "user \(user) is not permitted to use this server; permit it with server.allow_uids or "
                + "server.allow_gids in the server's configuration")
    }
}
