import EventLoop
import Glibc
import Synchronization
import TestSupport
import Testing

@testable import HTTPClient

/// A request is sent again only if no server can have acted on the first sending.
@Suite struct ResendTests {
    /// A resend window so long that every loss counts as immediate, even on a slow machine.
    private static var patient: HTTPClientOptions {
        var options = HTTPClientOptions()
        options.resendWindow = .seconds(60)
        return options
    }

    @Test(arguments: PollerKind.allCases)
    func aServerThatWorkedAndClosedGetsNoSecondRequest(_ poller: PollerKind) async throws {
        let requests = Atomic<Int>(0)
        let server = TestServer { connection in
            guard connection.request() != nil else { return }
            connection.answer("first")
            guard connection.request() != nil else { return }
            requests.add(1, ordering: .relaxed)
            // Works for a while, then fails.
            usleep(300_000)
        }
        defer { server.stop() }
        try await Harness.run(poller) { harness in
            #expect(await harness.fetch(server.url(), body: [1]).text == "first")
            let got = await harness.fetch(server.url(), body: [1])
            #expect(got.error?.kind == .interrupted)
            #expect(got.error?.description.contains("was not sent again") == true, "\(String(describing: got.error))")
            #expect(got.head == nil)
            #expect(got.transfer?.resend == nil)
            #expect(got.violations.isEmpty)
        }
        #expect(requests.load(ordering: .relaxed) == 1)
    }

    @Test(arguments: PollerKind.allCases)
    func aConnectionThatWasClosedIdleIsReplaced(_ poller: PollerKind) async throws {
        let closed = Atomic<Int>(0)
        let server = TestServer { connection in
            guard connection.request() != nil else { return }
            // Announces keep-alive, but closes.
            connection.answer("bye")
            connection.hangUp()
            closed.add(1, ordering: .releasing)
        }
        defer { server.stop() }
        try await Harness.run(poller) { harness in
            for round in 1...5 {
                let got = await harness.fetch(server.url(), body: Array("x".utf8))
                #expect(got.error == nil)
                #expect(got.text == "bye")
                // Nothing was sent on the old connection.
                #expect(got.transfer?.resend == nil)
                #expect(await eventually { closed.load(ordering: .acquiring) == round })
            }
        }
    }

    /// The server may have read and acted on the request, however quickly it then closed.
    @Test(arguments: PollerKind.allCases)
    func aServerThatReadTheRequestAndClosedAtOnceGetsNoSecondOne(_ poller: PollerKind) async throws {
        let requests = Atomic<Int>(0)
        let server = TestServer { connection in
            guard connection.request() != nil else { return }
            connection.answer("first")
            guard connection.request() != nil else { return }
            requests.add(1, ordering: .relaxed)
        }
        defer { server.stop() }
        try await Harness.run(poller, options: Self.patient) { harness in
            for round in 1...5 {
                #expect(await harness.fetch(server.url(), body: [1]).text == "first")
                let got = await harness.fetch(server.url(), body: [1])
                #expect(got.error?.description.contains("was not sent again") == true, "round \(round)")
                #expect(got.transfer?.resend == nil)
            }
        }
        #expect(requests.load(ordering: .relaxed) == 5)
    }

    /// The server closes while the request is in flight, and resets the connection without reading it. Sometimes the
    /// reset arrives before libcurl watches the socket, hence the repetitions.
    @Test(arguments: PollerKind.allCases)
    func aRequestThatCrossedTheEndIsSentAgainAndSaysSo(_ poller: PollerKind) async throws {
        let requests = Atomic<Int>(0)
        let server = TestServer { connection in
            guard connection.request() != nil else { return }
            requests.add(1, ordering: .relaxed)
            connection.answer("ok")
            connection.waitForBytes()
        }
        defer { server.stop() }
        try await Harness.run(poller, options: Self.patient) { harness in
            #expect(await harness.fetch(server.url(), body: [1]).transfer?.resend == nil)
            for size in Array(repeating: 1, count: 20) + [3_000_000] {
                let got = await harness.fetch(server.url(), body: [UInt8](repeating: 65, count: size))
                #expect(got.error == nil)
                #expect(got.text == "ok")
                let resend = try #require(got.transfer?.resend)
                #expect(resend.error.kind == .interrupted)
                #expect(resend.error.description.contains("sent again"))
                #expect(resend.microseconds >= 0)
                #expect(got.violations.isEmpty)
            }
        }
        #expect(requests.load(ordering: .relaxed) == 22)
    }

