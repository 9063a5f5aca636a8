internal import Config
internal import Generation

/// The token of one credential and when to replace it, as a state machine without a clock, a lock or I/O: `now` is
/// CLOCK_MONOTONIC in nanoseconds, and the results say what the owner must do.
///
///     pending ──demand──▶ refreshing ──succeeded──▶ usable ──early window──▶ usable + refreshing ──▶ …
///                             │                       │ expired, invalidated ──▶ pending
///                             └──failed──▶ backing off: callers get the error at once ──time──▶ pending
struct TokenCache {
    /// What a caller who needs a token gets.
    enum Demand {
        case token(AccessToken)
        case failure(GenerationError)
        /// It waits.
        case wait(Refresh)
    }

    /// The refresh that somebody waits for.
    enum Refresh: Equatable {
        case inProgress
        /// The owner must start one.
        case due
        /// The owner must start one at this time: the last one began a moment ago.
        case later(UInt64)
    }

    private let timing: CacheTiming
    private var token: AccessToken?
    private var fetchedAt: UInt64 = 0
    private var usableUntil = UInt64.max
    /// When the early window opens.
    private var refreshAt = UInt64.max
    private var generation: UInt64 = 0
    private(set) var isRefreshing = false
    private var begunAt: UInt64?
    private var failure: AuthFailure?
    private var failureCount = 0
    private var failedAt: UInt64 = 0
    /// When a refresh may be tried again while the old token serves.
    private var retryAt: UInt64 = 0
    private var rejectionCredit: Double
    private var rejectedAt: UInt64 = 0

    init(_ timing: CacheTiming = CacheTiming()) {
        self.timing = timing
        rejectionCredit = timing.rejectionBurst
    }

    /// When the next refresh may begin, by the limit on their number.
    private func earliest(_ interval: Double) -> UInt64 { begunAt.map { $0 + Self.nanoseconds(interval) } ?? 0 }

    private func usable(_ now: UInt64) -> AccessToken? { now < usableUntil ? token : nil }

    /// The usable token, and whether its early window is open and nobody is at it yet: then the owner must start a
    /// refresh and call `beginRefresh`.
    func lookup(_ now: UInt64) -> (token: AccessToken?, wantsRefresh: Bool) {
        guard let token = usable(now) else { return (nil, false) }
        let isDue = now >= refreshAt && now >= retryAt && now >= earliest(timing.demandInterval)
        return (token, isDue && !isRefreshing)
    }

    /// What a caller gets that cannot do without a token.
    func demand(_ now: UInt64) -> Demand {
        if let token = usable(now) { return .token(token) }
        if isRefreshing { return .wait(.inProgress) }
        // The token may have run out since the failure, which ends the patience that it allowed.
        let retryAt = min(retryAt, failedAt + Self.nanoseconds(timing.longestBackoffWithoutToken))
        if let failure, now < retryAt { return .failure(failure.error) }
        let earliest = earliest(timing.demandInterval)
        return .wait(now < earliest ? .later(earliest) : .due)
    }

    /// Opens the early window: the next caller gets the token that there is and starts the refresh.
    mutating func renew() {
        if token != nil { refreshAt = 0 }
    }

    mutating func beginRefresh(_ now: UInt64) {
        isRefreshing = true
        begunAt = now
    }

    /// The refresh was given up; it counts neither as good nor as bad.
    mutating func abandonRefresh() { isRefreshing = false }

