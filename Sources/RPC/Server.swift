public import EventLoop
internal import Glibc
public import Limits
internal import Synchronization

/// A ttrpc server over any number of listeners and loops.
///
/// Each connection lives on the loop that had the fewest connections when it came, and so do its calls.
public final class Server: Sendable {
    private let loops: [EventLoop]
    private let contexts: [LoopBound<ServerLoop>]
    private let core: ServerCore
    private struct OpenListener: Sendable {
        let listener: LoopBound<Listener>
        let address: Address
        let servesNetwork: Bool
    }

    private let listeners = Locked<[OpenListener]>([])

    /// The calls in progress, by their callers' ids.
    public var registry: CallRegistry { core.registry }

    /// A server that listens nowhere yet.
    /// - Parameters:
    ///   - describe: the status that says a failure of the server's own; the plain one by default.
    public init(
        loops: [EventLoop], methods: [Method], limits: ServerLimits = ServerLimits(), registry: CallRegistry,
        policy: AccessPolicy = .sameUser, describe: @escaping @Sendable (Failure) -> Status = { $0.plainStatus }
    ) async {
        precondition(!loops.isEmpty, "a server needs a loop")
        self.loops = loops
        let core = ServerCore(
            methods: MethodTable(methods), limits: limits, registry: registry, policy: policy, loops: loops.count,
            describe: describe)
        self.core = core
        var contexts: [LoopBound<ServerLoop>] = []
        for (index, loop) in loops.enumerated() {
            contexts.append(
                await loop.perform { LoopBound(ServerLoop(loop: loop, index: index, server: core), on: loop) })
        }
        self.contexts = contexts
    }

    /// Listens at `address` and serves. Returns the address as bound, with the real port where 0 was asked for.
    /// - Parameter warn: takes what an administrator should know, such as that a Unix socket's file was removed.
    /// - Throws: `AddressError` that says what to do.
    public func listen(
        at address: Address, warn: @escaping @Sendable (String) -> Void = { _ in }
    ) async throws(AddressError) -> Address {
        let loop = loops[0]
        let result = await loop.perform { [self] () -> Result<Address, AddressError> in
            do {
                let policy = core.policy
                let listener = try Listener(
                    address, servesNetwork: policy.tokenName != nil, servesOthers: policy.admitsOthers, warn: warn
                ) { [unowned self] descriptor in place(descriptor) }
                do { try listener.start(on: loop) } catch {
                    listener.stop()
                    throw error
                }
                let open = OpenListener(
                    listener: LoopBound(listener, on: loop), address: listener.address,
                    servesNetwork: listener.servesNetwork)
                listeners.withLock { $0.append(open) }
                return .success(listener.address)
            } catch let error as AddressError {
                return .failure(error)
            } catch {
                return .failure(AddressError("\(address): \(error)"))
            }
        }
        return try result.get()
    }

    /// Whether a policy would do for the addresses that are listened on.
    /// - Throws: `AddressError` for one that other machines reach and that would be left without tokens.
    public func check(_ policy: AccessPolicy) throws(AddressError) {
        let open = listeners.withLock { $0.first { $0.servesNetwork } }
        if let open, policy.tokenName == nil {
            throw AddressError("\(open.address): other machines reach this address; it cannot do without server.tokens")
        }
    }

    /// Takes over another policy, which must have passed `check`, and ends the connections and calls of callers that it
    /// does not admit. The sockets' modes follow it.
    public func adopt(_ policy: AccessPolicy) {
        core.adopt(policy)
        for context in contexts { context.loop.execute { context.value.policyChanged() } }
        for open in listeners.withLock({ $0 }) {
            open.listener.loop.execute { open.listener.value.serve(others: policy.admitsOthers) }
        }
    }

    /// Gives a new connection to the loop with the fewest.
    private func place(_ descriptor: Int32) {
        let peer = PeerIdentity(descriptor: descriptor)
        if peer == .network { Transport.disableDelay(descriptor) }
        var least = 0
        var leastCount = Int.max
        for (index, counter) in core.connectionCounts.enumerated() {
            let count = counter.count.load(ordering: .relaxed)
            if count < leastCount { (least, leastCount) = (index, count) }
        }
        core.connectionCounts[least].count.add(1, ordering: .relaxed)
        let context = contexts[least]
        if context.loop.isCurrent {
            context.value.adopt(descriptor, peer: peer)
        } else {
            context.loop.execute { context.value.adopt(descriptor, peer: peer) }
        }
    }

    /// Connections of known callers right now.
    public var connectionCount: Int { core.known.count }
    /// Bytes of requests in progress right now, unfinished ones included.
    public var requestBytes: Int { core.budget.bytes }

    /// Stops listening, refuses new calls, lets those in progress end for at most `seconds`, then cancels the rest
    /// and closes every connection. Returns when all is closed.
    public func drain(seconds: Double) async {
        let open = listeners.withLock { listeners in
            defer { listeners = [] }
            return listeners
        }
        for listener in open.map(\.listener) { await listener.loop.perform { listener.value.stop() } }
        for context in contexts { await context.loop.perform { context.value.beginDrain() } }
        let deadline = Instant.now() + .seconds(seconds)
        while .now() < deadline {
            if await total({ $0.activeCallCount }) == 0 { break }
            await pause(.milliseconds(5))
        }
        for context in contexts { await context.loop.perform { context.value.endDrain() } }
        // Peers that do not read get what `closeAfterFlush` gives them, and a moment.
        let last = Instant.now() + ServerConnection.closingPatience + .milliseconds(500)
        while .now() < last {
            if await total({ $0.connectionCount }) == 0 { return }
            await pause(.milliseconds(2))
        }
        for context in contexts { await context.loop.perform { context.value.closeAll() } }
    }

    private func total(_ count: @escaping @Sendable (ServerLoop) -> Int) async -> Int {
        var sum = 0
        for context in contexts { sum += await context.loop.perform { count(context.value) } }
        return sum
    }

    private func pause(_ amount: TimeAmount) async {
        let loop = loops[0]
        await withCheckedContinuation { continuation in
            loop.execute {
                loop.schedule(LoopTimer { continuation.resume() }, after: amount)
            }
        }
    }
}
