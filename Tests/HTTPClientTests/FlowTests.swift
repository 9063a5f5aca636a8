import EventLoop
import HTTPClient
import Synchronization
import TestSupport
import Testing

/// Backpressure and cancellation.
@Suite struct FlowTests {
    @Test(arguments: PollerKind.allCases)
    func pausingLosesNothing(_ poller: PollerKind) async throws {
        var random = SplitMix(seed: 7)
        // Every chunk's text is known, so that a lost or doubled byte shows.
        let text = (0..<30_000).map { "\($0)," }.joined()
        var chunked = Array("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n".utf8)
        var rest = Array(text.utf8)[...]
        while !rest.isEmpty {
            let part = rest.prefix(Int.random(in: 1...900, using: &random))
            rest = rest.dropFirst(part.count)
            chunked += Array("\(String(part.count, radix: 16))\r\n".utf8) + part + Array("\r\n".utf8)
        }
        chunked += Array("0\r\n\r\n".utf8)
        let answer = chunked
        let server = TestServer { connection in
            var random = SplitMix(seed: 8)
            while connection.request() != nil {
                var rest = answer[...]
                while !rest.isEmpty {
                    let part = rest.prefix(Int.random(in: 1...9000, using: &random))
                    guard connection.send(Array(part)) else { return }
                    rest = rest.dropFirst(part.count)
                }
            }
        }
        defer { server.stop() }
        try await Harness.run(poller) { harness in
            for every in [1, 2, 5] {
                let receiver = Receiver()
                receiver.onPiece = { receiver in
                    guard receiver.pieces % every == 0 else { return .more }
                    // Resumed a turn later, and twice, as a nervous consumer would.
                    harness.loop.execute {
                        receiver.resume()
                        receiver.resume()
                    }
                    return .pause
                }
                let got = await harness.fetch(request(server.url()), receiver)
                #expect(got.error == nil)
                #expect(got.text == text)
                #expect(got.violations.isEmpty)
            }
        }
    }

    /// The whole answer lies in the kernel's buffers before any of it is read, so libcurl has more at hand than one
    /// piece each time that it goes on.
    @Test(arguments: PollerKind.allCases)
    func aPauseHoldsBackWhatLibcurlHasRead(_ poller: PollerKind) async throws {
        let text = (0..<30_000).map { "\($0)," }.joined()
        var answer = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
        var rest = text[...]
        while !rest.isEmpty {
            let part = rest.prefix(700)
            rest = rest.dropFirst(part.count)
            answer += "\(String(part.count, radix: 16))\r\n\(part)\r\n"
        }
        answer += "0\r\n\r\n"
        let whole = answer
        let server = TestServer { connection in
            while connection.request() != nil { connection.send(whole) }
        }
        defer { server.stop() }
        try await Harness.run(poller) { harness in
            let receiver = Receiver()
            receiver.onPiece = { receiver in
                // Some turns of the loop later: libcurl reads on once although it is paused.
                harness.loop.schedule(LoopTimer { receiver.resume() }, after: .milliseconds(2))
                return .pause
            }
            let got = await harness.fetch(request(server.url()), receiver)
            #expect(got.error == nil)
            #expect(got.text == text)
            #expect(got.violations.isEmpty)
        }
    }

    @Test(arguments: PollerKind.allCases)
    func aPausedTransferStopsTheServer(_ poller: PollerKind) async throws {
        let size = 50 << 20
        let sent = Atomic<Int>(0)
        let server = TestServer { connection in
            guard connection.request() != nil else { return }
            connection.send("HTTP/1.1 200 OK\r\nContent-Length: \(size)\r\n\r\n")
            let block = [UInt8](repeating: 0x61, count: 64 << 10)
            for _ in 0..<(size / block.count) {
                guard connection.send(block) else { return }
                sent.store(connection.sent, ordering: .relaxed)
            }
            connection.waitForEnd()
        }
        defer { server.stop() }
        try await Harness.run(poller) { harness in
            let receiver = Receiver()
            receiver.keepsBody = false
            receiver.onPiece = { $0.pieces == 1 ? .pause : .more }
            await harness.start(request(server.url()), receiver)
            // The kernel's buffers fill, then nothing moves any more.
            var last = -1
            while sent.load(ordering: .relaxed) != last || last <= 0 {
                last = sent.load(ordering: .relaxed)
                try await Task.sleep(nanoseconds: 200_000_000)
            }
            #expect(last < size / 2)
            #expect(await harness.loop.perform { receiver.pieces } == 1)
            await harness.loop.perform { receiver.resume() }
            await receiver.finished(on: harness.loop)
            #expect(receiver.error == nil)
            #expect(receiver.largestPiece <= 64 << 10)
            #expect(receiver.violations.isEmpty)
        }
    }

