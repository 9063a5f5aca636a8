/// Why a generation failed, in one vocabulary for all providers. `Kind.statusCode` is the mapping to gRPC codes.
public struct GenerationError: Error, Sendable, Equatable, CustomStringConvertible {
    /// The kind of a failure. The raw value is the name on the wire (`ErrorDetail.kind`).
    public enum Kind: String, Sendable, CaseIterable {
        /// The credential is missing, invalid or expired.
        case authentication = "AUTHENTICATION"
        /// The credential does not have the required permission.
        case permission = "PERMISSION"
        /// Too many requests. `retryAfterMilliseconds` says how long to wait.
        case rateLimit = "RATE_LIMIT"
        /// The account has no quota or credit left.
        case quotaExhausted = "QUOTA_EXHAUSTED"
        /// The request is invalid; a retry fails in the same way.
        case invalidRequest = "INVALID_REQUEST"
        /// The prompt exceeds the model's context window.
        case contextLength = "CONTEXT_LENGTH"
        /// The model exists neither in the configuration nor at the provider.
        case unknownModel = "UNKNOWN_MODEL"
        /// The provider's content filter rejected the prompt.
        case contentFiltered = "CONTENT_FILTERED"
        /// A deadline or a timeout expired; see `timeoutPhase`.
        case timeout = "TIMEOUT"
        /// The caller cancelled the call or closed its connection.
        case cancelled = "CANCELLED"
        /// The provider or this server is overloaded.
        case overloaded = "OVERLOADED"
        /// The provider is not available, or failed internally.
        case providerUnavailable = "PROVIDER_UNAVAILABLE"
        /// The provider could not be reached.
        case network = "NETWORK"
        /// The response ended early. What was received before has been delivered.
        case streamInterrupted = "STREAM_INTERRUPTED"
        /// The provider's response could not be parsed, or exceeds a limit.
        case badProviderResponse = "BAD_PROVIDER_RESPONSE"
        /// The provider does not support a requested feature.
        case unsupported = "UNSUPPORTED"
        /// This server is shutting down.
        case shuttingDown = "SHUTTING_DOWN"

        /// The gRPC status code for this kind, for example 14 (UNAVAILABLE) for `.network`.
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

        /// Whether a retry may succeed if the provider does not say. The initial value of `isRetryable`.
        public var isRetryableByDefault: Bool {
            switch self {
            case .rateLimit, .overloaded, .providerUnavailable, .network, .timeout, .badProviderResponse,
                .streamInterrupted:
                true
            default: false
            }
        }
    }

    /// The phase whose timeout expired. The raw value is the name on the wire.
    public enum TimeoutPhase: String, Sendable {
        /// Waiting for a free slot.
        case queue
        /// Making the connection.
        case connect
        /// Waiting for the first content.
        case firstToken = "first_token"
        /// Waiting for the next piece of the response.
        case idle
        /// The call as a whole.
        case total
    }

    /// The kind of failure, which programs should check instead of `message`.
    public var kind: Kind
    /// What happened and what to do. Contains the vendor's error message if there is one, and never a secret.
    public var message: String
    /// The provider that failed, for example `openai`; empty if no provider was involved.
    public var provider = ""
    /// The configured name of the model that failed; empty if unknown.
    public var model = ""
    /// The upstream's HTTP status; 0 without a response.
    public var httpStatus = 0
    /// The vendor's own error code; empty if there is none.
    public var providerCode = ""
    /// How long to wait before a retry, in milliseconds; `nil` if unknown.
    public var retryAfterMilliseconds: Int64?
    /// Whether a retry may succeed. Initially `kind.isRetryableByDefault`.
    public var isRetryable: Bool
    /// The expired timeout; `nil` unless `kind` is `.timeout`.
    public var timeoutPhase: TimeoutPhase?
    /// All attempts in order; empty if the call failed before the first.
    public var attempts: [Attempt] = []

    /// Creates an error; `isRetryable` follows from `kind`.
    public init(_ kind: Kind, _ message: String) {
        self.kind = kind
        self.message = message
        isRetryable = kind.isRetryableByDefault
    }

    /// `KIND: message`
    public var description: String { "\(kind.rawValue): \(message)" }
}
