public import Config
public import EventLoop
public import Generation
public import HTTPClient

/// One entry of `auth`: fetches its token, keeps it, and replaces it before it expires. Shared by all loops.
///
/// Whatever the load, at most one refresh is in progress; it runs on the loop that `attach` named. While a token is
/// usable nobody waits for a refresh. A failed refresh is tried again after 1 s, 2 s, … 60 s, or 10 s where there is no
/// token; until then those who need a token get the same error at once. A token that expires is replaced although
/// nobody asks, so that the first caller after a quiet hour does not wait.
public final class Credential: Sendable {
    private struct Waiting: Sendable {
        let waiter: LoopBound<TokenWaiter>
        let loop: EventLoop
    }

    private struct State {
        var cache: TokenCache
        var home: LoopBound<RefreshHome>?
        var waiters: [UInt64: Waiting] = [:]
        var nextWaiter: UInt64 = 0
        /// Counts the refreshes, so that the late end of one that was given up is not taken for another's.
        var refresh: UInt64 = 0
        /// Whether somebody wanted a token before there was a loop to fetch it on.
        var isWanted = false
        /// Whether `detach` came: nothing is fetched any more.
        var isOver = false
        /// Whether `retire` came: tokens are fetched for those who ask and for nobody else.
        var isRetired = false
    }

    /// The name of the entry.
    public let name: String
    /// The type of the entry.
    public let kind: AuthConfiguration.Kind
    /// Whether it is a key, which goes into the provider's header for keys, and not a token.
    public var isKey: Bool { kind == .apiKey }

    private let fixed: AccessToken?
    private let source: (any TokenSource)?
    private let setting: RefreshSetting
    private let shared: Locked<State>

