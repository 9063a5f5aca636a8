import EventLoop
import HTTPClient
import TestSupport
import Testing

/// Successful requests and responses, in all forms that HTTP allows.
@Suite struct ExchangeTests {
    @Test(arguments: PollerKind.allCases)
    func keepsOneConnectionForManyRequests(_ poller: PollerKind) async throws {
        let server = TestServer { connection in
            while let (head, body) = connection.request() {
                connection.answer("\(head.split(separator: "\r\n")[0])|\(String(decoding: body, as: UTF8.self))")
            }
        }
        defer { server.stop() }
        try await Harness.run(poller) { harness in
            for index in 0..<50 {
                let got = await harness.fetch(server.url("/n/\(index)"), body: Array("body \(index)".utf8))
                #expect(got.error == nil)
                #expect(got.head?.status == 200)
                #expect(got.text == "POST /n/\(index) HTTP/1.1|body \(index)")
                #expect(index == 0 ? got.transfer!.connectMicroseconds > 0 : got.transfer!.connectMicroseconds == 0)
                #expect(got.violations.isEmpty)
            }
            #expect(server.accepted == 1)
        }
        #expect(server.closedByPeer <= 1)
    }

    @Test func sendsWhatWasAskedFor() async throws {
        let server = TestServer { connection in
            while let (head, body) = connection.request() { connection.answer("\(body.count)\n\(head)") }
        }
        defer { server.stop() }
        try await Harness.run { harness in
            let headers = try HTTPHeaders([
                ("Authorization", "Bearer abc"), ("X-Empty", ""), ("X-Text", "gr\u{fc}n"),
            ])
            let sizes = [0, 1, 70_000, 3_000_000]
            for size in sizes {
                let wanted = HTTPRequest(
                    url: server.url("/v1?x=1"), headers: headers, body: [UInt8](repeating: 65, count: size))
                let lines = await harness.fetch(wanted).text.split(whereSeparator: \.isNewline)
                #expect(lines.first == "\(size)")
                #expect(lines.contains("POST /v1?x=1 HTTP/1.1"))
                #expect(lines.contains("Authorization: Bearer abc"))
                #expect(lines.contains("X-Text: gr\u{fc}n"))
                #expect(lines.contains("User-Agent: genwire"))
                #expect(!lines.contains { $0.hasPrefix("Expect") || $0.hasPrefix("X-Empty") })
            }
            // A handle reused after a POST must not send another POST.
            let got = await harness.fetch(server.url("/get"))
            #expect(got.text.hasPrefix("0\nGET /get HTTP/1.1"))
        }
    }

