import Config
import EventLoop
import Generation
import JSON
import Testing

@testable import Auth

/// The token cache with a real token endpoint.
@Suite("A credential")
struct CredentialTests {
    @Test("fetches a token once and returns it from the cache")
    func keeps() async throws {
        try await Harness.run { harness in
            let credential = try await harness.coin()
            #expect(credential.current == nil)
            #expect(credential.state.status == .pending)
            let first = try await harness.token(credential).get()
            #expect(first.value.reveal().hasPrefix("sim-token-"))
            #expect(credential.current?.generation == first.generation)
            let second = try await harness.token(credential).get()
            #expect(second.generation == first.generation)
            #expect(try await harness.requests("/oauth/token") == 1)
            let state = credential.state
            #expect(state.status == .healthy)
            #expect(state.lastError == nil)
            let left = try #require(state.expiresInSeconds)
            #expect((3000...3600).contains(left))
            #expect(state.secondsSinceRefresh != nil)
            #expect(!"\(first)".contains("sim-token"))
        }
    }

    @Test("serves a thousand waiters on two loops with one call")
    func singleFlight() async throws {
        try await Harness.run(loops: 2) { harness in
            let credential = try await harness.coin("delay=300")
            let tokens = await withTaskGroup(of: String.self) { group in
                for index in 0..<1000 {
                    group.addTask {
                        let result = await harness.token(credential, on: index % 2)
                        return (try? result.get().value.reveal()) ?? "\(result)"
                    }
                }
                return await group.reduce(into: Set<String>()) { seen, text in seen.insert(text) }
            }
            #expect(tokens.count == 1)
            #expect(tokens.first?.hasPrefix("sim-token-") == true)
            #expect(try await harness.requests("/oauth/token") == 1)
        }
    }

    @Test("calls back on the waiter's loop, and never before `token` has returned")
    func ownLoop() async throws {
        try await Harness.run(loops: 2) { harness in
            let credential = try await harness.coin()
            for index in [1, 0, 1] {
                let loop = harness.loops[index]
                let (isOnLoop, isLater) = await withCheckedContinuation { continuation in
                    loop.execute {
                        var hasReturned = false
                        _ = credential.token(on: loop) { _ in
                            continuation.resume(returning: (loop.isCurrent, hasReturned))
                        }
                        hasReturned = true
                    }
                }
                #expect(isOnLoop)
                #expect(isLater)
            }
        }
    }

    @Test("replaces an expiring token even if no caller asks")
    func expiry() async throws {
        try await Harness.run { harness in
            var timing = CacheTiming()
            timing.quietInterval = 0.1
            let credential = try await harness.coin("expires=1", timing: timing)
            let first = try await harness.text(credential)
            #expect(try await eventually { try await harness.requests("/oauth/token") >= 3 })
            #expect(try await eventually { credential.current != nil })
            #expect(try await harness.text(credential) != first)
        }
    }

    @Test("limits the refreshes of tokens that expire at once")
    func tooShortLife() async throws {
        try await Harness.run { harness in
            let credential = try await harness.coin("expires=0.002")
            let first = try await harness.text(credential)
            // Without demand there are no refreshes; otherwise there would be hundreds.
            try await Task.sleep(nanoseconds: 500_000_000)
            #expect(try await harness.requests("/oauth/token") == 1)
            // Demand fetches the next token as soon as the minimum interval allows.
            let tokens = await withTaskGroup(of: String?.self) { group in
                for _ in 0..<50 { group.addTask { try? await harness.text(credential) } }
                return await group.reduce(into: Set<String?>()) { $0.insert($1) }
            }
            #expect(tokens.count == 1 && tokens.first != first && !tokens.contains(nil))
            #expect(try await harness.requests("/oauth/token") == 2)
        }
    }

    @Test("fetches only on demand while it is retired")
    func retirement() async throws {
        try await Harness.run { harness in
            var timing = CacheTiming()
            (timing.quietInterval, timing.demandInterval) = (0.1, 0.1)
            let credential = try await harness.coin("expires=0.2", timing: timing)
            _ = try await harness.text(credential)
            #expect(try await eventually { try await harness.requests("/oauth/token") >= 3 })
            credential.retire()
            // One request may be in progress.
            try await Task.sleep(nanoseconds: 300_000_000)
            let count = try await harness.requests("/oauth/token")
            try await Task.sleep(nanoseconds: 700_000_000)
            #expect(try await harness.requests("/oauth/token") == count)
            _ = try await harness.text(credential)
            #expect(try await harness.requests("/oauth/token") == count + 1)
            await harness.attach(credential)
            #expect(try await eventually { try await harness.requests("/oauth/token") >= count + 4 })
        }
    }

