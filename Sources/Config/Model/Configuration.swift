public import Limits

/// Everything that the daemon reads from its `config.yaml`, checked and with all defaults filled in.
public struct Configuration: Sendable {
    /// How a route chooses its first target.
    public typealias RouteStrategy = RouteConfiguration.Strategy

    /// The name of the model in the `generation` section.
    public static let defaultModelName = "default"

    /// Where the daemon listens.
    public var server = ServerConfiguration()
    /// The models, `default` from the `generation` section first, then in the order of the file. Those with an
    /// `unconfiguredReason` must not be used.
    public var allModels: [ModelConfiguration] = []
    /// The routes in the order of the file. Each target is the name of one of `allModels`.
    public var routes: [RouteConfiguration] = []
    /// The credentials by name.
    public var auth: [String: AuthConfiguration] = [:]
    /// The generators by name.
    public var generators: [String: GeneratorConfiguration] = [:]
    /// Resource limits on callers.
    public var limits = LimitsConfiguration()
    /// The timeouts of models that have none of their own.
    public var timeouts = TimeoutsConfiguration()
    /// The retry rules of models that have none of their own.
    public var retry = RetryConfiguration()
    /// How upstream servers are verified.
    public var tls = TLSConfiguration()
    /// What is known of models.
    public var catalogue = CatalogueConfiguration()
    /// What is logged.
    public var log = LogConfiguration()

    /// The defaults, without any model.
    public init() {}

    /// The usable models by name. Built at each access.
    public var models: [String: ModelConfiguration] {
        let usable = allModels.filter { $0.unconfiguredReason == nil }
        return Dictionary(usable.map { ($0.name, $0) }, uniquingKeysWith: { first, _ in first })
    }

    /// The `generation` section; `nil` if it is absent or unconfigured.
    public var generation: ModelConfiguration? {
        allModels.first { $0.name == Self.defaultModelName && $0.unconfiguredReason == nil }
    }

    /// A model that the file does not name. Address, credential, timeouts and retry rules are those of the provider's
    /// first usable model in the file, else the file's own and the provider's defaults.
    public func dynamicModel(name: String, provider: String, modelName: String) -> ModelConfiguration {
        let relative = allModels.first { $0.provider == provider && $0.unconfiguredReason == nil }
        var model = ModelConfiguration(name: name, provider: provider, modelName: modelName)
        guard let relative else {
            model.timeouts = timeouts
            model.retry = retry
            model.caFile = tls.caFile
            return model
        }
        model.copyConnection(from: relative)
        return model
    }

    /// Reads and checks a file. This may block: it reads files and runs commands that secrets come from.
    /// - Parameters:
    ///   - path: the file, relative to the working directory; errors name it like this.
    ///   - environment: what `${NAME}` refers to, and what programs for secrets run with.
    ///   - knownProviders: the available providers and the keys that each supports.
    ///   - commands: ends the programs for secrets before their time; their secrets are then mistakes.
    /// - Throws: all mistakes of the file, or why it could not be read.
    public static func load(
        path: String, environment: [String: String], knownProviders: [ProviderKeys],
        commands: CommandScope = CommandScope()
    ) throws(ConfigErrors) -> Configuration {
        let bytes: [UInt8]
        do {
            bytes = try FileContents.read(path, limit: YAMLReader.maximumSize, onlyRegular: false)
        } catch {
            let message = "the file \(error.reason)"
            throw ConfigErrors([ConfigError(file: path, line: 0, key: "", message: message)])
        }
        return try parse(
            bytes, file: path, environment: environment, knownProviders: knownProviders, commands: commands)
    }

    /// Reads and checks the text of a file; see `load`.
    /// - Parameters:
    ///   - text: UTF-8 YAML, with or without a byte order mark.
    ///   - file: the name that errors give.
    ///   - environment: what `${NAME}` refers to, and what programs for secrets run with.
    ///   - knownProviders: the available providers and the keys that each supports.
    ///   - commands: see `load`.
    /// - Throws: all mistakes of the text.
    public static func parse(
        _ text: [UInt8], file: String, environment: [String: String], knownProviders: [ProviderKeys],
        commands: CommandScope = CommandScope()
    ) throws(ConfigErrors) -> Configuration {
        let tree: (root: ConfigNode?, mistakes: [ConfigError])
        do {
            tree = try YAMLReader.read(text, file: file)
        } catch {
            throw ConfigErrors([error])
        }
        let reading = Reading(
            file: file, environment: environment, knownProviders: knownProviders, commands: commands)
        let root = tree.root ?? ConfigNode(.mapping([]), line: 1, column: 1)
        let cursor = Cursor(node: root, path: "", reading: reading)
        let configuration = ConfigurationReader(reading: reading).read(cursor)
        let errors = tree.mistakes + reading.problems.map(\.error)
        guard errors.isEmpty else { throw ConfigErrors(errors) }
        return configuration
    }
}

/// The sections of the file.
extension Configuration: Keyed {
    static let standard = Configuration()

    static let keys: [Key<Configuration>] = [serverSection] + plainSections + [catalogueSection]

    static let serverSection = Key<Configuration>.section(
        "server", \.server, "Listen addresses, access control and shutdown.")
    /// Those that are plain values, which the summary lists.
    static let plainSections: [Key<Configuration>] = [
        .section("limits", \.limits, "Resource limits on callers."),
        .section("timeouts", \.timeouts, "Time limits for each phase of an upstream request."),
        .section("retry", \.retry, "How failed attempts are retried."),
        .section("tls", \.tls, "How upstream servers are verified."),
        .section("log", \.log, "Logging. Log lines go to standard error."),
    ]

    static let catalogueSection = Key<Configuration>.section(
        "catalogue", \.catalogue, "What is known of models.")

    /// The sections whose entries refer to each other; `ConfigurationReader` reads them.
    static let generation = KeyInfo(
        name: "generation", form: .oneModel, doc: "The default model, used by requests that name no model.")
    static let modelEntries = KeyInfo(
        name: "models", form: .named(.definition("model")), doc: "Additional models, by name.")
    static let routeEntries = KeyInfo(
        name: "routes",
        form: .named(.map(of: RouteConfiguration.keys.map(\.info)), RouteConfiguration.keys.map(\.info)),
        doc: "Named groups of models. If a model fails before its first content, the next one is tried.")
    static let authEntries = KeyInfo(
        name: "auth", form: .named(.definition("auth")), doc: "Credentials that models refer to by `auth: NAME`.")
    static let generatorEntries = KeyInfo(
        name: "generators",
        form: .named(.map(of: GeneratorConfiguration.keys.map(\.info)), GeneratorConfiguration.keys.map(\.info)),
        doc: "Prompts for questions about documents.")

    /// All sections, in the order of the reference.
    static let sections: [KeyInfo] =
        [serverSection.info, generation, modelEntries, routeEntries, authEntries, generatorEntries]
        + plainSections.map(\.info) + [catalogueSection.info]
}
