public import Generation

/// A snapshot of a credential's state, as reported to users.
public struct CredentialState: Sendable, Equatable {
    /// The overall state.
    public var status: CredentialStatus
    /// Seconds until the token expires; `nil` without a token or if it does not expire.
    public var expiresInSeconds: Double?
    /// The error of the last attempt to get a token; `nil` if it succeeded. Never contains a secret.
    public var lastError: String?
    /// Seconds since the token was fetched; `nil` without a token or for a fixed key.
    public var secondsSinceRefresh: Double?
}
