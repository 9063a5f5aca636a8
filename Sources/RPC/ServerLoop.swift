internal import EventLoop
internal import Limits
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
    /// Those that have not shown who they are, the oldest first.
    private var strangers: [ServerConnection] = []

    init(loop: EventLoop, index: Int, server: ServerCore) {
        self.loop = loop
        self.index = index
        self.server = server
    }

    deinit { scratch.deallocate() }

    /// Takes over a connected descriptor. A stranger that finds no place takes that of the oldest, which has had the time
    /// to show who it is; where there is none such, it is turned away.
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

    /// Moves a connection that has shown who it is from the strangers to the known callers. Returns whether there was a
    /// place.
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
        for connection in Array(connections.values) { connection.close() }
    }
}

/// A counter of its own cache line's worth, shared by all loops.
final class ConnectionCount: Sendable {
    let count = Atomic<Int>(0)
}

/// A bounded number of places for connections, over all loops.
final class Places: Sendable {
    private let limit: Int
    private let taken = Atomic<Int>(0)

    init(_ limit: Int) { self.limit = limit }

    var count: Int { taken.load(ordering: .relaxed) }

    /// Takes a place. Returns whether there was one.
    func take() -> Bool {
        var count = taken.load(ordering: .relaxed)
        while count < limit {
            let (isDone, now) = taken.compareExchange(expected: count, desired: count + 1, ordering: .relaxed)
            if isDone { return true }
            count = now
        }
        return false
    }

    /// Gives one back.
    func give() { taken.subtract(1, ordering: .relaxed) }
}

/// What all loops of a server share.
final class ServerCore: Sendable {
    let methods: MethodTable
    let limits: ServerLimits
    let registry: CallRegistry
    /// Memory of the requests in progress.
    let budget = ByteCount()
    /// The status that says a failure of the server's own, with whatever details the service gives its errors.
    let describe: @Sendable (Failure) -> Status
    private let access: Locked<AccessPolicy>
    private let guesses = Locked(TokenGuesses())
    /// Output that waits for peers, over all connections.
    let output = ByteCount()
    /// Places for connections of known callers, and of strangers.
    let known: Places
    let strangers: Places
    /// All connections, per loop: the next one goes where there are the fewest.
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

    /// Who may call.
    var policy: AccessPolicy { access.withLock { $0 } }

    func adopt(_ policy: AccessPolicy) { access.withLock { $0 = policy } }

    func countGuess(_ origin: TokenGuesses.Origin, now: Instant) {
        guesses.withLock { $0.failed(origin, now: now) }
    }

    /// How long a stranger of this origin waits before it is read.
    func guessDelay(_ origin: TokenGuesses.Origin, now: Instant) -> TimeAmount {
        guesses.withLock { $0.delay(origin, now: now) }
    }
}
