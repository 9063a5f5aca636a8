public import Config

/// What a provider takes as proof of who asks: a token of a `Credential`, or a fixed key.
public struct AccessToken: Sendable, CustomStringConvertible {
    /// The token; it does not print.
    public let value: Secret
    /// Which of its credential's tokens this is: what `Credential.invalidate` wants to know.
    public let generation: UInt64
    /// When it expires, CLOCK_MONOTONIC in nanoseconds; `nil` where its issuer did not say.
    public let expiresAt: UInt64?
    /// The Google project that pays, for the header `x-goog-user-project`; `nil` for the token's own.
    public let quotaProject: String?

    init(value: Secret, generation: UInt64, expiresAt: UInt64? = nil, quotaProject: String? = nil) {
        self.value = value
        self.generation = generation
        self.expiresAt = expiresAt
        self.quotaProject = quotaProject
    }

    /// The generation only.
    public var description: String { "<token \(generation)>" }
}

/// A token as its source gave it.
struct FetchedToken {
    var value: Secret
    /// Seconds until it expires, counted from now; `nil` where the issuer did not say.
    var lifetime: Double?
    /// Seconds after which the issuer would like it to be replaced.
    var refreshIn: Double?
    var quotaProject: String?
}
