import Config
import EventLoop
import Generation
import Testing

@testable import Auth

/// The state machine, with a clock under the test's control.
@Suite("The token cache")
struct TokenCacheTests {
    private func at(_ seconds: Double) -> Instant { .boot + .seconds(seconds) }

    private func failure(_ kind: GenerationError.Kind = .providerUnavailable) -> AuthFailure {
        AuthFailure(error: GenerationError(kind, "down"))
    }

    private func fresh(_ lifetime: Double?, refreshIn: Double? = nil, _ text: String = "t") -> FetchedToken {
        FetchedToken(value: Secret(text), lifetime: lifetime, refreshIn: refreshIn)
    }

    /// After a reload, the old token serves the call that starts the refresh.
    @Test func renewal() {
        var cache = TokenCache()
        cache.renew()
        #expect(cache.lookup(at(0)).token == nil)
        cache.beginRefresh(at(0))
        _ = cache.succeeded(fresh(3600), now: at(0), random: 0.5)
        let later = at(10)
        #expect(cache.lookup(later).needsRefresh == false)
        cache.renew()
        #expect(cache.lookup(later).token != nil && cache.lookup(later).needsRefresh)
        cache.beginRefresh(later)
        #expect(!cache.lookup(later).needsRefresh)
    }

    @Test(
        "opens its window in the last five minutes, or the last fifth of a short life",
        arguments: [
            (3600.0, 0.5, 3300.0), (3600, 0, 3360), (3600, 1, 3240), (100, 0.5, 80), (2, 0.5, 1.6),
        ])
    func window(_ lifetime: Double, _ random: Double, _ opens: Double) {
        var cache = TokenCache()
        _ = cache.succeeded(fresh(lifetime), now: at(0), random: random)
        #expect(!cache.lookup(at(opens - 0.01)).needsRefresh)
        #expect(cache.lookup(at(opens + 0.01)).needsRefresh)
        cache.beginRefresh(at(opens + 0.01))
        #expect(!cache.lookup(at(opens + 0.01)).needsRefresh)
    }

    @Test("refreshes early if the issuer asks for it")
    func refreshIn() {
        var cache = TokenCache()
        _ = cache.succeeded(fresh(86400, refreshIn: 43200), now: at(0), random: 0.5)
        #expect(!cache.lookup(at(43199)).needsRefresh)
        #expect(cache.lookup(at(43201)).needsRefresh)
    }

    @Test("keeps a token without an expiry")
    func noExpiry() {
        var cache = TokenCache()
        let fetched = cache.succeeded(fresh(nil), now: at(5), random: 0.5)
        #expect(fetched.expiresAt == nil)
        let (token, needsRefresh) = cache.lookup(at(4e9))
        #expect(token != nil)
        #expect(!needsRefresh)
        #expect(cache.state(at(4e9)).expiresInSeconds == nil)
    }

    @Test("does not use a token shortly before its expiry")
    func margin() {
        var cache = TokenCache()
        let token = cache.succeeded(fresh(3600), now: at(0), random: 0.5)
        #expect(token.expiresAt == at(3600))
        #expect(cache.lookup(at(3594)).token != nil)
        #expect(cache.lookup(at(3596)).token == nil)
    }

    @Test("backs off twice as long each time, and less without a token")
    func backoff() {
        var cache = TokenCache()
        _ = cache.succeeded(fresh(3600), now: at(0), random: 0.5)
        var now = at(3301)
        for wait in [1, 2, 4, 8, 16, 32, 60] as [Double] {
            #expect(cache.lookup(now).needsRefresh)
            cache.beginRefresh(now)
            let error = cache.failed(failure(), now: now)
            #expect(error.retryAfterMilliseconds == Int64(wait * 1000))
            #expect(cache.state(now).status == .stale)
            #expect(!cache.lookup(now + .seconds(wait - 0.001)).needsRefresh)
            now = now + .seconds(wait)
        }
        // The token runs out; nobody waits a minute for the next try.
        cache.beginRefresh(at(3594))
        _ = cache.failed(failure(), now: at(3594))
        guard case .failure = cache.demand(at(3600)) else { Issue.record("no error"); return }
        guard case .wait(.due) = cache.demand(at(3605)) else { Issue.record("no try"); return }
        let error = cache.failed(failure(), now: at(3605))
        #expect(error.retryAfterMilliseconds == 10_000)
        #expect(cache.state(at(3605)).status == .failed)
    }

