package import Config
package import EventLoop
package import Generation
package import HTTPClient
package import Providers

/// The entry point for all requests, from sockets and from this process. Owns the state that all loops share: the
/// configured models, their credentials, and the observers of calls. Safe from any thread.
package final class Gateway: Sendable {
    private struct State {
        var catalog: Catalog
        /// The outermost stage, shared by all calls.
        var entry: any Answerer
        /// The client that fetches tokens, with its loop.
        var home: LoopBound<HTTPClient>?
        var loopCount = 0
    }

    private let state: Locked<State>
    private let plan = Plan()
    private let observers: [any ObserverSource]
    /// Usage since the gateway was created.
    package let ledger = UsageLedger()

    /// Creates a gateway for one configuration.
    /// - Parameter observers: observers in addition to the ledger; called in this order.
    /// - Throws: `GenerationError` if a model cannot be built.
    package init(_ configuration: Configuration, observers: [any ObserverSource] = []) throws(GenerationError) {
        let catalog = try Catalog(configuration, stack: plan.stack)
        state = Locked(State(catalog: catalog, entry: plan.entry(to: catalog)))
        self.observers = [ledger] + observers
    }

    /// The models and routes of the current configuration.
    package var catalog: Catalog { state.withLock { $0.catalog } }

    /// Checks that every model of a configuration can be built.
    /// - Parameter today: the day for which retirements are judged.
    /// - Returns: what is worth a warning: models that are retired, retire soon, or are unknown.
    /// - Throws: `GenerationError` if a model cannot be built.
    package static func check(_ configuration: Configuration, today: Day = .today) throws(GenerationError) -> [String] {
        let catalogue = try Catalog(configuration, stack: Plan().stack).catalogue
        return configuration.allModels.compactMap { ConfiguredModel.notice(of: $0, in: catalogue, today: today) }
    }

    /// Prepares the response to `job`. A call keeps the configuration that it started with, also after a reload.
    /// Called on the job's loop.
    /// - Returns: the source of the response. The caller must hold it and call `start`.
    package func answer(_ job: Job, into sink: any AnswerSink) -> AnswerRun {
        AnswerRun(job, through: state.withLock { $0.entry }, into: sink)
    }

    /// Creates the gateway state of one loop. Must be called on that loop.
    package func join(_ context: ProviderContext) -> GatewayLoop {
        context.loop.preconditionOnLoop()
        let number = state.withLock { state in
            state.loopCount += 1
            return state.loopCount
        }
        return GatewayLoop(
            number: number, upstream: context, scheduler: context.loop,
            observers: observers.compactMap { $0.observer(on: context.loop) })
    }

    /// Replaces the models and routes with those of another configuration. Calls in progress keep the old ones, and
    /// unchanged credentials keep their tokens.
    /// - Throws: `GenerationError` if a model cannot be built; nothing changes in this case.
    package func reload(_ configuration: Configuration) throws(GenerationError) {
        let catalog = try Catalog(configuration, carryingOver: self.catalog.credentials, stack: plan.stack)
        let entry = plan.entry(to: catalog)
        let home = state.withLock { state in
            state.catalog.credentials.retire(for: catalog.credentials)
            state.catalog = catalog
            state.entry = entry
            return state.home
        }
        guard let home else { return }
        home.loop.execute { catalog.credentials.attach(loop: home.loop, client: home.value) }
    }

    /// Starts fetching tokens with `client`. Must be called on `loop`.
    package func attach(loop: EventLoop, client: HTTPClient) {
        let catalog = state.withLock { state in
            state.home = LoopBound(client, on: loop)
            return state.catalog
        }
        catalog.credentials.attach(loop: loop, client: client)
    }

    /// Stops fetching tokens. Must be called on the loop passed to `attach`, before its client is shut down.
    package func detach() {
        let catalog = state.withLock { state in
            state.home = nil
            return state.catalog
        }
        catalog.credentials.detach()
    }
}
