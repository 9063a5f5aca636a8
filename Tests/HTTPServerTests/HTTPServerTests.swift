import EventLoop
import Foundation
import HTTPServer
import TestSupport
import Testing

@Suite struct HTTPServerTests {
    private static let echo: Site.Handler = { request, exchange in
        let query = request.query.sorted { $0.key < $1.key }.map { "\($0.key)=\($0.value)" }.joined(separator: "&")
        let body = String(decoding: request.body, as: UTF8.self)
        let test = request.headers["x-test"] ?? "-"
        let text = "\(request.method) \(request.rawPath) \(request.path) [\(query)] \(test) \(body);"
        exchange.respond(200, [("content-type", "text/plain")], Array(text.utf8))
    }

    @Test func keepsAConnectionForManyRequests() async throws {
        try await Site.with(Self.echo) { site in
            let client = try site.connect()
            client.send("GET /a%2Fb/c?x=1%3D&y HTTP/1.1\r\nHost: h\r\nX-Test: one\r\nX-TEST: two\r\n\r\n")
            #expect(try await client.receive("GET /a%2Fb/c /a/b/c [x=1=&y=] two ;"))
            client.send("POST /p HTTP/1.1\r\nHost: h\r\nContent-Length: 4\r\n\r\nbo")
            client.send("dy")
            #expect(try await client.receive("POST /p /p [] - body;"))
            client.send("POST /c HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n")
            client.send("2\r\nch\r\n4\r\nunks\r\n0\r\n\r\n")
            #expect(try await client.receive("POST /c /c [] - chunks;"))
            #expect(client.text.components(separatedBy: "HTTP/1.1 200 OK\r\n").count == 4)
            #expect(await site.connectionCount == 1)
            #expect(site.ends == [.completed, .completed, .completed])
            #expect(await site.exchangeCount == 0)
        }
    }

    @Test func answersPipelinedRequestsInOrder() async throws {
        let held = Locked<LoopBound<HTTPExchange>?>(nil)
        try await Site.with({ request, exchange in
            // The first request gets its response after the second one was sent.
            guard request.path == "/first" else { return Self.echo(request, exchange) }
            held.withLock { $0 = LoopBound(exchange, on: exchange.loop) }
        }) { site in
            let client = try site.connect()
            let paths = ["/first", "/second", "/third"]
            client.send(paths.map { "GET \($0) HTTP/1.1\r\nHost: h\r\n\r\n" }.joined())
            #expect(try await eventually { held.withLock { $0 != nil } })
            #expect(await site.exchangeCount == 1)
            #expect(client.take() == 0)
            let exchange = try #require(held.withLock { $0 })
            await site.loop.perform { exchange.value.respond(200, [], Array("first;".utf8)) }
            #expect(try await client.receive("GET /third /third"))
            let (first, second) = (client.text.range(of: "first;"), client.text.range(of: "/second"))
            #expect(try #require(first).upperBound < #require(second).lowerBound)
            // A second response to one request must not answer the next request.
            await site.loop.perform { exchange.value.respond(500, [], []) }
            #expect(!client.text.contains(" 500 "))
        }
    }

    @Test func refusesABodyThatIsTooLarge() async throws {
        try await Site.with(limits: .patient(bodyBytes: 1000), Self.echo) { site in
            let client = try site.connect()
            let body = String(repeating: "b", count: 1001)
            client.send("POST /large HTTP/1.1\r\nHost: h\r\nContent-Length: 1001\r\n\r\n" + body)
            #expect(try await client.receive("the request is too large"))
            #expect(client.text.hasPrefix("HTTP/1.1 413 "))
            // No length announces the size.
            client.send("POST /c HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n")
            for _ in 0..<3 { client.send("1f4\r\n\(body.prefix(500))\r\n") }
            client.send("0\r\n\r\n")
            #expect(try await client.receive("HTTP/1.1 413 ", times: 2))
            client.send("POST /fits HTTP/1.1\r\nHost: h\r\nContent-Length: 1000\r\n\r\n" + body.dropLast())
            #expect(try await client.receive("POST /fits"))
        }
    }

    @Test func refusesHeadersThatAreTooLarge() async throws {
        try await Site.with(limits: .patient(connectionBytes: 4096), Self.echo) { site in
            let client = try site.connect()
            client.send("GET /h HTTP/1.1\r\nHost: h\r\n")
            for index in 0..<100 where !client.isAtEnd {
                client.send("X-\(index): \(String(repeating: "h", count: 100))\r\n")
            }
            client.send("\r\n")
            #expect(try await client.receiveAll())
            #expect(client.text.hasPrefix("HTTP/1.1 431 ") || client.text.isEmpty)
            #expect(!client.text.contains(" 200 "))
            #expect(site.ends.isEmpty)
            // Other connections are served meanwhile.
            let other = try site.connect()
            other.send("GET /other HTTP/1.1\r\nHost: h\r\n\r\n")
            #expect(try await other.receive("GET /other"))
        }
    }

