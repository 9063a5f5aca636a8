internal import EventLoop
internal import Limits
internal import Synchronization

/// The part of a server that runs on one loop: its connections there, and their shared read buffer.
final class ServerLoop {
    let loop: EventLoop
    let index: Int
    let server: ServerCore
    /// Shared by all connections for reading; holds no data between two reads.
    let scratch = UnsafeMutableRawBufferPointer.allocate(byteCount: 64 << 10, alignment: 16)
    private(set) var isDraining = false
    private var connections: [ObjectIdentifier: ServerConnection] = [:]
    /// Connections that are not authenticated yet, oldest first.
    private var strangers: [ServerConnection] = []

    init(loop: EventLoop, index: Int, server: ServerCore) {
        self.loop = loop
        self.index = index
        self.server = server
    }

    deinit { scratch.deallocate() }

    /// Takes ownership of a connected descriptor. If the limit of strangers is reached, a new stranger replaces the
    /// oldest one that is past its grace period; if there is none, the new one is closed.
    func adopt(_ descriptor: Int32, peer: PeerIdentity) {
        let connection = ServerConnection(descriptor: descriptor, peer: peer, context: self)
        guard connection.isKnown ? server.known.take() : takeStrangersPlace() else {
            connection.close()
            server.connectionCounts[index].count.subtract(1, ordering: .relaxed)
            return
        }
        let isKnown = connection.isKnown
        guard connection.start() else {
            (isKnown ? server.known : server.strangers).give()
            server.connectionCounts[index].count.subtract(1, ordering: .relaxed)
            return
        }
        connections[ObjectIdentifier(connection)] = connection
        if !isKnown { strangers.append(connection) }
        if isDraining { connection.closeAfterFlush() }
    }

    private func takeStrangersPlace() -> Bool {
        if server.strangers.take() { return true }
        let now = loop.now
        guard let oldest = strangers.first(where: { $0.makesRoom(now: now) }) else { return false }
        oldest.close()
        return server.strangers.take()
    }

    /// Moves an authenticated connection from the strangers to the known callers. Returns `false` if their limit is
    /// reached.
    func promote(_ connection: ServerConnection) -> Bool {
        guard server.known.take() else { return false }
        strangers.removeAll { $0 === connection }
        server.strangers.give()
        return true
    }

    func closed(_ connection: ServerConnection) {
        guard connections.removeValue(forKey: ObjectIdentifier(connection)) != nil else { return }
        server.connectionCounts[index].count.subtract(1, ordering: .relaxed)
        if let place = strangers.firstIndex(where: { $0 === connection }) {
            strangers.remove(at: place)
            server.strangers.give()
        } else {
            server.known.give()
        }
    }

    /// Ends connections and calls that the server's policy no longer admits.
    func policyChanged() {
        let policy = server.policy
        for connection in Array(connections.values) { connection.adopt(policy) }
    }

    var activeCallCount: Int { connections.values.reduce(0) { $0 + $1.activeCallCount } }

    /// Refuses new calls from now on; calls in progress continue.
    func beginDrain() { isDraining = true }

    /// Cancels all calls in progress and closes every connection once its output is flushed.
    func endDrain() {
        for connection in Array(connections.values) {
            connection.cancelAllCalls(.shuttingDown)
            connection.closeAfterFlush()
        }
    }

    var connectionCount: Int { connections.count }

    func closeAll() {
        for connection in Array(connections.values) { connection.close() }
    }
}

/// The number of connections of one loop, shared by all loops. A separate object per loop.
final class ConnectionCount: Sendable {
    let count = Atomic<Int>(0)
}

/// A limit on connections, shared by all loops.
final class Places: Sendable {
    private let limit: Int
    private let taken = Atomic<Int>(0)

    init(_ limit: Int) { self.limit = limit }

    var count: Int { taken.load(ordering: .relaxed) }

    /// Takes a place. Returns `false` if the limit is reached.
    func take() -> Bool {
        var count = taken.load(ordering: .relaxed)
        while count < limit {
            let (isDone, now) = taken.compareExchange(expected: count, desired: count + 1, ordering: .relaxed)
            if isDone { return true }
            count = now
        }
        return false
    }

    /// Returns a place.
    func give() { taken.subtract(1, ordering: .relaxed) }
}

/// State shared by all loops of a server.
final class ServerCore: Sendable {
    let methods: MethodTable
    let limits: ServerLimits
    let registry: CallRegistry
    /// Bytes held by requests in progress, over all connections.
    let budget = ByteCount()
    /// Converts a failure of the server itself to a status, with the details that the service adds to its errors.
    let describe: @Sendable (Failure) -> Status
    private let access: Locked<AccessPolicy>
    private let guesses = Locked(TokenGuesses())
    /// Bytes of output waiting for peers, over all connections.
    let output = ByteCount()
    /// Connection limits for known callers and for strangers.
    let known: Places
    let strangers: Places
    /// Connections per loop; the server assigns a new one to the loop with the fewest.
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
        known = Places(limits.maxConnections)
        strangers = Places(limits.maxStrangers)
        connectionCounts = (0..<loops).map { _ in ConnectionCount() }
    }

    /// The current access policy; a snapshot.
    var policy: AccessPolicy { access.withLock { $0 } }

    func adopt(_ policy: AccessPolicy) { access.withLock { $0 = policy } }

    func countGuess(_ origin: TokenGuesses.Origin, now: Instant) {
        guesses.withLock { $0.failed(origin, now: now) }
    }

    /// Returns how long a stranger of this origin must wait before it is read.
    func guessDelay(_ origin: TokenGuesses.Origin, now: Instant) -> TimeAmount {
        guesses.withLock { $0.delay(origin, now: now) }
    }
}