    /// A refresh brought a token.
    /// - Parameter random: from 0 to 1, for the jitter.
    mutating func succeeded(_ fetched: FetchedToken, now: UInt64, random: Double) -> AccessToken {
        isRefreshing = false
        failure = nil
        failureCount = 0
        retryAt = 0
        fetchedAt = now
        // A file that did not change must not look like a new token.
        let isSame = token.map { old in fetched.value.withUnsafeBytes { old.value.matches($0) } } ?? false
        if !isSame { generation += 1 }
        var expiresAt: UInt64?
        usableUntil = .max
        refreshAt = .max
        if let lifetime = fetched.lifetime {
            expiresAt = now + Self.nanoseconds(lifetime)
            usableUntil = now + Self.nanoseconds(lifetime - min(timing.safetyMargin, lifetime / 20))
            let window = min(timing.earlyWindow, lifetime * timing.earlyPart) * (1 + timing.jitter * (2 * random - 1))
            refreshAt = now + Self.nanoseconds(lifetime - window)
        }
        if let wish = fetched.refreshIn { refreshAt = min(refreshAt, now + Self.nanoseconds(wish)) }
        let token = AccessToken(
            value: fetched.value, generation: generation, expiresAt: expiresAt, quotaProject: fetched.quotaProject)
        self.token = token
        return token
    }

    /// A refresh failed.
    /// - Returns: the error for those who waited, with the time until the next try.
    mutating func failed(_ failure: AuthFailure, now: UInt64) -> GenerationError {
        isRefreshing = false
        failureCount += 1
        let longest = usable(now) == nil ? timing.longestBackoffWithoutToken : timing.longestBackoff
        let factor = Double(UInt64(1) << UInt64(min(failureCount - 1, 30)))
        let wait = min(longest, timing.firstBackoff * factor)
        failedAt = now
        retryAt = now + Self.nanoseconds(wait)
        var failure = failure
        if failure.error.isRetryable {
            let own = failure.error.retryAfterMilliseconds ?? 0
            failure.error.retryAfterMilliseconds = max(own, Int64(wait * 1000))
        }
        self.failure = failure
        return failure.error
    }

    /// Drops the token of `generation`, because a provider rejected it. Only a few in a row: a provider that rejects
    /// whatever it gets must not turn each of its calls into one of the token endpoint.
    /// - Returns: whether another try with a newer token makes sense.
    mutating func invalidate(_ generation: UInt64, now: UInt64) -> Bool {
        guard let token, token.generation == generation else { return generation <= self.generation }
        let credit = rejectionCredit + Double(now - min(now, rejectedAt)) / 1e9 / timing.rejectionInterval
        rejectionCredit = min(timing.rejectionBurst, credit)
        rejectedAt = now
        guard rejectionCredit >= 1 else { return false }
        rejectionCredit -= 1
        self.token = nil
        // Rejections have a limit of their own, and the request that was rejected waits.
        begunAt = nil
        // The next token counts as another one, even where the source gives the same again.
        return true
    }

    /// When the owner should look again although nobody asks, so that a caller after a quiet hour does not wait; `nil`
    /// where that would be of no use: tokens without an end, and issuers that refuse.
    func nextVisit(_ now: UInt64) -> UInt64? {
        if let failure {
            guard usable(now) != nil || failure.error.isRetryable else { return nil }
            return max(retryAt, earliest(timing.demandInterval))
        }
        return token?.expiresAt == nil ? nil : max(refreshAt, earliest(timing.quietInterval))
    }

    /// How it looks.
    func state(_ now: UInt64) -> CredentialState {
        var state = CredentialState(status: .pending)
        state.lastError = failure?.error.message
        guard let token = usable(now) else {
            if let failure { state.status = failure.isUnconfigured ? .unconfigured : .failed }
            return state
        }
        state.status = failure != nil ? .stale : now >= refreshAt && token.expiresAt != nil ? .expiring : .healthy
        state.expiresInSeconds = token.expiresAt.map { Double($0 - min($0, now)) / 1e9 }
        state.secondsSinceRefresh = Double(now - min(now, fetchedAt)) / 1e9
        return state
    }

    /// Thirty years are as good as for ever, and fit.
    private static func nanoseconds(_ seconds: Double) -> UInt64 { seconds > 0 ? UInt64(min(seconds, 1e9) * 1e9) : 0 }
}
