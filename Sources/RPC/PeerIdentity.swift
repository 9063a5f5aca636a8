internal import CLinux
internal import Glibc

/// Who is at the other end of a connection, by the kernel's word.
public enum PeerIdentity: Sendable, Hashable, CustomStringConvertible {
    /// A process on a Unix socket: its effective user and group when it connected. The pid is for logs only, since
    /// pids are re-used.
    case local(user: UInt32, group: UInt32, process: Int32)
    /// A TCP peer, which has shown no credential.
    case network

    /// Asks the kernel about a connected socket.
    init(descriptor: Int32) {
        var user: uid_t = 0
        var group: gid_t = 0
        var process: pid_t = 0
        if gw_peer_credentials(descriptor, &user, &group, &process) == 0 {
            self = .local(user: user, group: group, process: process)
        } else {
            self = .network
        }
    }

    /// The supplementary groups that the process on a Unix socket had when it connected; empty for any other socket.
    /// The kernel remembers them with the connection, so no directory is asked, which may be slow.
    static func groups(descriptor: Int32) -> [UInt32] {
        var groups = [gid_t](repeating: 0, count: 64)
        let count = gw_peer_groups(descriptor, &groups, Int32(groups.count))
        if count <= groups.count { return Array(groups.prefix(max(0, Int(count)))) }
        // At most 65,536, by the kernel's own limit.
        groups = [gid_t](repeating: 0, count: Int(count))
        return gw_peer_groups(descriptor, &groups, count) == count ? groups : []
    }

    /// The caller that calls are accounted to: two connections of one user are one caller.
    public var caller: String {
        switch self {
        case .local(let user, _, _): "uid:\(user)"
        case .network: "tcp"
        }
    }

    /// For logs.
    public var description: String {
        switch self {
        case .local(let user, let group, let process): "uid \(user) gid \(group) pid \(process)"
        case .network: "tcp"
        }
    }
}