    @Test func endsAConnectionWhoseRequestDrips() async throws {
        let limits = HTTPServerLimits(idleSeconds: nil, requestSeconds: 1)
        try await Site.with(limits: limits, Self.echo) { site in
            let drip = try site.connect()
            drip.send("GET /drip HTTP/1.1\r\nHost: h\r\n")
            // Never idle, and never complete.
            #expect(
                try await eventually {
                    drip.send("X: y\r\n")
                    drip.take()
                    return drip.isAtEnd
                })
            // The same holds for a body, which already belongs to an exchange.
            let body = try site.connect()
            body.send("POST /drip HTTP/1.1\r\nHost: h\r\nContent-Length: 100000000\r\n\r\n")
            #expect(
                try await eventually {
                    body.send("b")
                    body.take()
                    return body.isAtEnd
                })
            #expect(try await eventually { await site.connectionCount == 0 })
            #expect(site.ends == [.interrupted])
        }
    }

    @Test func endsAnIdleConnection() async throws {
        let limits = HTTPServerLimits(idleSeconds: 1, requestSeconds: nil)
        try await Site.with(limits: limits, Self.echo) { site in
            let client = try site.connect()
            client.send("GET /one HTTP/1.1\r\nHost: h\r\n\r\n")
            #expect(try await client.receive("GET /one"))
            #expect(try await client.receiveAll())
            #expect(try await eventually { await site.connectionCount == 0 })
        }
    }

    @Test func anAnswerThatIsHeldBackIsNotIdle() async throws {
        let limits = HTTPServerLimits(idleSeconds: 1, requestSeconds: 1)
        try await Site.with(
            limits: limits,
            { request, exchange in
                guard request.path == "/late" else { return Self.echo(request, exchange) }
                Self.later(nanoseconds: 2_500_000_000, exchange) { $0.respond(200, [], Array("late;".utf8)) }
            }
        ) { site in
            let client = try site.connect()
            client.send("GET /late HTTP/1.1\r\nHost: h\r\n\r\n")
            #expect(try await client.receive("late;"))
        }
    }

    private static func later(
        nanoseconds: UInt64, _ exchange: HTTPExchange, _ body: @escaping (HTTPExchange) -> Void
    ) {
        exchange.loop.schedule(LoopTimer { body(exchange) }, after: .nanoseconds(nanoseconds))
    }

    @Test func servesNoMoreConnectionsThanItMay() async throws {
        try await Site.with(limits: .patient(connections: 2), Self.echo) { site in
            let clients = [try site.connect(), try site.connect(), try site.connect()]
            for client in clients { client.send("GET /c HTTP/1.1\r\nHost: h\r\n\r\n") }
            #expect(try await clients[0].receive("GET /c"))
            #expect(try await clients[1].receive("GET /c"))
            #expect(await site.connectionCount == 2)
            #expect(clients[2].take() == 0)
            clients[0].close()
            #expect(try await clients[2].receive("GET /c"))
        }
    }

    @Test func servesAUnixSocket() async throws {
        try await withTemporaryFolder { folder in
            let path = folder + "/http.sock"
            try await Site.with(at: .descriptor(unixListener(path)), Self.echo) { site in
                #expect(site.port == 0)
                let client = try Client(path: path)
                client.send("GET /unix HTTP/1.1\r\nHost: h\r\n\r\n")
                #expect(try await client.receive("GET /unix"))
            }
        }
    }

    @Test func saysWhyItCannotListen() async throws {
        try await Site.with(Self.echo) { site in
            let port = site.port
            let error = await #expect(throws: HTTPServerStartError.self) {
                try await Site.with(at: .loopback(port: port), Self.echo) { _ in }
            }
            #expect(error?.description == "cannot listen on 127.0.0.1:\(port): Address already in use")
        }
    }

    @Test func closesAtOnce() async throws {
        try await Site.with({ request, exchange in
            guard request.path == "/now" else {
                return Self.later(nanoseconds: 10_000_000, exchange) { $0.close() }
            }
            exchange.close()
            // Too late: the exchange has ended.
            exchange.respond(200, [], [])
        }) { site in
            for path in ["/now", "/later"] {
                let client = try site.connect()
                client.send("GET \(path) HTTP/1.1\r\nHost: h\r\n\r\n")
                #expect(try await client.receiveAll())
                #expect(client.text.isEmpty)
            }
            #expect(try await eventually { site.ends == [.closedByServer, .closedByServer] })
        }
    }
}
