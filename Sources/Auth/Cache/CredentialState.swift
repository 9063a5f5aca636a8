package import Generation

/// A snapshot of a credential's state, as reported to users.
package struct CredentialState: Sendable, Equatable {
    /// The overall state.
    package var status: CredentialStatus
    /// Seconds until the token expires; `nil` without a token or if it does not expire.
    package var expiresInSeconds: Double?
    /// The error of the last attempt to get a token; `nil` if it succeeded. Never contains a secret.
    package var lastError: String?
    /// Seconds since the token was fetched; `nil` without a token or for a fixed key.
    package var secondsSinceRefresh: Double?
}
