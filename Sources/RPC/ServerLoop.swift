internal import EventLoop
internal import Synchronization

/// A server's part on one loop: its connections there, and the read buffer that they share.
final class ServerLoop {
    let loop: EventLoop
    let index: Int
    let server: ServerCore
    /// Every read of every connection goes through here; nothing stays in it between two reads.
    let scratch = UnsafeMutableRawBufferPointer.allocate(byteCount: 64 << 10, alignment: 16)
    private(set) var isDraining = false
    private var connections: [ObjectIdentifier: ServerConnection] = [:]

    init(loop: EventLoop, index: Int, server: ServerCore) {
        self.loop = loop
        self.index = index
        self.server = server
    }

    deinit { scratch.deallocate() }

    /// Takes over a connected descriptor.
    func adopt(_ descriptor: Int32, peer: PeerIdentity) {
        let connection = ServerConnection(descriptor: descriptor, peer: peer, context: self)
        guard connection.start() else {
            server.connectionCounts[index].count.subtract(1, ordering: .relaxed)
            return
        }
        connections[ObjectIdentifier(connection)] = connection
        if isDraining { connection.closeAfterFlush() }
    }

    func closed(_ connection: ServerConnection) {
        guard connections.removeValue(forKey: ObjectIdentifier(connection)) != nil else { return }
        server.connectionCounts[index].count.subtract(1, ordering: .relaxed)
    }

    var activeCallCount: Int { connections.values.reduce(0) { $0 + $1.activeCallCount } }

    /// Refuses new calls from now on; those in progress go on.
    func beginDrain() { isDraining = true }

    /// Cancels what is still in progress and closes every connection when its last bytes are out.
    func endDrain() {
        for connection in Array(connections.values) {
            connection.cancelAllCalls(.shuttingDown)
            connection.closeAfterFlush()
        }
    }

    var connectionCount: Int { connections.count }

    func closeAll() {
        for connection in Array(connections.values) { connection.close(.disconnected) }
    }
}

/// A counter of its own cache line's worth, shared by all loops.
final class ConnectionCount: Sendable {
    let count = Atomic<Int>(0)
}

/// What all loops of a server share.
final class ServerCore: Sendable {
    let methods: MethodTable
    let limits: ServerLimits
    let registry: CallRegistry
    private let access: Locked<AccessPolicy>
    let connectionCounts: [ConnectionCount]
    let drainingStatus: Status

    init(
        methods: MethodTable, limits: ServerLimits, registry: CallRegistry, policy: AccessPolicy, loops: Int,
        drainingStatus: Status
    ) {
        self.methods = methods
        self.limits = limits
        self.registry = registry
        access = Locked(policy)
        self.drainingStatus = drainingStatus
        connectionCounts = (0..<loops).map { _ in ConnectionCount() }
    }

    var connectionCount: Int { connectionCounts.reduce(0) { $0 + $1.count.load(ordering: .relaxed) } }

    /// Who may call. A connection keeps the policy that it came under.
    var policy: AccessPolicy { access.withLock { $0 } }

    func adopt(_ policy: AccessPolicy) { access.withLock { $0 = policy } }
}