    /// The credential of an entry. Does nothing yet: no file is read, no connection made.
    /// - Parameters:
    ///   - environment: where sources look for what their vendors' own libraries look for, and the environment of
    ///     commands.
    ///   - caFile: PEM certificates to trust for token endpoints; `nil` for the client's.
    public convenience init(_ auth: AuthConfiguration, environment: [String: String], caFile: String? = nil) {
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

    /// Google's application default credentials, for models that name no entry of `auth`.
    public static func googleDefault(environment: [String: String], caFile: String? = nil) -> Credential {
        let auth = AuthConfiguration(name: "google default", method: .googleADC(.init()))
        return Credential(auth, environment: environment, caFile: caFile)
    }

    // MARK: - The loop of the refreshes

    /// Names the loop and the client that refreshes run on. Must be called on that loop, and before the loop's end
    /// undone by `detach`. Who asked for a token before waits no longer than the refresh that starts now. Where it was
    /// attached already, it ends what `retire` began and nothing else.
    public func attach(loop: EventLoop, client: HTTPClient) {
        guard source != nil else { return }
        let home = LoopBound(RefreshHome(loop: loop, client: client, setting: setting), on: loop)
        let (isWanted, wasRetired) = shared.withLock { state in
            defer { state.isRetired = false }
            if state.home == nil { state.home = home }
            return (state.isWanted, state.isRetired)
        }
        if isWanted { prefetch() }
        if wasRetired { tend() }
    }

    /// Ends the refreshes that nobody waits for, for a credential that only calls in progress may still use. Safe from
    /// any thread.
    public func retire() { shared.withLock { state in state.isRetired = true } }

    /// Fetches a new token with the next call, which still gets the old one: for a reload, after which files and programs
    /// may give another. Safe from any thread.
    public func renew() { shared.withLock { state in state.cache.renew() } }

    /// Ends what `attach` began: a refresh is given up, and who waits for it gets `.shuttingDown`. Must be called on the
    /// loop of `attach`, before its client is shut down. A token that is there serves on until it expires.
    public func detach() {
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

    private static let ended = GenerationError(.shuttingDown, "the server is about to end")

    // MARK: - Tokens

    /// Fetches the first token ahead of the first call. Safe from any thread.
    public func prefetch() {
        guard source != nil else { return }
        let launch = shared.withLock { state -> Launch? in
            let now = EventLoop.monotonicNanoseconds()
            guard case .wait(.due) = state.cache.demand(now) else { return nil }
            return Self.begin(&state, now)
        }
        start(launch)
    }

    /// The usable token, or `nil`: then `token` waits for one. Begins the refresh in the background when it is time.
    /// Costs a lock and no more; safe from any thread.
    public var current: AccessToken? {
        if let fixed { return fixed }
        let now = EventLoop.monotonicNanoseconds()
        let (token, launch) = shared.withLock { state -> (AccessToken?, Launch?) in
            let (token, wantsRefresh) = state.cache.lookup(now)
            return (token, wantsRefresh ? Self.begin(&state, now) : nil)
        }
        start(launch)
        return token
    }

    /// Calls `completion` with a usable token, or with why there is none. Must be called on `loop`; `completion` is
    /// called there exactly once, never before this returns, unless the waiter is cancelled. It waits at most as long
    /// as one refresh may take, 10 s, and one second more where the last one began just before; who has less time
    /// cancels.
    public func token(
        on loop: EventLoop, _ completion: @escaping (Result<AccessToken, GenerationError>) -> Void
    ) -> TokenWaiter {
        loop.preconditionOnLoop()
        let now = EventLoop.monotonicNanoseconds()
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
        if let visit = outcome.visit { visit.home.loop.execute { [self] in arrange(visit) } }
        if let answer = outcome.answer { Self.deliver(answer, to: [id: waiting]) }
        return waiter
    }

    private func leave(_ id: UInt64) {
        shared.withLock { state in state.waiters[id] = nil }
    }

    /// Says that a provider rejected the token of a generation, so that the next one is fetched. Safe from any thread.
    /// - Returns: whether another try may get a newer token. Not for fixed credentials, and not where a provider
    ///   rejects one new token after another.
    @discardableResult
    public func invalidate(_ generation: UInt64) -> Bool {
        guard fixed == nil else { return false }
        let now = EventLoop.monotonicNanoseconds()
        return shared.withLock { state in state.cache.invalidate(generation, now: now) }
    }

    /// How it is doing. Safe from any thread.
    public var state: CredentialState {
        if fixed != nil { return CredentialState(status: .healthy) }
        return shared.withLock { state in state.cache.state(EventLoop.monotonicNanoseconds()) }
    }

    // MARK: - Refreshes

    /// A refresh that must be set going once the lock is released.
    private struct Launch: Sendable {
        let home: LoopBound<RefreshHome>
        let refresh: UInt64
    }

    /// When to look again whether a refresh is due.
    private struct Visit: Sendable {
        let home: LoopBound<RefreshHome>
        let time: UInt64
    }

    private static func begin(_ state: inout State, _ now: UInt64) -> Launch? {
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
        let now = EventLoop.monotonicNanoseconds()
        let random = Double.random(in: 0...1)
        struct Outcome {
            var answer: Result<AccessToken, GenerationError> = .failure(GenerationError(.cancelled, "given up"))
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
        // This is the home's loop: that is where refreshes end.
        if let visit = outcome.visit { arrange(visit) }
    }

    private static func nextVisit(_ state: State, _ now: UInt64) -> Visit? {
        guard !state.isRetired, let home = state.home, let time = state.cache.nextVisit(now) else { return nil }
        return Visit(home: home, time: time)
    }

    /// Takes the place of the visit that was arranged before. Must be called on the home's loop.
    private func arrange(_ visit: Visit) {
        visit.home.value.visit(at: visit.time) { [weak self] in self?.tend() }
    }

    /// Replaces the token when it is time: for those who wait, or although nobody asks. Must be called on the home's
    /// loop.
    private func tend() {
        let now = EventLoop.monotonicNanoseconds()
        let (launch, visit) = shared.withLock { state -> (Launch?, Visit?) in
            if state.isRetired, state.waiters.isEmpty { return (nil, nil) }
            if state.cache.lookup(now).wantsRefresh { return (Self.begin(&state, now), nil) }
            switch state.cache.demand(now) {
            case .wait(.due): return (Self.begin(&state, now), nil)
            case .wait(.inProgress): return (nil, nil)
            case .wait(.later(let time)) where !state.waiters.isEmpty:
                return (nil, state.home.map { Visit(home: $0, time: time) })
            default: return (nil, Self.nextVisit(state, now))
            }
        }
        start(launch)
        if let visit { arrange(visit) }
    }

    private static func deliver(_ answer: Result<AccessToken, GenerationError>, to waiters: [UInt64: Waiting]) {
        for waiting in waiters.values { waiting.loop.execute { waiting.waiter.value.finish(answer) } }
    }
}
