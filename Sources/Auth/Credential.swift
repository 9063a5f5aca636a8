package import Config
package import EventLoop
package import Generation
package import HTTPClient

/// One entry of `auth`: fetches its token, caches it, and replaces it before it expires. Shared by all loops.
///
/// At most one refresh is in progress, on the loop that was passed to `attach`. While a token is usable, no caller
/// waits for a refresh. After a failed refresh, the next attempt follows after 1 s, 2 s, … up to 60 s, or up to 10 s
/// without a usable token; until then, callers that need a token get the error at once. A token is replaced before it
/// expires even if no caller asks, so that the first caller after an idle period does not wait.
package final class Credential: Sendable {
    private struct Waiting: Sendable {
        let waiter: LoopBound<TokenWaiter>
        let loop: EventLoop
    }

    private struct State {
        var cache: TokenCache
        var home: LoopBound<RefreshHome>?
        var waiters: [UInt64: Waiting] = [:]
        var nextWaiter: UInt64 = 0
        /// Serial number of the refresh, so that the late result of a cancelled one is ignored.
        var refresh: UInt64 = 0
        /// Whether a token was requested before `attach`.
        var isWanted = false
        /// Whether `detach` was called: no more tokens are fetched.
        var isOver = false
        /// Whether `retire` was called: tokens are fetched only for callers that ask.
        var isRetired = false
    }

    /// The name of the entry of `auth`; `google default` for the provider's default credential.
    package let name: String
    /// The type of the entry, for example `google_adc`.
    package let kind: AuthConfiguration.Kind
    /// Whether this is an API key, sent in the provider's own header, and not a bearer token.
    package var isKey: Bool { kind == .apiKey }

    private let fixed: AccessToken?
    private let source: (any TokenSource)?
    private let setting: RefreshSetting
    private let shared: Locked<State>

    /// Creates the credential of an entry. Reads no file and makes no connection.
    /// - Parameters:
    ///   - environment: the variables that sources read, as their vendors' libraries do, and the environment of
    ///     commands.
    ///   - caFile: a file of PEM certificates to trust for token endpoints; `nil` for the HTTP client's.
    package convenience init(_ auth: AuthConfiguration, environment: [String: String], caFile: String? = nil) {
        self.init(auth, environment: environment, caFile: caFile, timing: CacheTiming())
    }

    init(_ auth: AuthConfiguration, environment: [String: String], caFile: String?, timing: CacheTiming) {
        name = auth.name
        kind = auth.kind
        setting = RefreshSetting(
            label: "auth '\(auth.name)' (\(auth.kind.rawValue))", environment: environment, caFile: caFile,
            timeout: timing.refreshTimeout)
        switch auth.method {
        case .apiKey(let secret), .static(let secret):
            fixed = AccessToken(value: secret, generation: 0)
            source = nil
        default:
            fixed = nil
            source = auth.method.tokenSource
        }
        shared = Locked(State(cache: TokenCache(timing)))
    }

    /// Google's Application Default Credentials, for models without `auth`.
    package static func googleDefault(environment: [String: String], caFile: String? = nil) -> Credential {
        let auth = AuthConfiguration(name: "google default", method: .googleADC(.init()))
        return Credential(auth, environment: environment, caFile: caFile)
    }

    // MARK: - Lifecycle

    /// Sets the loop and the client for refreshes. Must be called on that loop, and balanced by `detach` before the
    /// loop ends. If a token was requested before, a refresh starts now. If the credential is already attached, only
    /// the effect of `retire` is undone.
    package func attach(loop: EventLoop, client: HTTPClient) {
        guard source != nil else { return }
        let home = LoopBound(RefreshHome(loop: loop, client: client, setting: setting), on: loop)
        let (isWanted, wasRetired) = shared.withLock { state in
            defer { state.isRetired = false }
            if state.home == nil { state.home = home }
            return (state.isWanted, state.isRetired)
        }
        if isWanted { prefetch() }
        if wasRetired { refreshIfDue() }
    }

    /// Stops background refreshes, for a credential that only calls in progress may still use. Callers that ask still
    /// get tokens. Safe from any thread.
    package func retire() { shared.withLock { state in state.isRetired = true } }

    /// Makes the next call start a refresh, and still use the old token. Called after a reload, because files and
    /// programs may return another token. Safe from any thread.
    package func renew() { shared.withLock { state in state.cache.renew() } }

    /// Cancels the refresh in progress; its waiters get `.shuttingDown`. Must be called on the loop of `attach`, before
    /// its client is shut down. An existing token remains usable until it expires.
    package func detach() {
        let (home, waiters) = shared.withLock { state in
            defer {
                state.home = nil
                state.isOver = true
                state.waiters = [:]
                state.refresh += 1
                state.cache.abandonRefresh()
            }
            return (state.home, state.waiters)
        }
        home?.value.stop()
        Self.deliver(.failure(Self.ended), to: waiters)
    }

    private static let ended = GenerationError(.shuttingDown, "the server is shutting down")

    // MARK: - Tokens

    /// Starts fetching a token before the first call needs it. Safe from any thread.
    package func prefetch() {
        guard source != nil else { return }
        let launch = shared.withLock { state -> Launch? in
            let now = Instant.now()
            guard case .wait(.due) = state.cache.demand(now) else { return nil }
            return Self.begin(&state, now)
        }
        start(launch)
    }

    /// The usable token; `nil` if there is none, then call `token`. Starts a background refresh when one is due. Takes
    /// a lock and never waits; safe from any thread.
    package var current: AccessToken? {
        if let fixed { return fixed }
        let now = Instant.now()
        let (token, launch) = shared.withLock { state -> (AccessToken?, Launch?) in
            let (token, needsRefresh) = state.cache.lookup(now)
            return (token, needsRefresh ? Self.begin(&state, now) : nil)
        }
        start(launch)
        return token
    }

    /// Calls `completion` with a usable token or an error. Must be called on `loop`; `completion` is called there
    /// exactly once, after this method has returned, unless the waiter is cancelled. The wait is at most 10 s, the time
    /// limit of a refresh, plus 1 s if the previous refresh has just started. A caller with less time cancels the
    /// waiter.
    package func token(
        on loop: EventLoop, _ completion: @escaping (Result<AccessToken, GenerationError>) -> Void
    ) -> TokenWaiter {
        loop.preconditionOnLoop()
        let now = Instant.now()
        let id = shared.withLock { state in
            state.nextWaiter += 1
            return state.nextWaiter
        }
        let waiter = TokenWaiter(completion) { [weak self] in self?.leave(id) }
        let waiting = Waiting(waiter: LoopBound(waiter, on: loop), loop: loop)
        if let fixed {
            Self.deliver(.success(fixed), to: [0: waiting])
            return waiter
        }
        typealias Outcome = (answer: Result<AccessToken, GenerationError>?, launch: Launch?, visit: Visit?)
        let outcome = shared.withLock { state -> Outcome in
            switch state.cache.demand(now) {
            case .token(let token): return (.success(token), nil, nil)
            case .failure(let error): return (.failure(error), nil, nil)
            case .wait where state.isOver: return (.failure(Self.ended), nil, nil)
            case .wait(let refresh):
                state.waiters[id] = waiting
                switch refresh {
                case .inProgress: return (nil, nil, nil)
                case .due: return (nil, Self.begin(&state, now), nil)
                case .later(let time): return (nil, nil, state.home.map { Visit(home: $0, time: time) })
                }
            }
        }
        start(outcome.launch)
        if let visit = outcome.visit { visit.home.loop.execute { [self] in schedule(visit) } }
        if let answer = outcome.answer { Self.deliver(answer, to: [id: waiting]) }
        return waiter
    }

    private func leave(_ id: UInt64) {
        shared.withLock { state in state.waiters[id] = nil }
    }

    /// Drops the token of `generation` after a provider has rejected it. Safe from any thread.
    /// - Returns: whether a retry may get a newer token. `false` for fixed credentials, and if a provider rejects one
    ///   new token after another.
    @discardableResult
    package func invalidate(_ generation: UInt64) -> Bool {
        guard fixed == nil else { return false }
        let now = Instant.now()
        return shared.withLock { state in state.cache.invalidate(generation, now: now) }
    }

    /// The current state. Always `healthy` for fixed credentials. Safe from any thread.
    package var state: CredentialState {
        if fixed != nil { return CredentialState(status: .healthy) }
        return shared.withLock { state in state.cache.state(Instant.now()) }
    }

    // MARK: - Refreshes

    /// A refresh that must be started after the lock is released.
    private struct Launch: Sendable {
        let home: LoopBound<RefreshHome>
        let refresh: UInt64
    }

    /// When to check again whether a refresh is due.
    private struct Visit: Sendable {
        let home: LoopBound<RefreshHome>
        let time: Instant
    }

    private static func begin(_ state: inout State, _ now: Instant) -> Launch? {
        guard let home = state.home else {
            state.isWanted = true
            return nil
        }
        state.cache.beginRefresh(now)
        state.refresh += 1
        return Launch(home: home, refresh: state.refresh)
    }

    private func start(_ launch: Launch?) {
        guard let launch, let source else { return }
        launch.home.loop.execute { [self] in
            launch.home.value.refresh(from: source) { [self] result in finish(launch.refresh, result) }
        }
    }

    private func finish(_ refresh: UInt64, _ result: Result<FetchedToken, AuthFailure>) {
        let now = Instant.now()
        let random = Double.random(in: 0...1)
        struct Outcome {
            var answer: Result<AccessToken, GenerationError> = .failure(GenerationError(.cancelled, "cancelled"))
            var waiters: [UInt64: Waiting] = [:]
            var visit: Visit?
        }
        let outcome = shared.withLock { state -> Outcome in
            var outcome = Outcome()
            guard state.refresh == refresh else { return outcome }
            switch result {
            case .success(let fetched):
                outcome.answer = .success(state.cache.succeeded(fetched, now: now, random: random))
            case .failure(let failure): outcome.answer = .failure(state.cache.failed(failure, now: now))
            }
            swap(&outcome.waiters, &state.waiters)
            outcome.visit = Self.nextVisit(state, now)
            return outcome
        }
        Self.deliver(outcome.answer, to: outcome.waiters)
        // Refreshes end on the home's loop, as `schedule` requires.
        if let visit = outcome.visit { schedule(visit) }
    }

    private static func nextVisit(_ state: State, _ now: Instant) -> Visit? {
        guard !state.isRetired, let home = state.home, let time = state.cache.nextVisit(now) else { return nil }
        return Visit(home: home, time: time)
    }

    /// Replaces the visit that was scheduled before. Must be called on the home's loop.
    private func schedule(_ visit: Visit) {
        visit.home.value.visit(at: visit.time) { [weak self] in self?.refreshIfDue() }
    }

    /// Starts a refresh if one is due, for waiters or in the background, else schedules the next check. Must be called
    /// on the home's loop.
    private func refreshIfDue() {
        let now = Instant.now()
        let (launch, visit) = shared.withLock { state -> (Launch?, Visit?) in
            if state.isRetired, state.waiters.isEmpty { return (nil, nil) }
            if state.cache.lookup(now).needsRefresh { return (Self.begin(&state, now), nil) }
            switch state.cache.demand(now) {
            case .wait(.due): return (Self.begin(&state, now), nil)
            case .wait(.inProgress): return (nil, nil)
            case .wait(.later(let time)) where !state.waiters.isEmpty:
                return (nil, state.home.map { Visit(home: $0, time: time) })
            default: return (nil, Self.nextVisit(state, now))
            }
        }
        start(launch)
        if let visit { schedule(visit) }
    }

    private static func deliver(_ answer: Result<AccessToken, GenerationError>, to waiters: [UInt64: Waiting]) {
        for waiting in waiters.values { waiting.loop.execute { waiting.waiter.value.finish(answer) } }
    }
}
