public import Config
internal import EventLoop
public import Generation

/// What all loops of a process share: the configured models, and what was used.
public final class Gateway: Sendable {
    private let current: Locked<Catalog>
    /// What was used since the start.
    public let ledger = UsageLedger()

    /// A gateway over one configuration.
    /// - Throws: `GenerationError` where a model cannot be built.
    public init(_ configuration: Configuration) throws(GenerationError) {
        current = Locked(try Catalog(configuration))
    }

    /// The models and routes as configured now.
    public var catalog: Catalog { current.withLock { $0 } }

    /// Takes over another configuration's models and routes; calls in progress end with the old ones.
    /// - Throws: `GenerationError` where a model cannot be built; the old ones stay then.
    public func reload(_ configuration: Configuration) throws(GenerationError) {
        let catalog = try Catalog(configuration)
        current.withLock { $0 = catalog }
    }
}
