internal import EventLoop
internal import Glibc
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
    /// Those that have not shown who they are, the oldest first; never more than `ServerCore.strangersPerLoop`.
    private var strangers: [ServerConnection] = []

    init(loop: EventLoop, index: Int, server: ServerCore) {
        self.loop = loop
        self.index = index
        self.server = server
    }

    deinit { scratch.deallocate() }

    /// Takes over a connected descriptor. A stranger that finds no place takes that of the oldest: whoever has a token
    /// shows it at once, so the oldest is the least likely to.
    func adopt(_ descriptor: Int32, peer: PeerIdentity) {
        let connection = ServerConnection(descriptor: descriptor, peer: peer, context: self)
        let isKnown = connection.isKnown
        guard !isKnown || server.takePlace(index) else {
            close(descriptor)
            return
        }
        guard connection.start() else {
            if isKnown { server.leavePlace(index) }
            return
        }
        connections[ObjectIdentifier(connection)] = connection
        if !isKnown {
            if strangers.count >= server.strangersPerLoop { strangers[0].close(.disconnected) }
            strangers.append(connection)
        }
        if isDraining { connection.closeAfterFlush() }
    }

    /// Moves a connection that has shown who it is from the strangers to the known callers. Returns whether there was a
    /// place.
    func promote(_ connection: ServerConnection) -> Bool {
        guard server.takePlace(index) else { return false }
        strangers.removeAll { $0 === connection }
        return true
    }

    func closed(_ connection: ServerConnection) {
        guard connections.removeValue(forKey: ObjectIdentifier(connection)) != nil else { return }
        if let place = strangers.firstIndex(where: { $0 === connection }) {
            strangers.remove(at: place)
        } else {
            server.leavePlace(index)
        }
    }

    /// Ends what the server's policy no longer admits.
    func policyChanged() {
        let policy = server.policy
        for connection in Array(connections.values) { connection.adopt(policy) }
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
    let budget = RequestBudget()
    /// The status that says a failure of the server's own, with whatever details the service gives its errors.
    let describe: @Sendable (Failure) -> Status
    private let access: Locked<AccessPolicy>
    private let guesses = Locked(TokenGuesses())
    /// Connections of known callers, per loop.
    let connectionCounts: [ConnectionCount]

    init(
        methods: MethodTable, limits: ServerLimits, registry: CallRegistry, policy: AccessPolicy, loops: Int,
        describe: @escaping @Sendable (Failure) -> Status
    ) {
        self.methods = methods
        self.limits = limits
        self.registry = registry
        access = Locked(policy)
        self.describe = describe
        connectionCounts = (0..<loops).map { _ in ConnectionCount() }
    }

    var connectionCount: Int { connectionCounts.reduce(0) { $0 + $1.count.load(ordering: .relaxed) } }
    var strangersPerLoop: Int { max(1, limits.maxStrangers / connectionCounts.count) }

    /// Takes a place among the known callers for a connection of one loop. Returns whether there was one.
    func takePlace(_ loop: Int) -> Bool {
        connectionCounts[loop].count.add(1, ordering: .relaxed)
        if connectionCount <= limits.maxConnections { return true }
        leavePlace(loop)
        return false
    }

    func leavePlace(_ loop: Int) { connectionCounts[loop].count.subtract(1, ordering: .relaxed) }

    /// Who may call.
    var policy: AccessPolicy { access.withLock { $0 } }

    func adopt(_ policy: AccessPolicy) { access.withLock { $0 = policy } }

    func countGuess(_ origin: TokenGuesses.Origin, now: UInt64) {
        guesses.withLock { $0.failed(origin, now: now) }
    }

    /// How long a stranger of this origin waits before it is read, in nanoseconds.
    func guessDelay(_ origin: TokenGuesses.Origin, now: UInt64) -> UInt64 {
        guesses.withLock { $0.delay(origin, now: now) }
    }
}
