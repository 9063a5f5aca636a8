internal import Glibc

/// Divides a process's file descriptors, so that callers never use up those that requests to the vendors need.
package struct DescriptorBudget: Sendable, Equatable {
    /// Reserved for listeners, loops, standard streams, and files and programs that provide secrets.
    private static let own = 64

    /// The maximum number of descriptors of the process.
    package let limit: Int
    /// The maximum number of connections of known callers.
    package let connections: Int
    /// The maximum number of connections of unauthenticated callers.
    package let strangers: Int
    /// Descriptors reserved for connections to the vendors.
    package let upstream: Int

    /// Divides `limit` descriptors. If they do not suffice for the requested connections, reserves a quarter for the
    /// vendors.
    package init(limit: Int, connections: Int, strangers: Int) {
        self.limit = limit
        // With a very small limit, reserve at most half for everything that is not a connection.
        let usable = max(limit - min(Self.own, limit / 2), 4)
        self.strangers = min(strangers, max(1, usable / 8))
        let callers = min(connections, max(1, usable - usable / 4 - self.strangers))
        self.connections = callers
        upstream = usable - self.strangers - callers
    }

    /// Raises the soft limit of open files of this process to its hard limit.
    /// - Returns: the new limit.
    package static func raiseLimit() -> Int {
        var limit = rlimit()
        guard getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0 else { return 1024 }
        if limit.rlim_cur < limit.rlim_max {
            var raised = limit
            raised.rlim_cur = limit.rlim_max
            if setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &raised) == 0 { limit = raised }
        }
        return Int(clamping: limit.rlim_cur)
    }
}
