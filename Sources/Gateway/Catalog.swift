package import Config
internal import EventLoop
package import Generation
package import Providers
internal import Synchronization

/// What is configured, by name: models and the routes over them. Replaced as a whole when the configuration changes.
package final class Catalog: Sendable {
    /// A model, and the stages through which it is asked.
    package struct Target: Sendable {
        /// The model.
        package let model: ConfiguredModel
        let answerer: any Answerer
    }

    /// A name that stands for several models.
    package struct Route: Sendable {
        /// Its name in the configuration.
        package let name: String
        /// How the first target is chosen; the others follow as fallbacks.
        package let strategy: Configuration.RouteStrategy
        /// The models.
        package var models: [ConfiguredModel] { targets.map(\.target.model) }
        fileprivate let targets: [(target: Target, weight: Int)]
        fileprivate let turn = TurnCounter()
    }

    /// The name of the model that the `generation` section configures.
    package static let defaultName = "default"
    /// How many `provider/model_name` models are remembered.
    private static let dynamicCapacity = 256

    /// The configured models, in the configuration's order.
    package let models: [ConfiguredModel]
    /// The routes.
    package let routes: [Route]
    /// Models that are configured but cannot be used, and why (`optional: true` without a credential).
    package let unconfigured: [(name: String, provider: String, reason: String)]
    private let byName: [String: Target]
    private let routesByName: [String: Route]
    private let defaults: Configuration
    /// The credentials of all models.
    package let credentials: CredentialStore
    private let dynamic = Locked<[String: Target]>([:])
    private let stack: @Sendable (ConfiguredModel) -> any Answerer

    /// Builds every model that `configuration` names.
    /// - Parameters:
    ///   - previous: the credentials to take over where they are the same.
    ///   - stack: makes the stages of a model.
    /// - Throws: the first model's `GenerationError` that cannot be built.
    init(
        _ configuration: Configuration, carryingOver previous: CredentialStore? = nil,
        stack: @escaping @Sendable (ConfiguredModel) -> any Answerer
    ) throws(GenerationError) {
        self.stack = stack
        let credentials = CredentialStore(configuration, carryingOver: previous)
        self.credentials = credentials
        var models: [ConfiguredModel] = []
        var unconfigured: [(name: String, provider: String, reason: String)] = []
        for model in configuration.allModels {
            if let reason = model.unconfiguredReason {
                unconfigured.append((model.name, model.provider, reason))
                continue
            }
            do {
                models.append(try ConfiguredModel(model, credentials: credentials))
            } catch {
                guard model.isOptional else { throw error }
                unconfigured.append((model.name, model.provider, error.message))
            }
        }
        self.models = models
        self.unconfigured = unconfigured
        let byName = Dictionary(
            models.map { ($0.name, Target(model: $0, answerer: stack($0))) }, uniquingKeysWith: { first, _ in first })
        self.byName = byName
        routes = configuration.routes.map { route in
            Route(
                name: route.name, strategy: route.strategy,
                targets: route.targets.compactMap { target in
                    byName[target.model].map { (target: $0, weight: target.weight) }
                })
        }
        routesByName = Dictionary(routes.map { ($0.name, $0) }, uniquingKeysWith: { first, _ in first })
        defaults = configuration
    }

    /// The models to try for a request's `model`, in order.
    /// - Throws: `UNKNOWN_MODEL` that lists what there is, `INVALID_REQUEST` for too many fallbacks.
    package func resolve(_ name: String, fallbacks: [String] = []) throws(GenerationError) -> [Target] {
        guard fallbacks.count <= GenerationOptions.maximumFallbacks else {
            throw GenerationError(
                .invalidRequest,
                "options.fallbacks has \(fallbacks.count) entries; at most \(GenerationOptions.maximumFallbacks) are allowed"
            )
        }
        var targets = try resolveOne(name.isEmpty ? Self.defaultName : name)
        for fallback in fallbacks {
            targets += try resolveOne(fallback)
            guard targets.count <= RouteConfiguration.maximumTargets else {
                throw GenerationError(
                    .invalidRequest,
                    "model and options.fallbacks come to more than \(RouteConfiguration.maximumTargets) models; name fewer routes"
                )
            }
        }
        return targets
    }

    private func resolveOne(_ name: String) throws(GenerationError) -> [Target] {
        if let target = byName[name] { return [target] }
        if let route = routesByName[name] {
            let order = route.order()
            guard !order.isEmpty else {
                throw GenerationError(.unknownModel, "the route '\(name)' has no usable model")
            }
            return order
        }
        if let slash = name.firstIndex(of: "/"),
            ProviderRegistry.provider(named: String(name[..<slash])) != nil
        {
            return [
                try dynamicModel(
                    name, provider: String(name[..<slash]), modelName: String(name[name.index(after: slash)...]))
            ]
        }
        if let reason = unconfigured.first(where: { $0.name == name })?.reason {
            throw GenerationError(.authentication, "the model '\(name)' is not usable: \(reason)")
        }
        let known = (models.map(\.name) + routes.map(\.name)).joined(separator: ", ")
        if name == Self.defaultName {
            throw GenerationError(
                .unknownModel, "no default model: add a 'generation' section, or name one of: \(known)")
        }
        throw GenerationError(
            .unknownModel,
            "no model or route '\(String(name.prefix(100)))'; configured are: \(known). provider/model_name works too")
    }

    /// The target of a model that nobody configured: the address and credential are those of the provider's first configured model,
    /// else the provider's defaults.
    private func dynamicModel(
        _ name: String, provider: String, modelName: String
    ) throws(GenerationError) -> Target {
        if let known = dynamic.withLock({ $0[name] }) { return known }
        guard !modelName.isEmpty, modelName.utf8.count <= 256 else {
            throw GenerationError(
                .unknownModel, "'\(String(name.prefix(100)))': a model name is missing after the slash")
        }
        let mayAsk = ProviderRegistry.provider(named: provider)?.mayBeAskedFor(modelName) ?? false
        guard mayAsk || defaults.server.allowModelPaths else {
            throw GenerationError(
                .permission,
                "'\(String(name.prefix(100)))' names a project, and callers name models only: configure it under "
                    + "'models', or set 'server.allow_model_paths'")
        }
        let model = try ConfiguredModel(
            defaults.dynamicModel(name: name, provider: provider, modelName: modelName), credentials: credentials,
            isConfigured: false)
        let made = Target(model: model, answerer: stack(model))
        dynamic.withLock { targets in
            if targets.count >= Self.dynamicCapacity { targets.removeAll() }
            targets[name] = made
        }
        return made
    }
}

extension Catalog.Route {
    /// The targets in the order in which they are tried.
    fileprivate func order() -> [Catalog.Target] {
        guard targets.count > 1 else { return targets.map(\.target) }
        var first = 0
        switch strategy {
        case .fallback: break
        case .roundRobin: first = turn.next() % targets.count
        case .weighted:
            var draw = Int.random(in: 0..<max(1, targets.reduce(0) { $0 + $1.weight }))
            for (index, target) in targets.enumerated() {
                draw -= target.weight
                if draw < 0 {
                    first = index
                    break
                }
            }
        }
        return (0..<targets.count).map { targets[(first + $0) % targets.count].target }
    }
}

/// Counts the turns of a round-robin route over all loops.
private final class TurnCounter: Sendable {
    private let value = Atomic<Int>(0)

    func next() -> Int { value.wrappingAdd(1, ordering: .relaxed).oldValue & Int.max }
}
