/// What `Health` tells.
public struct HealthReport: Sendable, Equatable {
    /// One provider, as a deep check found it.
    public struct Provider: Sendable, Equatable {
        /// The provider.
        public var provider: String
        /// The configured model that was asked.
        public var model: String
        /// `healthy`, `failed` or `unconfigured`.
        public var status: String
        /// What is wrong; empty where nothing is.
        public var detail: String

        /// One provider's state.
        public init(provider: String, model: String, status: String, detail: String) {
            self.provider = provider
            self.model = model
            self.status = status
            self.detail = detail
        }
    }
    /// `serving`, `degraded` or `draining`.
    public var status: String
    /// The server's version.
    public var version: String
    /// Seconds since the server started.
    public var uptimeSeconds: Double
    /// Only from a deep check.
    public var providers: [Provider]

    /// A report.
    public init(status: String, version: String, uptimeSeconds: Double, providers: [Provider] = []) {
        self.status = status
        self.version = version
        self.uptimeSeconds = uptimeSeconds
        self.providers = providers
    }
}

/// What `ListModels` tells.
public struct ModelList: Sendable, Equatable {
    /// One configured model.
    public struct Model: Sendable, Equatable {
        /// The name to ask for.
        public var name: String
        /// Its provider.
        public var provider: String
        /// The vendor's name of it.
        public var modelName: String
        /// What it can do.
        public var capabilities: [String]
        /// Whether an empty name stands for it.
        public var isDefault: Bool

        /// One model.
        public init(name: String, provider: String, modelName: String, capabilities: [String], isDefault: Bool) {
            self.name = name
            self.provider = provider
            self.modelName = modelName
            self.capabilities = capabilities
            self.isDefault = isDefault
        }
    }
    /// One route.
    public struct Route: Sendable, Equatable {
        /// The name to ask for.
        public var name: String
        /// `fallback`, `weighted` or `round_robin`.
        public var strategy: String
        /// The models behind it.
        public var targets: [String]

        /// One route.
        public init(name: String, strategy: String, targets: [String]) {
            self.name = name
            self.strategy = strategy
            self.targets = targets
        }
    }
    /// One provider that this server speaks to.
    public struct Provider: Sendable, Equatable {
        /// Its name.
        public var name: String
        /// What it can do.
        public var capabilities: [String]

        /// One provider.
        public init(name: String, capabilities: [String]) {
            self.name = name
            self.capabilities = capabilities
        }
    }
    /// The models.
    public var models: [Model] = []
    /// The routes.
    public var routes: [Route] = []
    /// The providers.
    public var providers: [Provider] = []

    /// An empty list.
    public init() {}
}

/// What `ValidateAuth` tells of one credential.
public struct AuthReport: Sendable, Equatable {
    /// The configured model.
    public var model: String
    /// Its provider.
    public var provider: String
    /// Whether the provider takes the credential.
    public var isValid: Bool
    /// `healthy`, `expiring`, `stale`, `failed` or `unconfigured`.
    public var status: String
    /// What is wrong and what to do; empty where nothing is.
    public var detail: String
    /// Seconds until the credential expires; 0 where it does not or nobody knows.
    public var expiresInSeconds: Int64
    /// What the last try to get a token ended with, where it failed.
    public var lastError: String
    /// Seconds since the token was fetched; 0 for a fixed one.
    public var secondsSinceRefresh: Int64
    /// Whether the server is configured to do without this model where its credential is missing.
    public var isOptional: Bool

    /// One credential's state.
    public init(
        model: String, provider: String, isValid: Bool, status: String, detail: String, expiresInSeconds: Int64 = 0,
        lastError: String = "", secondsSinceRefresh: Int64 = 0, isOptional: Bool = false
    ) {
        self.model = model
        self.provider = provider
        self.isValid = isValid
        self.status = status
        self.detail = detail
        self.expiresInSeconds = expiresInSeconds
        self.lastError = lastError
        self.secondsSinceRefresh = secondsSinceRefresh
        self.isOptional = isOptional
    }
}

/// One row of `GetUsage`.
public struct UsageReport: Sendable, Equatable {
    /// The provider.
    public var provider = ""
    /// The configured model's name, `provider/model_name` as callers wrote it, or `*` for the rest of those.
    public var model = ""
    /// Attempts.
    public var requests: Int64 = 0
    /// Attempts that brought an answer.
    public var successfulRequests: Int64 = 0
    /// Attempts that ended with an error.
    public var failedRequests: Int64 = 0
    /// Attempts that their caller cancelled or left.
    public var cancelledRequests: Int64 = 0
    /// Tokens of the prompts.
    public var inputTokens: Int64 = 0
    /// Tokens of the answers.
    public var outputTokens: Int64 = 0
    /// The mean time of a successful attempt, in seconds.
    public var averageLatencySeconds = 0.0
    /// The share of failed attempts, 0 to 1.
    public var errorRate = 0.0

    /// An empty row.
    public init() {}
}

/// What `Control.Hello` tells.
public struct ServerInfo: Sendable, Equatable {
    /// The program's name.
    public var server: String
    /// Its version.
    public var version: String
    /// What it offers beyond plain ttrpc.
    public var features: [String]
    /// The largest message, in bytes.
    public var maxMessageBytes: Int64
    /// The most calls at a time on one connection.
    public var maxStreams: Int64

    /// A description.
    public init(server: String, version: String, features: [String], maxMessageBytes: Int64, maxStreams: Int64) {
        self.server = server
        self.version = version
        self.features = features
        self.maxMessageBytes = maxMessageBytes
        self.maxStreams = maxStreams
    }
}
