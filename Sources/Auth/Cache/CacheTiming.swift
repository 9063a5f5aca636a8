/// The timing parameters of a token cache, in seconds unless noted. Tests use shorter ones.
struct CacheTiming: Sendable {
    /// Time limit of one refresh, with all its requests.
    var refreshTimeout = 10.0
    /// A token is replaced this long before it expires …
    var earlyWindow = 300.0
    /// … or in this last fraction of its lifetime, whichever is shorter.
    var earlyPart = 0.2
    /// The early window varies by ± this fraction, so that many gateways do not refresh at the same moment.
    var jitter = 0.2
    /// A token is not used this shortly before its expiry, since it could expire in transit. At most a twentieth of its
    /// lifetime.
    var safetyMargin = 5.0
    /// Backoff after the first failed refresh; doubles with each further failure.
    var firstBackoff = 1.0
    /// Maximum backoff while the old token is usable.
    var longestBackoff = 60.0
    /// Maximum backoff without a usable token. Shorter, since callers fail until the endpoint recovers.
    var longestBackoffWithoutToken = 10.0
    /// Minimum time between the starts of two refreshes, whatever lifetime the issuer returns.
    var demandInterval = 1.0
    /// The same while no caller asks: a token with a shorter lifetime is fetched again only for the next caller.
    var quietInterval = 30.0
    /// How many rejected tokens are replaced without delay (a count); see `TokenCache.invalidate`.
    var rejectionBurst = 5.0
    /// After that, one rejected token is replaced per interval.
    var rejectionInterval = 10.0
}