    @Test("sets no retry time for permanent errors")
    func refusal() {
        var cache = TokenCache()
        let error = cache.failed(failure(.authentication), now: at(0))
        #expect(error.retryAfterMilliseconds == nil)
    }

    @Test("keeps the generation of an unchanged token, unless it was rejected")
    func sameToken() {
        var cache = TokenCache()
        let first = cache.succeeded(fresh(nil, refreshIn: 1), now: at(0), random: 0.5)
        let second = cache.succeeded(fresh(nil, refreshIn: 1), now: at(1), random: 0.5)
        #expect(second.generation == first.generation)
        let isDropped = cache.invalidate(first.generation, now: at(2))
        #expect(isDropped)
        let third = cache.succeeded(fresh(nil), now: at(3), random: 0.5)
        #expect(third.generation > first.generation)
    }

    @Test("waits for a refresh in progress")
    func waits() {
        var cache = TokenCache()
        guard case .wait(.due) = cache.demand(at(0)) else { Issue.record("no start"); return }
        cache.beginRefresh(at(0))
        guard case .wait(.inProgress) = cache.demand(at(0)) else { Issue.record("two starts"); return }
        cache.abandonRefresh()
        guard case .wait(.later(at(1))) = cache.demand(at(0)) else { Issue.record("at once"); return }
        guard case .wait(.due) = cache.demand(at(1)) else { Issue.record("no start"); return }
    }

    /// One minute in steps of a millisecond.
    @Test(
        "limits the refreshes whatever lifetime it is told",
        arguments: [(0.002, nil), (0, nil), (1.5, nil), (3600, 0.001)] as [(Double, Double?)], [true, false])
    func floor(_ life: (lifetime: Double, refreshIn: Double?), _ isAsked: Bool) {
        var cache = TokenCache()
        var count = 0
        var visit: Instant? = at(0)
        for millisecond in 0..<60_000 {
            let now = at(Double(millisecond) / 1000)
            var isDue = isAsked && cache.lookup(now).needsRefresh
            if isAsked || visit.map({ $0 <= now }) == true {
                isDue = isDue || cache.lookup(now).needsRefresh
                if case .wait(.due) = cache.demand(now) { isDue = true }
            }
            guard isDue else { continue }
            cache.beginRefresh(now)
            count += 1
            _ = cache.succeeded(fresh(life.lifetime, refreshIn: life.refreshIn), now: now, random: 0.5)
            visit = cache.nextVisit(now)
        }
        #expect(count == (isAsked ? (life.lifetime == 1.5 ? 50 : 60) : 2))
    }

    @Test("replaces a rejected token at once, although it is new")
    func rejectionIsNotHeldUp() {
        var cache = TokenCache()
        cache.beginRefresh(at(0))
        let token = cache.succeeded(fresh(3600), now: at(0), random: 0.5)
        let isDropped = cache.invalidate(token.generation, now: at(1))
        #expect(isDropped)
        guard case .wait(.due) = cache.demand(at(1)) else { Issue.record("it waits"); return }
    }

    @Test("allows further rejections after a while")
    func rejectionCredit() {
        var cache = TokenCache()
        var now = at(0)
        func reject() -> Bool {
            let token = cache.succeeded(FetchedToken(value: Secret("t\(now.nanoseconds)")), now: now, random: 0.5)
            return cache.invalidate(token.generation, now: now)
        }
        let first = [reject(), reject(), reject(), reject(), reject(), reject()]
        #expect(first == [true, true, true, true, true, false])
        now = at(11)
        let later = [reject(), reject()]
        #expect(later == [true, false])
    }
}
