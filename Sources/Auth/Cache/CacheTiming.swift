/// The times that a token cache goes by, in seconds.
struct CacheTiming: Sendable {
    /// How long one refresh may take, whatever it consists of.
    var refreshTimeout = 10.0
    /// A token is replaced this long before it expires …
    var earlyWindow = 300.0
    /// … or in this last part of its life, where that is shorter.
    var earlyPart = 0.2
    /// The early window varies by this part of itself, so that many gateways do not ask at the same moment.
    var jitter = 0.2
    /// A token is not used in its last moments: it would expire on its way. At most a twentieth of its life.
    var safetyMargin = 5.0
    /// The wait after a failed refresh, which doubles from failure to failure.
    var firstBackoff = 1.0
    /// The longest wait while the old token still serves.
    var longestBackoff = 60.0
    /// The longest wait while there is no token: somebody is waiting for the endpoint to come back.
    var longestBackoffWithoutToken = 10.0
    /// The shortest time from one refresh's start to the next one's, whatever lifetime the issuer gives.
    var demandInterval = 1.0
    /// The same where nobody asks for a token: one that lives shorter than this is fetched again for the next caller.
    var quietInterval = 30.0
    /// How many rejected tokens are replaced at once; see `TokenCache.invalidate`.
    var rejectionBurst = 5.0
    /// After that, one in so many seconds.
    var rejectionInterval = 10.0
}
