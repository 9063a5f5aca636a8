internal import JSON

/// An entry of `routes`: a named group of models.
public struct RouteConfiguration: Sendable, Equatable {
    /// Maximum number of models in a route, and in a request with all its fallbacks.
    public static let maximumTargets = 64

    /// How the target of a call is chosen.
    public enum Strategy: String, Sendable, CaseIterable {
        /// The first that works, in the order of the file.
        case fallback
        /// At random by weight, then the others.
        case weighted
        /// One after the other, then the others.
        case roundRobin = "round_robin"
    }

    /// A model of a route.
    public struct Target: Sendable, Equatable {
        /// The model's name in the configuration; `default` is the `generation` section.
        public var model: String
        /// The share of calls with `.weighted`.
        public var weight: Int

        /// A target.
        public init(model: String, weight: Int = 1) {
            self.model = model
            self.weight = weight
        }
    }

    /// The route's name.
    public var name: String
    /// How the target of a call is chosen.
    public var strategy: Strategy
    /// The models: at least one, without duplicates. Some may be unconfigured.
    public var targets: [Target]

    /// A route.
    public init(name: String, strategy: Strategy = .fallback, targets: [Target]) {
        self.name = name
        self.strategy = strategy
        self.targets = targets
    }
}

extension RouteConfiguration: Keyed {
    static let standard = RouteConfiguration(name: "", targets: [])

    static let keys: [Key<RouteConfiguration>] = [
        Key(
            "strategy", \.strategy, .choice,
            "How the first target is chosen; the others are fallbacks. `weighted` picks at random by weight."),
        // Read by `ConfigurationReader`, which knows the models.
        Key(targets, read: { _, _ in true }, isSame: { $0.targets == $1.targets }),
    ]

    static let targets = KeyInfo(
        name: "targets",
        form: ValueForm(
            name: "list of model names or of `{model: NAME, weight: N}`", range: "1 to \(maximumTargets) models",
            schema: [
                "type": "array", "minItems": 1, "maxItems": .int(maximumTargets),
                "items": ["anyOf": [.definition("text"), .map(of: Target.keys.map(\.info))]],
            ]),
        isRequired: true, doc: "The models, without duplicates; `default` is the `generation` section.")
}

extension RouteConfiguration.Target: Keyed {
    static let standard = RouteConfiguration.Target(model: "")

    static let keys: [Key<RouteConfiguration.Target>] = [
        Key("model", \.model, .text, isRequired: true, "The name of a model."),
        Key("weight", \.weight, .integer(in: 1...1_000_000), "Relative share of calls with `weighted`."),
    ]
}
