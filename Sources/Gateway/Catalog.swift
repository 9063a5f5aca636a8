package import Config
internal import EventLoop
package import Generation
package import Providers
internal import Synchronization

/// The configured models and routes, by name. Immutable; a reload replaces it. Safe from any thread.
package final class Catalog: Sendable {
    /// A model with its stages.
    package struct Target: Sendable {
        /// The model that answers.
        package let model: ConfiguredModel
        let answerer: any Answerer
    }

    /// A name for several models.
    package struct Route: Sendable {
        /// The route's name in the configuration.
        package let name: String
        /// How the first target is chosen; the others are its fallbacks.
        package let strategy: Configuration.RouteStrategy
        /// The usable models of the route, in the configuration's order.
        package var models: [ConfiguredModel] { targets.map(\.target.model) }
        fileprivate let targets: [(target: Target, weight: Int)]
        fileprivate let turn = TurnCounter()
    }

    /// The name of the model that the `generation` section configures.
    package static let defaultName = "default"
    /// Capacity of the cache of `provider/model_name` models; it is cleared when full.
    private static let dynamicCapacity = 256

    /// The configured models, in the configuration's order.
    package let models: [ConfiguredModel]
    /// The configured routes.
    package let routes: [Route]
    /// Models with `optional: true` that cannot be used, for example without a credential, and the reason.
    package let unconfigured: [(name: String, provider: String, reason: String)]
    private let byName: [String: Target]
    private let routesByName: [String: Route]
    private let defaults: Configuration
    /// What is known of models.
    package let catalogue: Catalogue
    /// The credentials of the models.
    package let credentials: CredentialStore
    private let dynamic = Locked<[String: Target]>([:])
    private let stack: @Sendable (ConfiguredModel) -> any Answerer

    /// Builds every model of `configuration`.
    /// - Parameters:
    ///   - previous: credentials of the previous configuration, kept if unchanged.
    ///   - stack: makes the stages of a model.
    /// - Throws: the `GenerationError` of the first model that cannot be built.
    init(
        _ configuration: Configuration, carryingOver previous: CredentialStore? = nil,
        stack: @escaping @Sendable (ConfiguredModel) -> any Answerer
    ) throws(GenerationError) {
        self.stack = stack
        let credentials = CredentialStore(configuration, carryingOver: previous)
        self.credentials = credentials
        let catalogue = try Self.catalogue(of: configuration)
        self.catalogue = catalogue
        var models: [ConfiguredModel] = []
        var unconfigured: [(name: String, provider: String, reason: String)] = []
        for model in configuration.allModels {
            if let reason = model.unconfiguredReason {
                unconfigured.append((model.name, model.provider, reason))
                continue
            }
            do {
                models.append(try ConfiguredModel(model, credentials: credentials, catalogue: catalogue))
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

    private static func catalogue(of configuration: Configuration) throws(GenerationError) -> Catalogue {
        do throws(CatalogueError) {
            return try Catalogue(folder: Catalogue.folder, files: configuration.catalogue.files)
        } catch {
            throw GenerationError(.invalidRequest, "catalogue: \(error)")
        }
    }

    /// Returns the targets to try, in order: those of `name`, then those of `fallbacks`.
    /// - Parameter name: a model, a route or `provider/model_name`; empty for the default model.
    /// - Throws: `UNKNOWN_MODEL`, which lists the configured names; `INVALID_REQUEST` for too many fallbacks;
    ///   `AUTHENTICATION` for an unusable model; `PERMISSION` for a path that callers may not name.
    package func resolve(_ name: String, fallbacks: [String] = []) throws(GenerationError) -> [Target] {
        guard fallbacks.count <= GenerationOptions.maximumFallbacks else {
            throw GenerationError(
                .invalidRequest,
                "options.fallbacks has \(fallbacks.count) entries; "
                    + "at most \(GenerationOptions.maximumFallbacks) are allowed")
        }
        var targets = try resolveOne(name.isEmpty ? Self.defaultName : name)
        for fallback in fallbacks {
            targets += try resolveOne(fallback)
            guard targets.count <= RouteConfiguration.maximumTargets else {
                throw GenerationError(
                    .invalidRequest,
                    "model and options.fallbacks resolve to more than \(RouteConfiguration.maximumTargets) models")
            }
        }
        return targets
    }

    private func resolveOne(_ name: String) throws(GenerationError) -> [Target] {
        if let target = byName[name] { return [target] }
        if let route = routesByName[name] {
            let order = route.order()
            guard !order.isEmpty else {
                throw GenerationError(.unknownModel, "route '\(name)' has no usable model")
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
            throw GenerationError(.authentication, "model '\(name)' is not usable: \(reason)")
        }
        let known = (models.map(\.name) + routes.map(\.name)).joined(separator: ", ")
        if name == Self.defaultName {
            throw GenerationError(
                .unknownModel, "no default model: add a 'generation' section or use one of: \(known)")
        }
        throw GenerationError(
            .unknownModel,
            "unknown model or route '\(String(name.prefix(100)))'; use one of: \(known), or provider/model_name")
    }

    /// Returns the target of a model that is not configured. Its address and credential are those of the provider's
    /// first configured model or, if there is none, the provider's defaults.
    private func dynamicModel(
        _ name: String, provider: String, modelName: String
    ) throws(GenerationError) -> Target {
        if let known = dynamic.withLock({ $0[name] }) { return known }
        guard !modelName.isEmpty, modelName.utf8.count <= 256 else {
            throw GenerationError(
                .unknownModel, "'\(String(name.prefix(100)))': the model name after the slash must have 1 to 256 bytes")
        }
        let mayAsk = ProviderRegistry.provider(named: provider)?.mayBeAskedFor(modelName) ?? false
        guard mayAsk || defaults.server.allowModelPaths else {
            throw GenerationError(
                .permission,
                "'\(String(name.prefix(100)))' is a path to another project: configure it under 'models' "
                    + "or set 'server.allow_model_paths'")
        }
        let model = try ConfiguredModel(
            defaults.dynamicModel(name: name, provider: provider, modelName: modelName), credentials: credentials,
            catalogue: catalogue, isConfigured: false)
        let made = Target(model: model, answerer: stack(model))
        dynamic.withLock { targets in
            if targets.count >= Self.dynamicCapacity { targets.removeAll() }
            targets[name] = made
        }
        return made
    }
}

extension Catalog.Route {
    /// Returns the targets in the order in which to try them.
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

/// The counter of a round-robin route, shared by all loops.
private final class TurnCounter: Sendable {
    private let value = Atomic<Int>(0)

    func next() -> Int { value.wrappingAdd(1, ordering: .relaxed).oldValue & Int.max }
}
