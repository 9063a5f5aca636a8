/// Why a generation failed: one vocabulary for every provider, mapped once to RPC status codes.
public struct GenerationError: Error, Sendable, Equatable, CustomStringConvertible {
    /// The kinds of failure. `name` is what the wire carries.
    public enum Kind: String, Sendable, CaseIterable {
        /// The credential is missing, wrong or expired.
        case authentication = "AUTHENTICATION"
        /// The credential may not do this.
        case permission = "PERMISSION"
        /// Too many requests; always with a time to wait.
        case rateLimit = "RATE_LIMIT"
        /// The account has no quota or credit left.
        case quotaExhausted = "QUOTA_EXHAUSTED"
        /// The request is wrong; another try fails the same way.
        case invalidRequest = "INVALID_REQUEST"
        /// The prompt is too long for the model.
        case contextLength = "CONTEXT_LENGTH"
        /// No such model here or at the provider.
        case unknownModel = "UNKNOWN_MODEL"
        /// The provider refused the prompt.
        case contentFiltered = "CONTENT_FILTERED"
        /// A deadline or one of the split timeouts ran out.
        case timeout = "TIMEOUT"
        /// The caller gave up.
        case cancelled = "CANCELLED"
        /// The provider or this server has too much to do.
        case overloaded = "OVERLOADED"
        /// The provider failed.
        case providerUnavailable = "PROVIDER_UNAVAILABLE"
        /// The provider was not reached.
        case network = "NETWORK"
        /// The answer broke off; what came before is delivered.
        case streamInterrupted = "STREAM_INTERRUPTED"
        /// The provider answered something unreadable.
        case badProviderResponse = "BAD_PROVIDER_RESPONSE"
        /// This provider cannot do what was asked.
        case unsupported = "UNSUPPORTED"
        /// This server is about to end.
        case shuttingDown = "SHUTTING_DOWN"

        /// The gRPC status code that stands for this kind.
        public var statusCode: Int {
            switch self {
            case .authentication: 16
            case .permission: 7
            case .rateLimit, .quotaExhausted: 8
            case .invalidRequest, .contextLength: 3
            case .unknownModel: 5
            case .contentFiltered: 9
            case .timeout: 4
            case .cancelled: 1
            case .overloaded, .providerUnavailable, .network, .streamInterrupted, .shuttingDown: 14
            case .badProviderResponse: 13
            case .unsupported: 12
            }
        }

        /// Whether another try may well succeed, where the provider does not say.
        public var isRetryableByDefault: Bool {
            switch self {
            case .rateLimit, .overloaded, .providerUnavailable, .network, .timeout, .badProviderResponse,
                .streamInterrupted:
                true
            default: false
            }
        }
    }

    /// Which of the split timeouts ran out.
    public enum TimeoutPhase: String, Sendable {
        /// Waiting for a free slot.
        case queue
        /// Making the connection.
        case connect
        /// Waiting for the first content.
        case firstToken = "first_token"
        /// Silence between two pieces.
        case idle
        /// The call as a whole.
        case total
    }

    /// What kind of failure.
    public var kind: Kind
    /// What happened and what to do, in the vendor's own words where it spoke; never a secret.
    public var message: String
    /// The provider that failed; empty where none was reached.
    public var provider = ""
    /// The configured model that failed.
    public var model = ""
    /// The upstream's HTTP status; 0 where none came.
    public var httpStatus = 0
    /// The vendor's own error code.
    public var providerCode = ""
    /// How long to wait before another try, in milliseconds.
    public var retryAfterMilliseconds: Int64?
    /// Whether another try may succeed.
    public var isRetryable: Bool
    /// Which timeout, for `.timeout`.
    public var timeoutPhase: TimeoutPhase?
    /// All tries that were made.
    public var attempts: [Attempt] = []

    /// An error of a kind.
    public init(_ kind: Kind, _ message: String) {
        self.kind = kind
        self.message = message
        isRetryable = kind.isRetryableByDefault
    }

    /// Kind and message.
    public var description: String { "\(kind.rawValue): \(message)" }
}
