import EventLoop
import Glibc
import Limits
import Synchronization
import TestSupport
import Testing

@testable import RPC

/// Callers that hold too many resources, and unauthenticated callers.
@Suite struct HostileCallerTests {
    /// A server on a Unix and a TCP socket with a few methods; `Hang` calls never end by themselves.
    private static func with(
        _ limits: ServerLimits = ServerLimits(), tokens: [String: String]? = nil,
        _ body: (_ server: Server, _ unix: Address, _ tcp: Address) async throws -> Void
    ) async throws {
        try await withTemporaryFolder { (folder: String) async throws -> Void in
            let loop = try EventLoop(label: "hostile")
            var policy = AccessPolicy.sameUser
            if let tokens { policy.tokenName = { tokens[$0] } }
            let server = await Server(
                loops: [loop],
                methods: [
                    Method(service: "test.Test", name: "Echo") { call, payload in call.respond(Array(payload)) },
                    Method(service: "test.Test", name: "Light", isLight: true) { call, _ in call.respond([]) },
                    Method(service: "test.Test", name: "Hang") { _, _ in },
                    Method(service: "test.Test", name: "Swell") { call, _ in _ = call.hold(bytes: 60_000) },
                    Method(service: "test.Test", name: "Fail") { call, _ in
                        call.fail(Status(13, String(repeating: "x", count: 5 << 20)))
                    },
                    Method(service: "test.Test", name: "Grow") { call, _ in
                        call.respond([UInt8](repeating: 0, count: 5 << 20))
                    },
                    Method(service: "test.Test", name: "Hello", isOpen: true) { call, payload in
                        guard call.authenticateConnection(token: String(decoding: payload, as: UTF8.self)) else {
                            return
                        }
                        call.respond([])
                    },
                ],
                limits: limits, registry: CallRegistry(), policy: policy)
            let unix = try await server.listen(at: Address("unix:\(folder)/h.sock"))
            let tcp = try await server.listen(at: Address("tcp:127.0.0.1:0"))
            try await body(server, unix, tcp)
            await server.drain(seconds: 0)
            await loop.shutdown()
        }
    }

    private static func echo(_ caller: RawCaller, _ payload: [UInt8] = [], streamID: UInt32) -> Int32? {
        caller.write(RawCaller.request("Echo", payload, streamID: streamID))
        return caller.response()?.status.code
    }

    // MARK: - Requests in progress

    @Test func requestsInProgressHaveABudgetPerConnection() async throws {
        var limits = ServerLimits()
        limits.maxRequestBytesPerConnection = 100_000
        try await Self.with(limits) { _, unix, _ in
            let caller = try RawCaller(unix)
            let payload = [UInt8](repeating: 1, count: 40_000)
            for stream: UInt32 in [1, 3] {
                caller.write(RawCaller.request("Hang", payload, streamID: stream, timeoutNanoseconds: 1_000_000_000))
            }
            caller.write(RawCaller.request("Hang", payload, streamID: 5))
            let refused = try #require(caller.response())
            #expect(refused.streamID == 5 && refused.status.code == Status.Code.resourceExhausted)
            // Small calls are accepted, so that a caller can inspect and cancel calls.
            #expect(Self.echo(caller, streamID: 7) == 0)
            // Other connections have their own limit, and ended calls no longer count.
            #expect(Self.echo(try RawCaller(unix), payload, streamID: 1) == 0)
            #expect([caller.response()?.status.code, caller.response()?.status.code] == [4, 4])
            #expect(Self.echo(caller, payload, streamID: 9) == 0)
        }
    }

    @Test func requestsInProgressHaveABudgetOverAllConnections() async throws {
        var limits = ServerLimits()
        limits.maxRequestBytes = 100_000
        try await Self.with(limits) { _, unix, _ in
            let payload = [UInt8](repeating: 1, count: 40_000)
            var callers: [RawCaller] = []
            for _ in 0..<2 {
                let caller = try RawCaller(unix)
                caller.write(RawCaller.request("Hang", payload, streamID: 1))
                #expect(Self.echo(caller, streamID: 3) == 0)
                callers.append(caller)
            }
            let third = try RawCaller(unix)
            #expect(Self.echo(third, payload, streamID: 1) == Status.Code.resourceExhausted)
            #expect(Self.echo(third, streamID: 3) == 0)
            callers.removeAll()
            // The bytes of a closed connection are released.
            #expect(await eventually { Self.echo(third, payload, streamID: Self.next()) == 0 })
        }
    }

    private static let streamID = Atomic<UInt32>(101)
    private static func next() -> UInt32 { streamID.wrappingAdd(2, ordering: .relaxed).newValue }

    private func eventually(_ condition: () -> Bool) async -> Bool {
        for _ in 0..<3000 {
            if condition() { return true }
            try? await Task.sleep(nanoseconds: 5_000_000)
        }
        return false
    }