    /// A second idle connection is as likely to be closed as the first: the second sending uses a new connection.
    @Test func theSecondSendingGoesToANewConnection() async throws {
        let requests = Atomic<Int>(0)
        let unread = Atomic<Int>(0)
        let server = TestServer { connection in
            guard connection.request() != nil else { return }
            // The first two run concurrently, so that two connections stay open.
            requests.add(1, ordering: .acquiringAndReleasing)
            while requests.load(ordering: .acquiring) < 2 { usleep(1000) }
            connection.answer("ok")
            if connection.waitForBytes() { unread.add(1, ordering: .relaxed) }
        }
        defer { server.stop() }
        try await Harness.run(options: Self.patient) { harness in
            async let one = harness.fetch(server.url(), body: [1])
            async let two = harness.fetch(server.url(), body: [1])
            #expect(await [one.text, two.text] == ["ok", "ok"])
            let got = await harness.fetch(server.url(), body: [1])
            #expect(got.text == "ok")
            #expect(got.transfer?.resend != nil)
        }
        #expect(server.accepted == 3)
        #expect(unread.load(ordering: .relaxed) == 1)
        #expect(requests.load(ordering: .relaxed) == 3)
    }

    @Test func thereIsOneSecondSendingAtMost() {
        var record = SendRecord(window: .nanoseconds(5))
        #expect(record.willSend(now: Instant(nanoseconds: 100), connectionCount: 0, loss: "") == .send)
        record.connectionCloses(now: Instant(nanoseconds: 104), roundTrip: .zero, wasDelivered: false)
        // Making the new connection takes its time, which does not count.
        #expect(
            record.willSend(now: Instant(nanoseconds: 900), connectionCount: 0, loss: "reset") == .needsNewConnection)
        record.restarts()
        #expect(record.resend == nil)
        #expect(record.willSend(now: Instant(nanoseconds: 950), connectionCount: 1, loss: "reset") == .send)
        #expect(record.resend?.error.description.contains("reset") == true)
        record.connectionCloses(now: Instant(nanoseconds: 951), roundTrip: .zero, wasDelivered: false)
        guard case .refuse = record.willSend(now: Instant(nanoseconds: 952), connectionCount: 2, loss: "") else {
            Issue.record("a third sending")
            return
        }
    }

    @Test(
        arguments: [(104, 0, true), (106, 0, false), (206, 100, false), (204, 100, true)] as [(UInt64, UInt64, Bool)])
    func theWindowIsARoundTripAndALittle(_ lostAt: UInt64, _ roundTrip: UInt64, _ maySend: Bool) {
        var record = SendRecord(window: .nanoseconds(5))
        #expect(record.refusal(now: Instant(nanoseconds: 50)) == nil)
        _ = record.willSend(now: Instant(nanoseconds: 100), connectionCount: 0, loss: "")
        record.connectionCloses(
            now: Instant(nanoseconds: lostAt), roundTrip: .nanoseconds(roundTrip), wasDelivered: false)
        // What closes later was not the sending's.
        record.connectionCloses(now: Instant(nanoseconds: 1000), roundTrip: .nanoseconds(5000), wasDelivered: false)
        #expect((record.refusal(now: Instant(nanoseconds: 2000)) == nil) == maySend)
    }

    @Test func whatWasDeliveredIsNotSentAgain() {
        var record = SendRecord(window: .nanoseconds(5))
        _ = record.willSend(now: Instant(nanoseconds: 100), connectionCount: 0, loss: "")
        record.connectionCloses(now: Instant(nanoseconds: 101), roundTrip: .nanoseconds(100), wasDelivered: true)
        #expect(record.refusal(now: Instant(nanoseconds: 102))?.description.contains("was not sent again") == true)
    }

    @Test func whereTheLossWasNotSeenItIsNow() {
        var record = SendRecord(window: .nanoseconds(5))
        _ = record.willSend(now: Instant(nanoseconds: 100), connectionCount: 0, loss: "")
        #expect(record.refusal(now: Instant(nanoseconds: 200))?.description.contains("was not sent again") == true)
    }
}
