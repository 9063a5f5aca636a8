package import Config
package import EventLoop
package import Generation
package import HTTPClient
package import Providers

/// The one door to the models, whoever asks, and what all loops of a process share behind it: the configured models,
/// their credentials, and those who watch the calls.
public final class Gateway: Sendable {
    private struct State {
        var catalog: Catalog
        /// The stages of every call.
        var entry: any Answerer
        /// Where tokens are fetched.
        var home: LoopBound<HTTPClient>?
        var loopCount = 0
    }

    private let state: Locked<State>
    private let plan = Plan()
    private let observers: [any ObserverSource]
    /// What was used since the start.
    package let ledger = UsageLedger()

    /// A gateway over one configuration.
    /// - Parameter observers: see every call end, besides the ledger.
    /// - Throws: `GenerationError` where a model cannot be built.
    package init(_ configuration: Configuration, observers: [any ObserverSource] = []) throws(GenerationError) {
        let catalog = try Catalog(configuration, stack: plan.stack)
        state = Locked(State(catalog: catalog, entry: plan.entry(to: catalog)))
        self.observers = [ledger] + observers
    }

    /// The models and routes as configured now.
    package var catalog: Catalog { state.withLock { $0.catalog } }

    /// Builds every model of a configuration, and drops them again.
    /// - Throws: `GenerationError` where a model cannot be built.
    package static func check(_ configuration: Configuration) throws(GenerationError) {
        _ = try Catalog(configuration, stack: Plan().stack)
    }

    /// Answers `job`: the way of every request, from a socket or from this process. Calls in progress end with the
    /// configuration that they began with.
    /// - Returns: the source of the answer, for the caller to hold and to start.
    package func answer(_ job: Job, into sink: any AnswerSink) -> AnswerRun {
        AnswerRun(job, through: state.withLock { $0.entry }, into: sink)
    }

    /// Makes what calls on one loop share. Must be called on that loop.
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

    /// Takes over another configuration's models and routes; calls in progress end with the old ones. Credentials that
    /// are the same in both stay as they are.
    /// - Throws: `GenerationError` where a model cannot be built; the old ones stay then.
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

    /// Begins to fetch tokens with `client` on `loop`, which must be the current one.
    package func attach(loop: EventLoop, client: HTTPClient) {
        let catalog = state.withLock { state in
            state.home = LoopBound(client, on: loop)
            return state.catalog
        }
        catalog.credentials.attach(loop: loop, client: client)
    }

    /// Ends what `attach` began: on the same loop, before its client is shut down.
    package func detach() {
        let catalog = state.withLock { state in
            state.home = nil
            return state.catalog
        }
        catalog.credentials.detach()
    }
}