    /// A lifetime of ten minutes, of which all but the first moments are the early window.
    private static var early: CacheTiming {
        var timing = CacheTiming()
        (timing.earlyWindow, timing.earlyPart, timing.jitter) = (599.9, 1, 0)
        (timing.firstBackoff, timing.demandInterval, timing.quietInterval) = (0.1, 0.1, 0.1)
        return timing
    }

    @Test("refreshes in the background while the old token serves")
    func earlyRefresh() async throws {
        try await Harness.run { harness in
            let credential = try await harness.coin("expires=600", timing: Self.early)
            let first = try await harness.text(credential)
            _ = try await harness.get("/sim/tokens/set?delay=400&expires=3600")
            // Every call is served meanwhile.
            #expect(try await eventually { try #require(credential.current).value.reveal() != first })
            #expect(try await eventually { credential.state.expiresInSeconds ?? 0 > 1000 })
            // The new token is valid for long: no demand causes another request.
            let count = try await harness.requests("/oauth/token")
            for _ in 0..<1000 { _ = credential.current }
            #expect(try await harness.requests("/oauth/token") == count)
        }
    }

    @Test("continues with a valid token while the endpoint is down, and recovers")
    func downWhileValid() async throws {
        try await Harness.run { harness in
            let credential = try await harness.coin("expires=600", timing: Self.early)
            _ = try await harness.text(credential)
            _ = try await harness.get("/sim/tokens/set?status=503")
            // Without demand: the credential notices by itself.
            #expect(try await eventually { credential.state.status == .stale })
            let old = try #require(credential.current).value.reveal()
            let state = credential.state
            #expect(state.lastError?.contains("503") == true)
            #expect(state.expiresInSeconds != nil)
            _ = try await harness.get("/sim/tokens/set")
            #expect(try await eventually { credential.current?.value.reveal() != old })
            #expect(try await eventually { credential.state.lastError == nil })
        }
    }

    @Test("returns the same error to all waiters, and to later callers until the next attempt")
    func failure() async throws {
        try await Harness.run(loops: 2) { harness in
            var timing = CacheTiming()
            timing.firstBackoff = 300
            timing.longestBackoffWithoutToken = 300
            let credential = try await harness.coin("status=500 delay=200", timing: timing)
            let errors = await withTaskGroup(of: String.self) { group in
                for index in 0..<100 {
                    group.addTask { "\(await harness.token(credential, on: index % 2))" }
                }
                return await group.reduce(into: Set<String>()) { seen, text in seen.insert(text) }
            }
            #expect(errors.count == 1)
            let error = try await harness.error(credential)
            #expect(error.kind == .providerUnavailable)
            #expect(error.httpStatus == 500)
            #expect(error.retryAfterMilliseconds == 300_000)
            #expect(error.message.contains("auth 'corp' (coin)"))
            #expect(error.message.contains("/oauth/token"))
            #expect(try await harness.requests("/oauth/token") == 1)
            #expect(credential.state.status == .failed)
            #expect(credential.state.lastError == error.message)
        }
    }

    @Test("tries again after a failure")
    func recovery() async throws {
        try await Harness.run { harness in
            var timing = CacheTiming()
            timing.firstBackoff = 0.05
            let credential = try await harness.coin("fail_first=2", timing: timing)
            _ = try await harness.error(credential)
            #expect(try await eventually { await !harness.token(credential).isFailure })
            #expect(try await harness.requests("/oauth/token") == 3)
        }
    }

