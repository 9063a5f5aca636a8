/// The state of a credential. The raw values are the words of `ValidateAuth` and of a deep `Health`.
public enum CredentialStatus: RawRepresentable, Sendable, Hashable {
    /// A usable token that is not due for replacement, or a fixed key.
    case healthy
    /// A usable token that is due for replacement.
    case expiring
    /// A usable token; the last attempt to replace it failed.
    case stale
    /// No token because the last attempt to get one failed, or a token that the provider rejects.
    case failed
    /// No token; no credentials were found on this machine.
    case unconfigured
    /// No token: none was requested yet, or the last one expired without being replaced. Never in a report.
    case pending
    /// A word that only a newer server knows.
    case other(String)

    /// All but `other`.
    public static let known: [CredentialStatus] = [.healthy, .expiring, .stale, .failed, .unconfigured, .pending]

    /// The state of a word; never `nil`.
    public init?(rawValue: String) {
        self = Self.known.first { $0.rawValue == rawValue } ?? .other(rawValue)
    }

    /// The word.
    public var rawValue: String {
        switch self {
        case .healthy: "healthy"
        case .expiring: "expiring"
        case .stale: "stale"
        case .failed: "failed"
        case .unconfigured: "unconfigured"
        case .pending: "pending"
        case .other(let word): word
        }
    }
}
