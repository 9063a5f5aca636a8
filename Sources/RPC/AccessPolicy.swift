internal import Glibc

/// Who may call: users and groups on Unix sockets, tokens on TCP.
public struct AccessPolicy: Sendable {
    /// Users, by id, besides the superuser.
    public var users: Set<UInt32>
    /// Groups, by id. The supplementary groups of the calling process count.
    public var groups: Set<UInt32>
    /// The name of a token, and `nil` for one that is not known; absent where no token is asked for. Must take a time
    /// that does not depend on the tokens.
    public var tokenName: (@Sendable (String) -> String?)?

    /// The server's own user and the superuser; no token asked for.
    public static var sameUser: AccessPolicy { AccessPolicy(users: [geteuid()], groups: []) }

    /// A policy.
    public init(
        users: Set<UInt32>, groups: Set<UInt32> = [], tokenName: (@Sendable (String) -> String?)? = nil
    ) {
        self.users = users
        self.groups = groups
        self.tokenName = tokenName
    }

    /// Whether anybody but the server's own user and the superuser may call over Unix sockets.
    var admitsOthers: Bool { !groups.isEmpty || users.contains { $0 != 0 && $0 != geteuid() } }

    /// Why a peer is refused; `nil` where it may connect.
    /// - Parameter groups: its supplementary groups, asked for where the rest does not decide.
    func refusal(of peer: PeerIdentity, groups memberships: () -> [UInt32]) -> Failure? {
        guard case .local(let user, let group, _) = peer else { return nil }
        if user == 0 || users.contains(user) || groups.contains(group) { return nil }
        if !groups.isEmpty, memberships().contains(where: groups.contains) { return nil }
        return Failure(
            .notPermitted,
            "user \(user) may not use this server; its configuration lists who may: server.allow_uids and "
                + "server.allow_gids")
    }
}