    /// An incomplete frame counts its bytes, whether or not it ever ends.
    @Test func unfinishedFramesCount() async throws {
        var limits = ServerLimits()
        limits.maxRequestBytes = 200_000
        try await Self.with(limits) { server, unix, _ in
            let first = try RawCaller(unix)
            let frame = RawCaller.request("Echo", [UInt8](repeating: 1, count: 180_000), streamID: 1)
            first.write(frame.prefix(150_000))
            #expect(await eventually { server.requestBytes == 150_000 })
            let second = try RawCaller(unix)
            second.write(frame.prefix(150_000))
            let refused = try #require(second.response())
            #expect(refused.streamID == 1 && refused.status.code == Status.Code.resourceExhausted)
            // The rest of the refused frame is skipped, and the connection stays open.
            second.write(frame.dropFirst(150_000))
            #expect(Self.echo(second, streamID: 3) == 0)
            first.write(frame.dropFirst(150_000))
            #expect(first.response()?.status.code == 0)
        }
    }

    // MARK: - Responses

    @Test func noFrameThatLeavesIsOverTheLimit() async throws {
        try await Self.with { _, unix, _ in
            let caller = try RawCaller(unix)
            for (index, method) in ["Fail", "Grow"].enumerated() {
                caller.write(RawCaller.request(method, streamID: UInt32(2 * index + 1)))
                let answer = try #require(caller.response())
                #expect(answer.status.code == Status.Code.resourceExhausted, "\(method)")
                #expect(answer.status.message.utf8.count < 500)
            }
            #expect(Self.echo(caller, streamID: 5) == 0)
        }
    }

    @Test func aDeadlineInThePastHasPassed() async throws {
        try await Self.with { _, unix, _ in
            let caller = try RawCaller(unix)
            caller.write(RawCaller.request("Hang", streamID: 1, timeoutNanoseconds: -5))
            #expect(caller.response()?.status.code == Status.Code.deadlineExceeded)
        }
    }

    @Test func metadataHasABound() async throws {
        try await Self.with { _, unix, _ in
            let caller = try RawCaller(unix)
            caller.write(RawCaller.request("Echo", streamID: 1, token: String(repeating: "t", count: 17 << 10)))
            #expect(caller.response()?.status.code == Status.Code.resourceExhausted)
            #expect(Self.echo(caller, streamID: 3) == 0)
        }
    }

    // MARK: - Strangers

    private static let tokens = ["right": "name"]

    @Test func aStrangersFrameIsSmall() async throws {
        try await Self.with(tokens: Self.tokens) { _, _, tcp in
            let large = [UInt8](repeating: 1, count: 100_000)
            let stranger = try RawCaller(tcp)
            // The header is enough: a frame that will be refused is not buffered.
            stranger.write(RawCaller.request("Echo", large, streamID: 1, token: "right").prefix(100))
            #expect(stranger.response()?.status.code == Status.Code.unauthenticated)
            #expect(stranger.isClosed())
            // Authenticated by the previous frame in the same packet.
            let known = try RawCaller(tcp)
            known.write(
                RawCaller.request("Hello", Array("right".utf8), streamID: 1)
                    + RawCaller.request("Echo", large, streamID: 3))
            #expect(known.response()?.status.code == 0)
            #expect(known.response()?.status.code == 0)
            // Authenticated by the token of an earlier call.
            let byCall = try RawCaller(tcp)
            byCall.write(RawCaller.request("Echo", streamID: 1, token: "right"))
            #expect(byCall.response()?.status.code == 0)
            byCall.write(RawCaller.request("Echo", large, streamID: 3, token: "right"))
            #expect(byCall.response()?.status.code == 0)
        }
    }

