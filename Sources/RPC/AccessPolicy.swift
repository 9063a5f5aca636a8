internal import Glibc

/// Who may call: users and groups on Unix sockets, tokens on TCP.
public struct AccessPolicy: Sendable {
    /// Users, by id, besides the superuser.
    public var users: Set<UInt32>
    /// Groups, by id. A user's supplementary groups count.
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
    func refusal(of peer: PeerIdentity) -> Status? {
        guard case .local(let user, let group, _) = peer else { return nil }
        if user == 0 || users.contains(user) || groups.contains(group) { return nil }
        if !groups.isEmpty, Self.groups(of: user, primary: group).contains(where: groups.contains) { return nil }
        return Status(
            Status.Code.permissionDenied,
            "user \(user) may not use this server; its configuration lists who may: server.allow_uids and "
                + "server.allow_gids")
    }

    /// All groups of a user, by the system's own lists.
    private static func groups(of user: UInt32, primary: UInt32) -> [UInt32] {
        var entry = passwd()
        var found: UnsafeMutablePointer<passwd>?
        var buffer = [CChar](repeating: 0, count: 16 << 10)
        guard getpwuid_r(user, &entry, &buffer, buffer.count, &found) == 0, found != nil, let name = entry.pw_name
        else { return [] }
        var count: Int32 = 256
        var groups = [gid_t](repeating: 0, count: Int(count))
        guard getgrouplist(name, primary, &groups, &count) >= 0 else { return [] }
        return Array(groups.prefix(Int(count)))
    }
}
