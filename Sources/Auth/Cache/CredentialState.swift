/// How a credential is doing.
public struct CredentialState: Sendable, Equatable {
    /// One word for it.
    public enum Status: String, Sendable, CaseIterable {
        /// There is a token with time left, or a fixed key.
        case healthy
        /// There is a token, and it is about to be replaced.
        case expiring
        /// There is a token, but the last try to replace it failed.
        case stale
        /// There is no token, and the last try to get one failed.
        case failed
        /// There is no token, and nothing on this machine to get one with.
        case unconfigured
        /// There is no token, because none was asked for yet or the last one ran out unused.
        case pending
    }

    /// One word for it.
    public var status: Status
    /// Seconds until the token expires; `nil` where there is none, or where it has no end.
    public var expiresInSeconds: Double?
    /// What the last try to get a token ended with, where it failed; never a secret.
    public var lastError: String?
    /// Seconds since the token was fetched; `nil` where there is none, or where it is a fixed one.
    public var secondsSinceRefresh: Double?
}
