public import Config
public import EventLoop
public import Generation
public import HTTPClient
internal import Providers

/// What all loops of a process share: the configured models, their credentials, and what was used.
public final class Gateway: Sendable {
    private struct State {
        var catalog: Catalog
        /// Earlier ones: their calls may still be in progress and want tokens.
        var retired: [Catalog] = []
        /// Where tokens are fetched.
        var home: LoopBound<HTTPClient>?
    }

    /// How long a replaced catalog keeps its tokens fresh: as long as a call may take by default.
    private static let retirementNanoseconds: UInt64 = 600_000_000_000

    private let state: Locked<State>
    /// What was used since the start.
    public let ledger = UsageLedger()

    /// A gateway over one configuration.
    /// - Throws: `GenerationError` where a model cannot be built.
    public init(_ configuration: Configuration) throws(GenerationError) {
        state = Locked(State(catalog: try Catalog(configuration)))
    }

    /// The models and routes as configured now.
    public var catalog: Catalog { state.withLock { $0.catalog } }

    /// Takes over another configuration's models and routes; calls in progress end with the old ones.
    /// - Throws: `GenerationError` where a model cannot be built; the old ones stay then.
    public func reload(_ configuration: Configuration) throws(GenerationError) {
        let catalog = try Catalog(configuration)
        let (home, replaced) = state.withLock { state in
            let replaced = state.catalog
            state.retired.append(replaced)
            state.catalog = catalog
            return (state.home, replaced)
        }
        guard let home else { return }
        home.loop.execute { [weak self] in
            catalog.credentials.attach(loop: home.loop, client: home.value)
            let timer = LoopTimer { self?.forget(replaced) }
            home.loop.schedule(timer, afterNanoseconds: Self.retirementNanoseconds)
        }
    }

    private func forget(_ catalog: Catalog) {
        let wasThere = state.withLock { state in
            defer { state.retired.removeAll { $0 === catalog } }
            return state.retired.contains { $0 === catalog }
        }
        if wasThere { catalog.credentials.detach() }
    }

    /// Begins to fetch tokens with `client` on `loop`, which must be the current one.
    public func attach(loop: EventLoop, client: HTTPClient) {
        let catalog = state.withLock { state in
            state.home = LoopBound(client, on: loop)
            return state.catalog
        }
        catalog.credentials.attach(loop: loop, client: client)
    }

    /// Ends what `attach` began: on the same loop, before its client is shut down.
    public func detach() {
        let catalogs = state.withLock { state in
            state.home = nil
            defer { state.retired = [] }
            return state.retired + [state.catalog]
        }
        for catalog in catalogs { catalog.credentials.detach() }
    }
}
