/// The `server` section: where the daemon listens and how it ends.
public struct ServerConfiguration: Sendable {
    /// The addresses, `unix:PATH` or `tcp:HOST:PORT`, in the order of the file; empty where the file names none.
    public var listen: [String] = []
    /// Where the file names each of `listen`, for errors about it.
    package var listenPlaces: [(line: Int, key: String)] = []
    /// The address of the admin HTTP page, `HOST:PORT`; `nil` for none.
    public var admin: String?
    /// How many event loops run; `nil` for one a core.
    public var loops: Int?
    /// How long a drain lets live calls finish, in seconds.
    public var drainTimeout: Double = 30
    /// The tokens of callers over TCP, by their names; empty where none is asked for. Never empty where an address is
    /// reachable from other machines.
    public var tokens: [(name: String, token: Secret)] = []
    /// Users who may call over Unix sockets; `nil` for the daemon's own. The superuser always may.
    public var allowedUsers: [UInt32]?
    /// Groups whose members may call over Unix sockets.
    public var allowedGroups: [UInt32] = []
    /// Whether the `model_name` of a caller's `provider/model_name` may be a path to another project, such as
    /// `vertex/projects/…/endpoints/…`: it is called with the configured credential.
    public var allowModelPaths = false

    /// The defaults.
    public init() {}
}

/// The `limits` section: what one caller may take. `LimitKey` has the ranges and defaults.
public struct LimitsConfiguration: Sendable, Equatable {
    /// The most connections of callers at a time.
    public var maxConnections: Int = LimitKey.maxConnections.standard
    /// The most calls at a time on one connection.
    public var maxStreamsPerConnection: Int = LimitKey.maxStreamsPerConnection.standard
    /// The largest message, in bytes; at most ttrpc's own 4 MiB.
    public var maxMessageBytes: Int = LimitKey.maxMessageBytes.standard
    /// The most bytes that wait for a slow reader on one connection.
    public var maxBufferedBytesPerConnection: Int = LimitKey.maxBufferedBytesPerConnection.standard
    /// The most bytes of memory that requests in progress on one connection may hold, values and vendors' bodies.
    public var maxRequestBytesPerConnection: Int = LimitKey.maxRequestBytesPerConnection.standard
    /// The most bytes of memory that requests in progress on all connections may hold.
    public var maxRequestBytes: Int = LimitKey.maxRequestBytes.standard
    /// The most bytes that wait for slow readers on all connections.
    public var maxBufferedBytes: Int = LimitKey.maxBufferedBytes.standard

    /// The defaults.
    public init() {}
}

/// A `timeouts` map: how long each phase of an upstream call may take, in seconds.
public struct TimeoutsConfiguration: Sendable, Equatable {
    /// Making the connection, TLS included.
    public var connect: Double = 5
    /// From the request to the first byte of the answer's content.
    public var firstToken: Double = 60
    /// Silence between two pieces.
    public var idle: Double = 60
    /// The call as a whole.
    public var total: Double = 600

    /// The defaults.
    public init() {}
}

/// A `retry` map: how a failed attempt is repeated.
public struct RetryConfiguration: Sendable, Equatable {
    /// How many attempts at most, the first included; 1 means no retry.
    public var maxAttempts = 3
    /// The pause before the second attempt, in seconds, at most `maxBackoff`; it doubles each time.
    public var initialBackoff = 0.5
    /// The longest pause, in seconds.
    public var maxBackoff: Double = 8
    /// The longest `Retry-After` that is waited for, in seconds; a longer one ends the attempts.
    public var maxRetryAfter: Double = 60

    /// The defaults.
    public init() {}
}

/// The `tls` section: how upstream servers are verified.
public struct TLSConfiguration: Sendable, Equatable {
    /// A PEM file of trusted authorities; `nil` for the system's.
    public var caFile: String?
    /// Trusts every certificate. For tests only.
    public var insecureSkipVerify = false

    /// The defaults.
    public init() {}
}

/// The `log` section.
public struct LogConfiguration: Sendable, Equatable {
    /// The levels, the most talkative first.
    public enum Level: String, Sendable, CaseIterable {
        /// Everything.
        case trace
        /// Details, for those who look for a fault.
        case debug
        /// Start, stop, changes, and one line per call.
        case info
        /// What is worth a look.
        case notice
        /// What went wrong and was handled.
        case warning
        /// What failed.
        case error
        /// What stops the service.
        case critical
    }

    /// How a line looks.
    public enum Format: String, Sendable, CaseIterable {
        /// For people.
        case text
        /// One JSON object a line.
        case json
    }

    /// What is logged at least.
    public var level = Level.info
    /// How a line looks.
    public var format = Format.text

    /// The defaults.
    public init() {}
}

/// An entry of `routes`: a name that stands for several models.
public struct RouteConfiguration: Sendable, Equatable {
    /// The most models of one route, and of one request with all its fallbacks.
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
    /// The models; at least one, none twice. Some may be without their variables of the environment.
    public var targets: [Target]

    /// A route.
    public init(name: String, strategy: Strategy = .fallback, targets: [Target]) {
        self.name = name
        self.strategy = strategy
        self.targets = targets
    }
}

/// An entry of `generators`: how a question over documents becomes a prompt.
public struct GeneratorConfiguration: Sendable, Equatable {
    /// The generator's name.
    public var name: String
    /// The model or route that answers; `default` is the `generation` section.
    public var model: String
    /// The prompt with `{context}`, `{history}` and `{query}` in it; `nil` for the built-in one.
    public var template: String?
    /// How many tokens of documents fit at most; `nil` for the built-in number.
    public var maxContextTokens: Int?
    /// The system message; `nil` for none.
    public var system: String?

    /// A generator.
    public init(name: String, model: String = Configuration.defaultModelName) {
        self.name = name
        self.model = model
    }
}
