package import EventLoop
internal import Glibc
package import Limits
internal import Synchronization

/// A ttrpc server with any number of listeners and loops.
///
/// The server assigns each new connection, with all its calls, to the loop that has the fewest connections.
package final class Server: Sendable {
    private let loops: [EventLoop]
    private let contexts: [LoopBound<ServerLoop>]
    private let core: ServerCore
    private struct OpenListener: Sendable {
        let listener: LoopBound<Listener>
        let address: Address
        let servesNetwork: Bool
    }

    private let listeners = Locked<[OpenListener]>([])

    /// The calls in progress, by caller and call id.
    package var registry: CallRegistry { core.registry }

    /// Creates a server without listeners.
    /// - Parameters:
    ///   - describe: converts a failure of the server itself to a status; `Failure.plainStatus` by default.
    package init(
        loops: [EventLoop], methods: [Method], limits: ServerLimits = ServerLimits(), registry: CallRegistry,
        policy: AccessPolicy = .sameUser, describe: @escaping @Sendable (Failure) -> Status = { $0.plainStatus }
    ) async {
        precondition(!loops.isEmpty, "a server needs at least one loop")
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

    /// Listens on `address` and serves. Returns the bound address, with the actual port if port 0 was requested.
    /// - Parameter warn: receives warnings for the administrator, for example that a Unix socket's file was removed.
    /// - Throws: an `AddressError` that explains how to fix the problem.
    package func listen(
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

    /// Checks whether a policy suits the addresses the server listens on.
    /// - Throws: `AddressError` if the policy has no tokens and other machines can reach one of the addresses.
    package func check(_ policy: AccessPolicy) throws(AddressError) {
        let open = listeners.withLock { $0.first { $0.servesNetwork } }
        if let open, policy.tokenName == nil {
            throw AddressError("\(open.address): other machines can reach this address, which requires server.tokens")
        }
    }

    /// Applies a new policy, which must have passed `check`: ends the connections and calls of callers that it does not
    /// admit, and adapts the file modes of the Unix sockets.
    package func adopt(_ policy: AccessPolicy) {
        core.adopt(policy)
        for context in contexts { context.loop.execute { context.value.policyChanged() } }
        for open in listeners.withLock({ $0 }) {
            open.listener.loop.execute { open.listener.value.serve(others: policy.admitsOthers) }
        }
    }

    /// Assigns a new connection to the loop with the fewest connections.
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

    /// The number of open connections of known callers.
    package var connectionCount: Int { core.known.count }
    /// Bytes held by requests in progress, including requests that are still being received.
    package var requestBytes: Int { core.budget.bytes }

    /// Stops listening, refuses new calls, waits at most `seconds` for the calls in progress, then cancels the rest
    /// and closes every connection. Returns when all connections are closed.
    package func drain(seconds: Double) async {
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
        // Peers that do not read get the time `closeAfterFlush` allows, plus a margin.
        let last = Instant.now() + ServerConnection.closingTimeout + .milliseconds(500)
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
