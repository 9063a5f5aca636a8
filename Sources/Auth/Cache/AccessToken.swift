package import Config
package import EventLoop

/// A token of a `Credential`, or a fixed key, as sent to a provider.
package struct AccessToken: Sendable, CustomStringConvertible {
    /// The token itself, as a type that cannot be printed.
    package let value: Secret
    /// The serial number of the token within its credential, for `Credential.invalidate`; 0 for a fixed key.
    package let generation: UInt64
    /// When the token expires; `nil` if the issuer did not say.
    package let expiresAt: Instant?
    /// The Google Cloud project to bill, for the header `x-goog-user-project`; `nil` for the token's own project.
    package let quotaProject: String?

    init(value: Secret, generation: UInt64, expiresAt: Instant? = nil, quotaProject: String? = nil) {
        self.value = value
        self.generation = generation
        self.expiresAt = expiresAt
        self.quotaProject = quotaProject
    }

    /// Shows only the generation, never the token.
    package var description: String { "<token \(generation)>" }
}

/// A token as returned by its source.
struct FetchedToken {
    var value: Secret
    /// Seconds until it expires, from now; `nil` if the issuer did not say.
    var lifetime: Double?
    /// Seconds, from now, after which the issuer recommends to replace it.
    var refreshIn: Double?
    var quotaProject: String?
}
