internal import Config
internal import EventLoop
internal import Generation

/// The state machine of one credential: its token and when to replace it. It has no clock, no lock and no I/O: callers
/// pass the time, and return values tell the owner what to do.
///
///     pending ──demand──▶ refreshing ──succeeded──▶ usable ──early window──▶ usable + refreshing ──▶ …
///                             │                       │ expired, invalidated ──▶ pending
///                             └──failed──▶ backing off: callers get the error at once ──timer──▶ pending
struct TokenCache {
    /// The result for a caller that needs a token.
    enum Demand {
        case token(AccessToken)
        case failure(GenerationError)
        /// The caller waits for a refresh.
        case wait(Refresh)
    }

    /// The refresh that a caller waits for.
    enum Refresh: Equatable {
        case inProgress
        /// The owner must start one.
        case due
        /// The owner must start one at this time: the previous one started less than `demandInterval` ago.
        case later(Instant)
    }

    private let timing: CacheTiming
    private var token: AccessToken?
    private var fetchedAt = Instant.boot
    private var usableUntil = Instant.never
    /// Start of the early window: from then on, the token is replaced in the background.
    private var refreshAt = Instant.never
    private var generation: UInt64 = 0
    private(set) var isRefreshing = false
    private var begunAt: Instant?
    private var failure: AuthFailure?
    private var failureCount = 0
    private var failedAt = Instant.boot
    /// End of the backoff after a failed refresh.
    private var retryAt = Instant.boot
    private var rejections: TokenBucket

    init(_ timing: CacheTiming = CacheTiming()) {
        self.timing = timing
        rejections = TokenBucket(capacity: timing.rejectionBurst, perSecond: 1 / timing.rejectionInterval)
    }

    /// The earliest start of the next refresh under the rate limit.
    private func earliest(_ interval: Double) -> Instant { begunAt.map { $0 + .seconds(interval) } ?? .boot }

    private func usable(_ now: Instant) -> AccessToken? { now < usableUntil ? token : nil }

    /// The usable token, and whether it is due for a background refresh that is not yet in progress. If so, the owner
    /// must call `beginRefresh` and start one.
    func lookup(_ now: Instant) -> (token: AccessToken?, needsRefresh: Bool) {
        guard let token = usable(now) else { return (nil, false) }
        let isDue = now >= refreshAt && now >= retryAt && now >= earliest(timing.demandInterval)
        return (token, isDue && !isRefreshing)
    }

    /// The result for a caller that cannot proceed without a token.
    func demand(_ now: Instant) -> Demand {
        if let token = usable(now) { return .token(token) }
        if isRefreshing { return .wait(.inProgress) }
        // The long backoff applies only while the old token is usable; it may have expired since the failure.
        let retryAt = min(retryAt, failedAt + .seconds(timing.longestBackoffWithoutToken))
        if let failure, now < retryAt { return .failure(failure.error) }
        let earliest = earliest(timing.demandInterval)
        return .wait(now < earliest ? .later(earliest) : .due)
    }

    /// Opens the early window now: the next caller gets the existing token and starts a refresh.
    mutating func renew() {
        if token != nil { refreshAt = .boot }
    }

    mutating func beginRefresh(_ now: Instant) {
        isRefreshing = true
        begunAt = now
    }

    /// The refresh was cancelled. It counts neither as a success nor as a failure.
    mutating func abandonRefresh() { isRefreshing = false }

    /// A refresh succeeded.
    /// - Parameter random: a number from 0 to 1 for the jitter.
    mutating func succeeded(_ fetched: FetchedToken, now: Instant, random: Double) -> AccessToken {
        isRefreshing = false
        failure = nil
        failureCount = 0
        retryAt = .boot
        fetchedAt = now
        // The same value, for example from an unchanged file, is not a new generation.
        let isSame = token.map { old in fetched.value.withUnsafeBytes { old.value.matches($0) } } ?? false
        if !isSame { generation += 1 }
        var expiresAt: Instant?
        usableUntil = .never
        refreshAt = .never
        if let lifetime = fetched.lifetime {
            expiresAt = now + .seconds(lifetime)
            usableUntil = now + .seconds(lifetime - min(timing.safetyMargin, lifetime / 20))
            let window = min(timing.earlyWindow, lifetime * timing.earlyPart) * (1 + timing.jitter * (2 * random - 1))
            refreshAt = now + .seconds(lifetime - window)
        }
        if let delay = fetched.refreshIn { refreshAt = min(refreshAt, now + .seconds(delay)) }
        let token = AccessToken(
            value: fetched.value, generation: generation, expiresAt: expiresAt, quotaProject: fetched.quotaProject)
        self.token = token
        return token
    }

    /// A refresh failed.
    /// - Returns: the error for the waiters. If it is retryable, it contains the time until the next attempt.
    mutating func failed(_ failure: AuthFailure, now: Instant) -> GenerationError {
        isRefreshing = false
        failureCount += 1
        let longest = usable(now) == nil ? timing.longestBackoffWithoutToken : timing.longestBackoff
        let factor = Double(UInt64(1) << UInt64(min(failureCount - 1, 30)))
        let wait = min(longest, timing.firstBackoff * factor)
        failedAt = now
        retryAt = now + .seconds(wait)
        var failure = failure
        if failure.error.isRetryable {
            let own = failure.error.retryAfterMilliseconds ?? 0
            failure.error.retryAfterMilliseconds = max(own, Int64(wait * 1000))
        }
        self.failure = failure
        return failure.error
    }

    /// Drops the token of `generation` because a provider rejected it. Rate-limited (`rejectionBurst`,
    /// `rejectionInterval`), so that a provider that rejects every token does not cause a token request per call.
    /// - Returns: whether a retry with a newer token makes sense.
    mutating func invalidate(_ generation: UInt64, now: Instant) -> Bool {
        guard let token, token.generation == generation else { return generation <= self.generation }
        guard rejections.take(now) else { return false }
        self.token = nil
        // Rejections have their own rate limit, and the rejected request is waiting for a new token.
        begunAt = nil
        // The next token gets a new generation even if its value is the same.
        return true
    }

    /// When the owner should check for a due refresh even if no caller asks, so that the first caller after an idle
    /// period does not wait; `nil` if that is useless: for tokens that do not expire and for permanent errors.
    func nextVisit(_ now: Instant) -> Instant? {
        if let failure {
            guard usable(now) != nil || failure.error.isRetryable else { return nil }
            return max(retryAt, earliest(timing.demandInterval))
        }
        return token?.expiresAt == nil ? nil : max(refreshAt, earliest(timing.quietInterval))
    }

    /// The state at `now`, for reports.
    func state(_ now: Instant) -> CredentialState {
        var state = CredentialState(status: .pending)
        state.lastError = failure?.error.message
        guard let token = usable(now) else {
            if let failure { state.status = failure.isUnconfigured ? .unconfigured : .failed }
            return state
        }
        state.status = failure != nil ? .stale : now >= refreshAt && token.expiresAt != nil ? .expiring : .healthy
        state.expiresInSeconds = token.expiresAt.map { ($0 - now).seconds }
        state.secondsSinceRefresh = (now - fetchedAt).seconds
        return state
    }
}