    enum Moment: CaseIterable, Sendable { case atOnce, waiting, inHead, afterHead, inPiece, paused }

    @Test(arguments: PollerKind.allCases, Moment.allCases)
    func cancellingClosesTheConnection(_ poller: PollerKind, _ moment: Moment) async throws {
        let hasRequest = Atomic<Bool>(false)
        let server = TestServer { connection in
            guard connection.request() != nil else { return }
            hasRequest.store(true, ordering: .releasing)
            switch moment {
            case .atOnce, .waiting: break
            case .inHead, .afterHead:
                connection.send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
            case .inPiece, .paused:
                connection.send("HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\npiece")
            }
            connection.waitForEnd()
        }
        defer { server.stop() }
        try await Harness.run(poller) { harness in
            let receiver = Receiver()
            let reached = Atomic<Bool>(false)
            receiver.onHead = { receiver in
                if moment == .inHead { receiver.cancel() }
                if moment == .inHead || moment == .afterHead { reached.store(true, ordering: .releasing) }
            }
            receiver.onPiece = { receiver in
                if moment == .inPiece { receiver.cancel() }
                reached.store(true, ordering: .releasing)
                return .pause
            }
            await harness.loop.perform {
                receiver.transfer = harness.client.start(request(server.url()), delegate: receiver)
                if moment == .atOnce { receiver.cancel() }
            }
            switch moment {
            case .atOnce: break
            case .waiting: #expect(await eventually { hasRequest.load(ordering: .acquiring) })
            default: #expect(await eventually { reached.load(ordering: .acquiring) })
            }
            await harness.loop.perform { receiver.cancel() }
            if moment != .atOnce { #expect(await eventually { server.closedByPeer == 1 }) }
            #expect(await harness.activeCount == 0)
            #expect(socketsConnected(to: server.port) == 0)
            #expect(!receiver.isFinished)
            #expect(receiver.violations.isEmpty)
        }
    }

    @Test(arguments: PollerKind.allCases)
    func stormsLeaveNothingOpen(_ poller: PollerKind) async throws {
        let server = TestServer { connection in
            while let (head, _) = connection.request() {
                if head.contains("/quick") {
                    connection.answer("ok")
                } else {
                    connection.send("HTTP/1.1 200 OK\r\n\r\nsome")
                }
            }
        }
        defer { server.stop() }
        try await Harness.run(poller) { harness in
            for wave in 0..<10 {
                let receivers = await harness.loop.perform { () -> [Receiver] in
                    let receivers = (0..<100).map { _ in Receiver() }
                    for (index, receiver) in receivers.enumerated() {
                        let path = index % 4 == 0 ? "/quick" : "/hang"
                        receiver.transfer = harness.client.start(
                            request(server.url(path), body: [1]), delegate: receiver)
                        if index % 3 == wave % 3 { receiver.cancel() }
                        if index % 3 == 1 {
                            receiver.onPiece = {
                                $0.cancel(); return .more
                            }
                        }
                    }
                    return receivers
                }
                if wave % 2 == 0 { try await Task.sleep(nanoseconds: 5_000_000) }
                await harness.loop.perform { for receiver in receivers { receiver.cancel() } }
                #expect(await harness.activeCount == 0)
            }
            await harness.loop.perform { harness.client.shutdown() }
            #expect(socketsConnected(to: server.port) == 0)
        }
    }

    @Test func aCancelledTransferTakesNoOtherWithIt() async throws {
        let server = TestServer { connection in
            while let (head, _) = connection.request() {
                connection.send("HTTP/1.1 200 OK\r\n\r\nfirst")
                if head.contains("/whole") { return }
                connection.waitForEnd()
            }
        }
        defer { server.stop() }
        try await Harness.run { harness in
            let hanging = Receiver()
            let whole = Receiver()
            // One transfer's callback cancels another transfer.
            whole.onPiece = { _ in
                hanging.cancel()
                return .more
            }
            await harness.start(request(server.url("/hang")), hanging)
            let got = await harness.fetch(request(server.url("/whole")), whole)
            #expect(got.text == "first")
            #expect(got.error == nil)
            #expect(await harness.activeCount == 0)
        }
    }

    @Test func aClientThatIsShutDownRefuses() async throws {
        try await Harness.run { harness in
            await harness.loop.perform { harness.client.shutdown() }
            let got = await harness.fetch("http://127.0.0.1:1/")
            #expect(got.error?.kind == .other)
        }
    }
}

/// A small generator with a seed, so that a failure can be repeated.
struct SplitMix: RandomNumberGenerator {
    private var state: UInt64

    init(seed: UInt64) { state = seed }

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed >> 31)
    }
}
