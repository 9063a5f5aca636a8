internal import CLinux
internal import Glibc

/// The peer of a connection, as reported by the kernel.
package enum PeerIdentity: Sendable, Hashable, CustomStringConvertible {
    /// A process on a Unix socket: its effective user and group when it connected. The pid is only for logs, because
    /// pids are reused.
    case local(user: UInt32, group: UInt32, process: Int32)
    /// A TCP peer; the kernel reports no user for it.
    case network

    /// Reads the peer of a connected socket; `.network` if it is not a Unix socket.
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

    /// Returns the supplementary groups that the peer of a Unix socket had when it connected; empty for any other
    /// socket. The kernel stores them with the connection, so this needs no user directory, which may be slow.
    static func groups(descriptor: Int32) -> [UInt32] {
        var groups = [gid_t](repeating: 0, count: 64)
        let count = gw_peer_groups(descriptor, &groups, Int32(groups.count))
        if count <= groups.count { return Array(groups.prefix(max(0, Int(count)))) }
        // The kernel allows at most 65,536 groups.
        groups = [gid_t](repeating: 0, count: Int(count))
        return gw_peer_groups(descriptor, &groups, count) == count ? groups : []
    }

    /// The caller's name for accounting, `uid:N` or `tcp`. All connections of one user are the same caller.
    package var caller: String {
        switch self {
        case .local(let user, _, _): "uid:\(user)"
        case .network: "tcp"
        }
    }

    /// The identity for logs, for example `uid 1000 gid 1000 pid 4242`.
    package var description: String {
        switch self {
        case .local(let user, let group, let process): "uid \(user) gid \(group) pid \(process)"
        case .network: "tcp"
        }
    }
}