    @Test func strangersHavePlacesOfTheirOwn() async throws {
        var limits = ServerLimits()
        limits.maxConnections = 2
        limits.maxStrangers = 3
        try await Self.with(limits, tokens: Self.tokens) { server, unix, tcp in
            let local = try RawCaller(unix)
            #expect(Self.echo(local, streamID: 1) == 0)
            func strangers(_ count: Int) throws -> [RawCaller] {
                // Each connection starts a frame and never completes it.
                try (0..<count).map { _ in
                    let stranger = try RawCaller(tcp)
                    stranger.write([0, 0, 1])
                    return stranger
                }
            }
            let first = try strangers(3)
            // Strangers past their grace period are replaced by others.
            try await Task.sleep(nanoseconds: 2 * ServerLimits.strangerGrace.nanoseconds)
            let second = try strangers(3)
            for stranger in first { #expect(stranger.isClosed()) }
            #expect(!second.isEmpty)
            try await Task.sleep(nanoseconds: 2 * ServerLimits.strangerGrace.nanoseconds)
            #expect(Self.echo(local, streamID: 3) == 0)
            #expect(server.connectionCount == 1)
            // One place is left for a known caller; a stranger that authenticates takes it.
            let known = try RawCaller(tcp)
            known.write(RawCaller.request("Echo", streamID: 1, token: "right"))
            #expect(known.response()?.status.code == 0)
            #expect(server.connectionCount == 2)
            let late = try RawCaller(tcp)
            late.write(RawCaller.request("Echo", streamID: 1, token: "right"))
            #expect(late.response()?.status.code == Status.Code.resourceExhausted)
            #expect(late.isClosed())
            #expect(Self.echo(local, streamID: 5) == 0)
        }
    }

    /// Whatever a stranger sends, the server writes at most one unread response.
    @Test func aStrangersFirstMistakeIsItsLast() async throws {
        try await Self.with(tokens: Self.tokens) { _, _, tcp in
            var even = [UInt8](repeating: 0, count: FrameHeader.size)
            even.withUnsafeMutableBytes { FrameHeader(length: 0, streamID: 2, kind: 1, flags: 0).write(to: $0) }
            let stranger = try RawCaller(tcp)
            for _ in 0..<1000 { stranger.write(even) }
            #expect(stranger.response()?.status.code == Status.Code.invalidArgument)
            #expect(stranger.response() == nil && stranger.isClosed())
            let curious = try RawCaller(tcp)
            curious.write(RawCaller.request("Nothing", streamID: 1) + RawCaller.request("Nothing", streamID: 3))
            #expect(curious.response()?.status.code == Status.Code.unimplemented)
            #expect(curious.response() == nil && curious.isClosed())
        }
    }

    @Test func aKnownCallerMayMakeMistakesButNotForEver() async throws {
        try await Self.with { _, unix, _ in
            var even = [UInt8](repeating: 0, count: FrameHeader.size)
            even.withUnsafeMutableBytes { FrameHeader(length: 0, streamID: 2, kind: 1, flags: 0).write(to: $0) }
            let caller = try RawCaller(unix)
            for _ in 0..<999 { caller.write(even) }
            for _ in 0..<999 { #expect(caller.response()?.status.code == Status.Code.invalidArgument) }
            #expect(Self.echo(caller, streamID: 1) == 0)
            caller.write(even)
            #expect(caller.response() != nil && caller.isClosed())
        }
    }

    /// With many loops there are as many places as with one.
    @Test func placesAreSharedByAllLoops() async throws {
        try await withTemporaryFolder { (folder: String) async throws -> Void in
            let loops = try (0..<64).map { try EventLoop(label: "hostile-\($0)") }
            var policy = AccessPolicy.sameUser
            policy.tokenName = { Self.tokens[$0] }
            var limits = ServerLimits()
            limits.strangerTimeoutNanoseconds = 600_000_000_000  // a busy machine may hold the tokens back
            let server = await Server(
                loops: loops, methods: [Method(service: "test.Test", name: "Echo") { call, _ in call.respond([]) }],
                limits: limits, registry: CallRegistry(), policy: policy)
            let tcp = try await server.listen(at: Address("tcp:127.0.0.1:0"))
            let callers = try (0..<40).map { _ in try RawCaller(tcp) }
            for caller in callers {
                caller.write(RawCaller.request("Echo", streamID: 1, token: "right"))
                #expect(caller.response()?.status.code == 0)
            }
            await server.drain(seconds: 0)
            for loop in loops { await loop.shutdown() }
        }
    }

    /// A caller with many frames in flight is always in the middle of one.
    @Test func theTimeOfAFrameBeginsWithTheFrame() async throws {
        let limit: UInt64 = 3_000_000_000
        var limits = ServerLimits()
        limits.frameTimeoutNanoseconds = limit
        try await Self.with(limits) { _, unix, _ in
            // If the machine delayed this test so long that a frame was late, the round is inconclusive.
            var isConclusive = false
            for _ in 0..<20 where !isConclusive {
                let caller = try RawCaller(unix)
                var rest = RawCaller.request("Echo", streamID: 1)[...]
                var longestGap = TimeAmount.zero
                var begunAt = Instant.now()
                var answers = 0
                for index in 1...6 {
                    let next = RawCaller.request("Echo", streamID: UInt32(2 * index + 1))
                    let nextBegunAt = Instant.now()
                    caller.write(rest + next.prefix(5))
                    longestGap = max(longestGap, Instant.now() - begunAt)
                    begunAt = nextBegunAt
                    rest = next.dropFirst(5)
                    if caller.response()?.status.code == 0 { answers += 1 }
                    usleep(700_000)
                }
                isConclusive = answers == 6 || longestGap.nanoseconds < limit / 2
                if isConclusive { #expect(answers == 6) }
            }
            #expect(isConclusive)
        }
    }

    /// A call that inspects or cancels calls in progress is accepted even if it arrives in parts.
    @Test func smallCallsComeThroughInPieces() async throws {
        var limits = ServerLimits()
        limits.maxRequestBytesPerConnection = 100_000
        limits.frameTimeoutNanoseconds = 600_000_000_000  // a busy machine may hold the pieces back
        try await Self.with(limits) { server, unix, _ in
            let caller = try RawCaller(unix)
            caller.write(RawCaller.request("Hang", [UInt8](repeating: 1, count: 99_000), streamID: 1))
            #expect(await eventually { server.requestBytes > 99_000 })
            let echo = RawCaller.request("Light", [UInt8](repeating: 1, count: 2000), streamID: 3)
            caller.write(echo.prefix(1500))
            usleep(50_000)
            caller.write(echo.dropFirst(1500))
            let answer = try #require(caller.response())
            #expect(answer.streamID == 3 && answer.status.code == 0)
            #expect(Self.echo(caller, [UInt8](repeating: 1, count: 2000), streamID: 5) == Status.Code.resourceExhausted)
        }
    }

    /// A call counts with the memory it keeps, not with the bytes received.
    @Test func aCallCountsWithWhatItHolds() async throws {
        var limits = ServerLimits()
        limits.maxRequestBytesPerConnection = 100_000
        try await Self.with(limits) { server, unix, _ in
            let caller = try RawCaller(unix)
            caller.write(RawCaller.request("Swell", streamID: 1) + RawCaller.request("Swell", streamID: 3))
            let refused = try #require(caller.response())
            #expect(refused.streamID == 3 && refused.status.code == Status.Code.resourceExhausted)
            #expect(server.requestBytes == 60_000)
        }
    }

    /// Unread responses are limited over all connections.
    @Test func unreadAnswersHaveABudgetOverAllConnections() async throws {
        var limits = ServerLimits()
        limits.maxBufferedBytes = 4 << 20
        try await Self.with(limits) { _, unix, _ in
            let payload = [UInt8](repeating: 1, count: 1 << 20)
            let callers = try (0..<16).map { _ in try RawCaller(unix) }
            for caller in callers { caller.write(RawCaller.request("Echo", payload, streamID: 1)) }
            // The kernel accepts part of each; the rest exceeds the limit.
            let closed = callers.count { $0.response() == nil }
            #expect(closed > 0 && closed < 16)
            #expect(Self.echo(try RawCaller(unix), streamID: 1) == 0)
        }
    }

    @Test func aGuessCostsItsConnectionHoweverItIsMade() async throws {
        try await Self.with(tokens: Self.tokens) { _, _, tcp in
            for request in [
                RawCaller.request("Hello", Array("wrong".utf8), streamID: 1),
                RawCaller.request("Hello", streamID: 1), RawCaller.request("Echo", streamID: 1),
                RawCaller.request("Echo", streamID: 1, token: "wrong"),
            ] {
                let stranger = try RawCaller(tcp)
                // Many guesses in one packet: only the first is checked.
                stranger.write(request + RawCaller.request("Hello", Array("right".utf8), streamID: 3))
                #expect(stranger.response()?.status.code == Status.Code.unauthenticated)
                #expect(stranger.response() == nil && stranger.isClosed())
            }
        }
    }

    // MARK: - Reload

    @Test func callersThatAreNoLongerAdmittedAreEnded() async throws {
        try await Self.with(tokens: Self.tokens) { server, unix, tcp in
            let byHello = try RawCaller(tcp)
            byHello.write(
                RawCaller.request("Hello", Array("right".utf8), streamID: 1) + RawCaller.request("Hang", streamID: 3))
            #expect(byHello.response()?.status.code == 0)
            let byCall = try RawCaller(tcp)
            byCall.write(RawCaller.request("Hang", streamID: 1, token: "right"))
            byCall.write(RawCaller.request("Echo", streamID: 3, token: "right"))
            #expect(byCall.response()?.status.code == 0)
            let local = try RawCaller(unix)
            #expect(Self.echo(local, streamID: 1) == 0)
            // Applying the same rules again changes nothing.
            server.adopt(AccessPolicy(users: [geteuid()]) { Self.tokens[$0] })
            byHello.write(RawCaller.request("Echo", streamID: 5))
            #expect(byHello.response()?.status.code == 0)
            server.adopt(AccessPolicy(users: [geteuid()]) { $0 == "other" ? "name" : nil })
            for caller in [byHello, byCall] {
                #expect(caller.response()?.status.code == Status.Code.unauthenticated)
                #expect(caller.isClosed())
            }
            #expect(Self.echo(local, streamID: 3) == 0)
        }
    }
}