    @Test func headersThatSmuggleAreRefused() {
        let bad = ["a\r\nB: c", "a\nb", "a\0b", "\u{7F}"]
        for value in bad { #expect(throws: HTTPError.self) { try HTTPHeaders([("X", value)]) } }
        for name in bad + ["", "a:b"] { #expect(throws: HTTPError.self) { try HTTPHeaders([(name, "x")]) } }
        // The error does not repeat the value, which may be a secret.
        do {
            _ = try HTTPHeaders([("Authorization", "Bearer hush\n")])
            Issue.record("accepted")
        } catch { #expect(!error.description.contains("hush")) }
    }

    @Test(arguments: PollerKind.allCases)
    func readsEveryFraming(_ poller: PollerKind) async throws {
        let body = "data: one\n\ndata: two\n\n"
        let answers = [
            "length": "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nContent-Length: 22\r\n\r\n\(body)",
            "chunked": "HTTP/1.1 200 OK\r\nContent-type:text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n"
                + "5\r\ndata:\r\n8;x=y\r\n one\n\nda\r\n9\r\nta: two\n\n\r\n0\r\nX-Trailer: no\r\n\r\n",
            "close": "HTTP/1.0 200 OK\r\nCONTENT-TYPE:  text/event-stream \r\n\r\n\(body)",
            "interim": "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n"
                + "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nContent-Length: 22\r\n\r\n\(body)",
        ]
        let server = TestServer { connection in
            while let (head, _) = connection.request() {
                let parts = head.split(separator: " ")[1].split(separator: "/")
                let answer = Array(answers[String(parts[0])]!.utf8)
                let slice = Int(parts[1])!
                for start in stride(from: 0, to: answer.count, by: slice) {
                    connection.send(Array(answer[start..<min(start + slice, answer.count)]))
                }
                if parts[0] == "close" { return }
            }
        }
        defer { server.stop() }
        try await Harness.run(poller) { harness in
            for kind in answers.keys {
                for slice in [1, 2, 7, 1000] {
                    let got = await harness.fetch(server.url("/\(kind)/\(slice)"))
                    #expect(got.error == nil, "\(kind) by \(slice)")
                    #expect(got.text == body, "\(kind) by \(slice)")
                    #expect(got.head?.status == 200)
                    #expect(got.head?.header("content-type") == "text/event-stream")
                    #expect(got.head?.header("link") == nil)
                    #expect(got.head?.header("x-trailer") == nil)
                    #expect(got.violations.isEmpty)
                }
            }
        }
    }

    @Test func statusesAndRedirectsAreAnswers() async throws {
        let server = TestServer { connection in
            while let (head, _) = connection.request() {
                switch head.split(separator: " ")[1] {
                case "/redirect": connection.answer("", status: "302 Found", headers: "Location: /elsewhere\r\n")
                case "/html": connection.answer("<html>Bad Gateway</html>", status: "502 Bad Gateway")
                case "/limit": connection.answer("slow", status: "429 Too Many", headers: "retry-after: 7\r\n")
                case "/none": connection.send("HTTP/1.1 204 No Content\r\n\r\n")
                default: connection.answer("?", status: "500 Wrong")
                }
            }
        }
        defer { server.stop() }
        try await Harness.run { harness in
            let redirect = await harness.fetch(server.url("/redirect"))
            #expect(redirect.head?.status == 302)
            #expect(redirect.head?.header("LOCATION") == "/elsewhere")
            #expect(redirect.error == nil)
            let page = await harness.fetch(server.url("/html"), body: [])
            #expect(page.head?.status == 502)
            #expect(page.text == "<html>Bad Gateway</html>")
            let limit = await harness.fetch(server.url("/limit"))
            #expect(limit.head?.header("Retry-After") == "7")
            #expect(limit.head?.header("retry") == nil)
            let none = await harness.fetch(server.url("/none"))
            #expect(none.head?.status == 204)
            #expect(none.error == nil)
        }
    }

    @Test(arguments: PollerKind.allCases)
    func transfersRunSideBySide(_ poller: PollerKind) async throws {
        let server = TestServer { connection in
            while let (head, _) = connection.request() {
                let path = String(head.split(separator: " ")[1])
                for index in 0..<20 { connection.send(index == 0 ? "HTTP/1.1 200 OK\r\n\r\n\(path)" : path) }
                return
            }
        }
        defer { server.stop() }
        try await Harness.run(poller) { harness in
            let got = await withTaskGroup(of: (Int, Receiver).self) { group in
                for index in 0..<20 { group.addTask { (index, await harness.fetch(server.url("/\(index)"))) } }
                return await group.reduce(into: []) { $0.append($1) }
            }
            for (index, receiver) in got {
                #expect(receiver.error == nil)
                #expect(receiver.text == String(repeating: "/\(index)", count: 20))
            }
            #expect(await harness.activeCount == 0)
        }
    }

    @Test func newRequestsMayStartAnywhere() async throws {
        let server = TestServer { connection in
            while connection.request() != nil { connection.answer("ok") }
        }
        defer { server.stop() }
        try await Harness.run { harness in
            let fromHead = Receiver()
            let fromPiece = Receiver()
            let fromEnd = Receiver()
            let first = Receiver()
            first.onHead = { _ in fromHead.transfer = harness.client.start(request(server.url()), delegate: fromHead) }
            first.onPiece = { _ in
                fromPiece.transfer = harness.client.start(request(server.url()), delegate: fromPiece)
                return .more
            }
            first.onFinish = { _ in fromEnd.transfer = harness.client.start(request(server.url()), delegate: fromEnd) }
            await harness.start(request(server.url()), first)
            for receiver in [first, fromHead, fromPiece, fromEnd] {
                await receiver.finished(on: harness.loop)
                #expect(receiver.text == "ok")
                #expect(receiver.error == nil)
            }
        }
    }

    @Test func strangeTimeoutsAreTaken() {
        let timeouts = HTTPTimeouts(connect: .nan, firstByte: -1, idle: .infinity, total: 1e300)
        #expect(timeouts.connect == .zero)
        #expect(timeouts.firstByte == .zero)
        #expect(timeouts.idle == timeouts.total)
    }
}