    @Test("replaces a rejected token once, however many calls report it")
    func invalidation() async throws {
        try await Harness.run { harness in
            let credential = try await harness.coin()
            let first = try await harness.token(credential).get()
            for _ in 0..<20 { #expect(credential.invalidate(first.generation)) }
            #expect(credential.current == nil)
            let second = try await harness.token(credential).get()
            #expect(second.generation > first.generation)
            // Late rejections of the old token do not invalidate the new one.
            #expect(credential.invalidate(first.generation))
            #expect(credential.current?.generation == second.generation)
            #expect(try await harness.requests("/oauth/token") == 2)
        }
    }

    @Test("limits the refreshes if every token is rejected")
    func hopelessInvalidation() async throws {
        try await Harness.run { harness in
            let credential = try await harness.coin()
            var count = 0
            while count < 100, credential.invalidate(try await harness.token(credential).get().generation) {
                count += 1
            }
            #expect((4...20).contains(count))
            #expect(credential.current != nil)
        }
    }

    @Test("continues the refresh when one waiter cancels")
    func cancelledWaiters() async throws {
        try await Harness.run { harness in
            let credential = try await harness.coin("delay=300")
            let loop = harness.loops[0]
            let calls = Locked(0)
            await loop.perform {
                for _ in 0..<10 {
                    let waiter = credential.token(on: loop) { _ in calls.withLock { $0 += 1 } }
                    waiter.cancel()
                    waiter.cancel()
                }
            }
            _ = try await harness.text(credential)
            // Cancelled between the response and its delivery.
            await loop.perform { credential.token(on: loop) { _ in calls.withLock { $0 += 1 } }.cancel() }
            _ = try await harness.text(credential)
            #expect(calls.withLock { $0 } == 0)
            #expect(try await harness.requests("/oauth/token") == 1)
        }
    }

    @Test("finishes a refresh after its last waiter has cancelled")
    func abandonedRefresh() async throws {
        try await Harness.run { harness in
            let credential = try await harness.coin("delay=200")
            let loop = harness.loops[0]
            await loop.perform { credential.token(on: loop) { _ in }.cancel() }
            #expect(try await eventually { credential.current != nil })
            #expect(try await harness.requests("/oauth/token") == 1)
        }
    }

    @Test("times out if the endpoint never responds")
    func stall() async throws {
        try await Harness.run { harness in
            var timing = CacheTiming()
            timing.refreshTimeout = 0.4
            let credential = try await harness.coin("stall", timing: timing)
            let error = try await harness.error(credential)
            #expect(error.kind == .providerUnavailable)
            #expect(error.message.contains("0.4 s"))
            #expect(error.message.contains("/oauth/token"))
        }
    }

    @Test("reports an unreachable endpoint")
    func refused() async throws {
        try await Harness.run { harness in
            let credential = try await harness.credential(
                "type: coin, token_url: \"http://127.0.0.1:1/t?key=hidden-key\", client_id: c, client_secret: s3cret-s3cret"
            )
            let error = try await harness.error(credential)
            #expect(error.kind == .network)
            #expect(error.message.contains("http://127.0.0.1:1/t could not be reached"))
            #expect(!error.message.contains("hidden"))
        }
    }

    @Test("accepts a request for a token before it is attached")
    func lateAttach() async throws {
        try await Harness.run { harness in
            let credential = try await harness.credential(
                "type: coin, token_url: \"\(harness.base)/oauth/token\", client_id: c, client_secret: s3cret",
                attach: false)
            credential.prefetch()
            async let token = harness.token(credential)
            try await Task.sleep(nanoseconds: 20_000_000)
            await harness.attach(credential)
            #expect(try await token.get().value.reveal().hasPrefix("sim-token-"))
            #expect(try await harness.requests("/oauth/token") == 1)
        }
    }

    @Test("fails its waiters when it is detached")
    func detach() async throws {
        try await Harness.run { harness in
            let credential = try await harness.coin("stall")
            let loop = harness.loops[0]
            async let result = harness.token(credential)
            #expect(try await eventually { try await harness.requests("/oauth/token") == 1 })
            await loop.perform { credential.detach() }
            guard case .failure(let error) = await result else {
                Issue.record("a token")
                return
            }
            #expect(error.kind == .shuttingDown)
            // Nobody waits for a token that will never arrive.
            #expect(try await harness.error(credential).kind == .shuttingDown)
        }
    }

    @Test(
        "is ready at once where it is fixed",
        arguments: ["type: static, token: t0ken", "type: api_key, api_key: t0ken"])
    func fixed(_ entry: String) async throws {
        try await Harness.run { harness in
            let credential = try await harness.credential(entry, attach: false)
            #expect(credential.current?.value.reveal() == "t0ken")
            #expect(try await harness.text(credential) == "t0ken")
            #expect(credential.isKey == entry.contains("api_key"))
            #expect(!credential.invalidate(0))
            #expect(credential.current != nil)
            #expect(credential.state == CredentialState(status: .healthy))
        }
    }
}

extension Result {
    var isFailure: Bool { if case .failure = self { true } else { false } }
}
