/// A snapshot of a credential's state, as reported to users.
public struct CredentialState: Sendable, Equatable {
    /// The overall state.
    public enum Status: String, Sendable, CaseIterable {
        /// A usable token that is not due for replacement, or a fixed key.
        case healthy
        /// A usable token that is due for replacement.
        case expiring
        /// A usable token; the last attempt to replace it failed.
        case stale
        /// No token; the last attempt to get one failed.
        case failed
        /// No token; no credentials were found on this machine.
        case unconfigured
        /// No token: none was requested yet, or the last one expired without being replaced.
        case pending
    }

    /// The overall state.
    public var status: Status
    /// Seconds until the token expires; `nil` without a token or if it does not expire.
    public var expiresInSeconds: Double?
    /// The error of the last attempt to get a token; `nil` if it succeeded. Never contains a secret.
    public var lastError: String?
    /// Seconds since the token was fetched; `nil` without a token or for a fixed key.
    public var secondsSinceRefresh: Double?
}
