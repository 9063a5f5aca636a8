import EventLoop
import HTTPServer
import TestSupport
import Testing

/// Responses that are sent piece by piece.
@Suite struct StreamTests {
    private static let request = "GET /stream HTTP/1.1\r\nHost: h\r\n\r\n"

    @Test func sendsEachPieceAsOneChunk() async throws {
        let source = Locked<LoopBound<Pieces>?>(nil)
        try await Site.with({ _, exchange in
            let pieces = Pieces([.text("one"), .text("three"), .wait], exchange)
            source.withLock { $0 = LoopBound(pieces, on: exchange.loop) }
            exchange.stream(200, [("content-type", "text/event-stream")], from: pieces)
        }) { site in
            let client = try site.connect()
            client.send(Self.request)
            // The first part arrives before the rest exists.
            #expect(try await client.receive("3\r\none\r\n5\r\nthree\r\n"))
            #expect(client.text.contains("Transfer-Encoding: chunked\r\n"))
            #expect(!client.text.contains("\r\n0\r\n"))
            let pieces = try #require(source.withLock { $0 })
            await site.loop.perform { pieces.value.go(on: [.text("last"), .end]) }
            #expect(try await client.receive("4\r\nlast\r\n0\r\n\r\n"))
            #expect(site.ends == [.completed])
            // After the end of the exchange, nothing happens.
            await site.loop.perform { pieces.value.go(on: [.text("late")]) }
            client.send(Self.request)
            #expect(try await client.receive("3\r\none\r\n", times: 2))
            #expect(!client.text.contains("late"))
        }
    }

    @Test func cutsAStream() async throws {
        try await Site.with({ _, exchange in
            exchange.stream(200, [], from: Pieces([.text("half"), .cut], exchange))
        }) { site in
            let client = try site.connect()
            client.send(Self.request)
            #expect(try await client.receiveAll())
            #expect(client.text.hasSuffix("4\r\nhalf\r\n"))
            #expect(try await eventually { site.ends == [.closedByServer] })
        }
    }

    @Test(arguments: [false, true]) func noticesThatTheClientHasGone(isSending: Bool) async throws {
        let bytes = Locked(0)
        try await Site.with({ request, exchange in
            let pieces: [Pieces.Piece] = isSending ? [.endless] : [.text("one"), .wait]
            exchange.stream(200, [], from: Pieces(pieces, exchange, bytes: bytes))
        }) { site in
            let client = try site.connect()
            client.send(Self.request)
            #expect(try await client.receive("\r\n\r\n"))
            #expect(site.ends.isEmpty)
            client.close()
            #expect(try await eventually { site.ends == [.interrupted] })
            #expect(try await eventually { await site.connectionCount == 0 })
        }
    }

    @Test func noticesThatTheClientHasGoneBeforeTheAnswer() async throws {
        try await Site.with({ _, _ in }) { site in
            let client = try site.connect()
            client.send(Self.request)
            #expect(try await eventually { await site.exchangeCount == 1 })
            client.close()
            #expect(try await eventually { site.ends == [.interrupted] })
            #expect(await site.exchangeCount == 0)
        }
    }

    @Test func asksForNoMoreThanTheClientTakes() async throws {
        let bytes = Locked(0)
        try await Site.with({ _, exchange in
            exchange.stream(200, [], from: Pieces([.endless], exchange, bytes: bytes))
        }) { site in
            let client = try Client(port: site.port, receiveBuffer: 64 << 10)
            client.send(Self.request)
            let filled = try await Self.settled(bytes)
            // As much as the sockets and one connection's buffer hold, not as much as the source could provide.
            #expect(filled > 0 && filled < 64 << 20)
            var taken = 0
            #expect(
                try await eventually {
                    for _ in 0..<16 { taken += client.take(atMost: 1 << 20) }
                    return taken > filled + 1 << 20
                })
            let refilled = try await Self.settled(bytes)
            #expect(refilled > filled && refilled < taken + 64 << 20)
        }
    }

    /// Returns the count once it has been unchanged for half a second.
    private static func settled(_ bytes: Locked<Int>) async throws -> Int {
        var (last, same) = (-1, 0)
        _ = try await eventually {
            let now = bytes.withLock { $0 }
            same = now == last && now > 0 ? same + 1 : 0
            last = now
            return same == 50
        }
        return last
    }

    @Test func endsASilentReceiver() async throws {
        let limits = HTTPServerLimits(idleSeconds: 1, requestSeconds: nil)
        try await Site.with(
            limits: limits,
            { _, exchange in
                exchange.stream(200, [], from: Pieces([.endless], exchange))
            }
        ) { site in
            let client = try Client(port: site.port, receiveBuffer: 64 << 10)
            client.send(Self.request)
            #expect(try await eventually { site.ends == [.interrupted] })
            client.close()
        }
    }

    @Test func stopsInTheMiddle() async throws {
        try await Site.with({ request, exchange in
            if request.path == "/stream" { exchange.stream(200, [], from: Pieces([.text("one"), .wait], exchange)) }
        }) { site in
            let (streaming, waiting) = (try site.connect(), try site.connect())
            streaming.send(Self.request)
            waiting.send("GET /none HTTP/1.1\r\nHost: h\r\n\r\n")
            #expect(try await streaming.receive("3\r\none\r\n"))
            #expect(try await eventually { await site.exchangeCount == 2 })
            await site.stop()
            #expect(site.ends == [.interrupted, .interrupted])
            #expect(try await streaming.receiveAll())
            #expect(try await waiting.receiveAll())
            #expect(!streaming.text.contains("\r\n0\r\n"))
        }
    }
}
