public import Config
public import EventLoop
public import Generation
public import HTTPClient
internal import Providers

/// What all loops of a process share: the configured models, their credentials, and what was used.
public final class Gateway: Sendable {
    private struct State {
        var catalog: Catalog
        /// Where tokens are fetched.
        var home: LoopBound<HTTPClient>?
    }

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

    /// Takes over another configuration's models and routes; calls in progress end with the old ones. Credentials that
    /// are the same in both stay as they are.
    /// - Throws: `GenerationError` where a model cannot be built; the old ones stay then.
    public func reload(_ configuration: Configuration) throws(GenerationError) {
        let catalog = try Catalog(configuration, carryingOver: self.catalog.credentials)
        let home = state.withLock { state in
            state.catalog.credentials.retire(for: catalog.credentials)
            state.catalog = catalog
            return state.home
        }
        guard let home else { return }
        home.loop.execute { catalog.credentials.attach(loop: home.loop, client: home.value) }
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
        let catalog = state.withLock { state in
            state.home = nil
            return state.catalog
        }
        catalog.credentials.detach()
    }
}
