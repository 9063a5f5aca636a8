internal import Glibc

/// How a process's file descriptors are shared out: callers must never take those that the calls to the vendors need.
public struct DescriptorBudget: Sendable, Equatable {
    /// Listeners, loops, standard streams, files and programs of secrets.
    private static let own = 64

    /// The most descriptors that the process may have.
    public let limit: Int
    /// The most connections of known callers.
    public let connections: Int
    /// The most connections of strangers.
    public let strangers: Int
    /// What is kept for connections to the vendors.
    public let upstream: Int

    /// Shares out `limit` descriptors. Where they do not do for what is wanted, a quarter is kept for the vendors.
    public init(limit: Int, connections: Int, strangers: Int) {
        self.limit = limit
        // A very small limit leaves no more than half for everything that is not a connection.
        let usable = max(limit - min(Self.own, limit / 2), 4)
        self.strangers = min(strangers, max(1, usable / 8))
        let callers = min(connections, max(1, usable - usable / 4 - self.strangers))
        self.connections = callers
        upstream = usable - self.strangers - callers
    }

    /// Raises the soft limit of this process to its hard one.
    /// - Returns: the limit from then on.
    public static func raiseLimit() -> Int {
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
