import EventLoop
import Glibc
import HTTPClient
import TestSupport
import Testing

/// Failures below HTTP.
@Suite struct FailureTests {
    @Test func addressesThatCannotBeReached() async throws {
        let (bound, port) = loopbackListener(backlog: -1)
        defer { close(bound) }
        try await Harness.run { harness in
            #expect(await harness.fetch("http://127.0.0.1:\(port)/").error?.kind == .connect)
            #expect(await harness.fetch("http://no-such-host.invalid/").error?.kind == .resolve)
            let long = "http://127.0.0.1/" + String(repeating: "x", count: 9 << 20)
            for url in [
                "", "http://", "ftp://127.0.0.1/", "file:///etc/passwd", "http://127.0.0.1:99999/", "http://a b/",
                "http://127.0.0.1/\r\nX: y", "http://127.0.0.1\0.evil/", long,
            ] {
                let error = await harness.fetch(url).error
                #expect(error?.kind == .badURL, "\(url.prefix(40)): \(String(describing: error))")
            }
            #expect(await harness.activeCount == 0)
        }
    }

    @Test(arguments: [
        ("", HTTPError.Kind.interrupted),
        ("SSH-2.0-OpenSSH_9.2\r\n", .interrupted),
        ("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf", .interrupted),
        ("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nwhole\r\n", .interrupted),
        ("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n", .interrupted),
        ("HTTP/1.1 200 OK\r\nContent-Le", .interrupted),
        ("HTTP/1.1 banana\r\n\r\n", .interrupted),
        ("HTTP/1.1 200 OK\r\nX: " + String(repeating: "a", count: 200_000), .tooLarge),
        ("HTTP/1.1 200 OK\r\n" + String(repeating: "X: aaaaaaaaaaaaaaaaaaaaaaaaaaaa\r\n", count: 3000), .tooLarge),
    ])
    func brokenAnswers(_ answer: String, _ kind: HTTPError.Kind) async throws {
        let server = TestServer { connection in
            if connection.request() != nil { connection.send(answer) }
        }
        defer { server.stop() }
        try await Harness.run { harness in
            let got = await harness.fetch(server.url(), body: [1])
            #expect(got.error?.kind == kind, "\(String(describing: got.error))")
            #expect(got.violations.isEmpty)
        }
    }

    @Test(arguments: PollerKind.allCases)
    func eachTimeoutSaysWhich(_ poller: PollerKind) async throws {
        let server = TestServer { connection in
            while let (head, _) = connection.request() {
                switch head.split(separator: " ")[1] {
                case "/silent": break
                case "/head": connection.send("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n")
                case "/stall": connection.send("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nsome")
                default:
                    connection.send("HTTP/1.1 200 OK\r\n\r\n")
                    while connection.send("x") { usleep(2000) }
                }
            }
        }
        defer { server.stop() }
        try await Harness.run(poller) { harness in
            let cases: [(String, HTTPTimeouts, HTTPError.Phase)] = [
                ("/silent", HTTPTimeouts(firstByte: 0.1), .firstByte),
                ("/head", HTTPTimeouts(firstByte: 0.1), .firstByte),
                // The limits of the other phases are far longer; they must not delay this one.
                ("/stall", HTTPTimeouts(firstByte: 60, idle: 0.1, total: 90), .idle),
                ("/drip", HTTPTimeouts(idle: 30, total: 0.3), .total),
                ("/silent", HTTPTimeouts(total: 0.1), .total),
            ]
            for (path, timeouts, phase) in cases {
                let got = await harness.fetch(server.url(path), timeouts: timeouts)
                #expect(got.error?.kind == .timeout(phase), "\(path): \(String(describing: got.error))")
                #expect(got.violations.isEmpty)
            }
            #expect(await eventually { socketsConnected(to: server.port) == 0 })
        }
    }

    @Test(arguments: PollerKind.allCases)
    func connectingHasItsOwnTimeout(_ poller: PollerKind) async throws {
        // A full backlog drops new connections, so connecting hangs.
        let (full, port) = loopbackListener(backlog: 0)
        let fillers = (0..<4).map { _ in connectWithoutWaiting(port) }
        defer { for fd in fillers + [full] { close(fd) } }
        // Accepts the connection, but never starts TLS.
        let mute = TestServer { $0.waitForEnd() }
        defer { mute.stop() }
        try await Harness.run(poller) { harness in
            for url in ["http://127.0.0.1:\(port)/", "https://127.0.0.1:\(mute.port)/"] {
                let got = await harness.fetch(url, timeouts: HTTPTimeouts(connect: 0.2))
                #expect(got.error?.kind == .timeout(.connect), "\(String(describing: got.error))")
            }
            // It can also be cancelled.
            let receiver = Receiver()
            await harness.start(request("http://127.0.0.1:\(port)/"), receiver)
            await harness.loop.perform { receiver.cancel() }
            #expect(await harness.activeCount == 0)
            #expect(!receiver.isFinished)
        }
    }

    @Test func aPauseIsNotSilence() async throws {
        let server = TestServer { connection in
            while connection.request() != nil { connection.answer(String(repeating: "x", count: 100_000)) }
        }
        defer { server.stop() }
        try await Harness.run { harness in
            let receiver = Receiver()
            receiver.onPiece = { $0.pieces == 1 ? .pause : .more }
            await harness.start(request(server.url(), timeouts: HTTPTimeouts(idle: 0.4)), receiver)
            #expect(await eventually { await harness.loop.perform { receiver.pieces > 0 } })
            try await Task.sleep(nanoseconds: 1_300_000_000)
            #expect(await harness.loop.perform { !receiver.isFinished })
            await harness.loop.perform { receiver.resume() }
            await receiver.finished(on: harness.loop)
            #expect(receiver.error == nil)
            #expect(receiver.body.count == 100_000)
        }
    }

    private func connectWithoutWaiting(_ port: UInt16) -> Int32 {
        let fd = socket(AF_INET, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_NONBLOCK.rawValue), 0)
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        address.sin_port = port.bigEndian
        withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                _ = connect(fd, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
        return fd
    }
}
