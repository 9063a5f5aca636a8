import Config
import EventLoop
import Generation
import HTTPClient
import JSON
import TestSupport
import Testing

@testable import Providers

/// URLs of images and documents, for a vendor that accepts none.
@Suite struct MediaFetchTests {
    /// A web server and a vendor.
    private struct Site {
        let web: TestServer
        let vendor: TestServer
        let bodies = Locked<[String]>([])

        /// - Parameter web: the answer to a request line; `nil` for none at all.
        init(web: @escaping @Sendable (String, TestConnection) -> Void) {
            let bodies = bodies
            self.web = TestServer { connection in
                while let (head, _) = connection.request() {
                    web(String(head.split(separator: " ")[1]), connection)
                }
            }
            vendor = TestServer { connection in
                while let (_, body) = connection.request() {
                    bodies.withLock { $0.append(String(decoding: body, as: UTF8.self)) }
                    connection.answer(
                        #"{"content":[{"type":"text","text":"fine"}],"stop_reason":"end_turn","input_tokens":7}"#)
                }
            }
        }

        func stop() {
            web.stop()
            vendor.stop()
        }

        func model(_ change: (inout ModelConfiguration) -> Void = { $0[MediaFetch.addresses] = .any }) throws
            -> ConfiguredModel
        {
            try DialectHarness("anthropic_vertex", "claude-opus-4-6") {
                $0.apiBase = vendor.url("/v1")
                change(&$0)
            }.model
        }

        func run(_ paths: [String], _ model: ConfiguredModel? = nil) async throws -> AttemptRun {
            try await AttemptRun.run(model ?? self.model(), request(paths))
        }

        func request(_ paths: [String]) -> ChatRequest {
            let parts = paths.map { path -> Part in
                let url = path.hasPrefix("/") ? web.url(path) : path
                return path.contains("doc")
                    ? .file(File(mimeType: "", source: .url(url))) : .image(Image(mimeType: "", source: .url(url)))
            }
            return ChatRequest(messages: [Message(role: .user, content: "x", parts: parts)])
        }

        var sources: [JSONValue] {
            get throws {
                let body = try JSONValue(parsing: bodies.withLock { $0.last } ?? "{}")
                return body["messages"]?[0]?["content"]?.array?.compactMap { $0["source"] } ?? []
            }
        }
    }

    private static let type = "Content-Type: image/webp; x=1\r\n"

    @Test func whatURLsHoldIsSent() async throws {
        let site = Site { path, connection in
            switch path {
            case "/image": connection.answer("\u{1}\u{2}\u{3}", headers: Self.type)
            case "/moved": connection.answer("", status: "302 Found", headers: "Location: /image\r\n")
            case "/doc.txt": connection.answer("words", headers: "Content-Type: text/markdown\r\n")
            default: connection.answer("pdf")
            }
        }
        defer { site.stop() }
        let run = try await site.run(["/image", "/moved", "/doc.txt", "/doc.pdf", "/image"])
        #expect(run.text == "fine" && run.error == nil)
        let image: JSONValue = ["type": "base64", "media_type": "image/webp", "data": "AQID"]
        let expected: [JSONValue] = [
            image, image, ["type": "text", "media_type": "text/plain", "data": "words"],
            ["type": "base64", "media_type": "application/pdf", "data": "cGRm"], image,
        ]
        #expect(try site.sources == expected)
        // Models that accept URLs get them.
        let native = try DialectHarness("anthropic", "claude-opus-4-6").body(site.request(["/image"]))
        #expect(native["messages"]?[0]?["content"]?[1]?["source"]?["type"] == "url")
    }

    @Test func thePublicInternetOnly() async throws {
        let site = Site { _, connection in connection.answer("secret", headers: Self.type) }
        defer { site.stop() }
        let model = try site.model { _ in }
        let port = site.web.port
        for path in ["/image", "http://localhost:\(port)/", "http://[::1]:\(port)/", "http://2130706433:\(port)/"] {
            let run = try await site.run([path], model)
            #expect(run.error?.kind == .invalidRequest, "\(path)")
        }
        let run = try await site.run(["http://u:p@127.0.0.1:\(port)/x?token=t"], model)
        #expect(run.error?.message.contains("not allowed") == true)
        #expect(run.error?.message.contains("token=t") == false && run.error?.message.contains("u:p") == false)
        #expect(site.web.accepted == 0 && site.vendor.accepted == 0)
        // Switched off: refused without a look.
        let off = try site.model { $0[MediaFetch.addresses] = .off }
        #expect(try await site.run(["/image"], off).error?.kind == .unsupported)
        #expect(try await site.run(["ftp://h/image"]).error?.kind == .invalidRequest)
        #expect(site.web.accepted == 0)
    }

    /// A public server cannot send us to a private one.
    @Test func theTargetOfARedirectIsChecked() async throws {
        let site = Site { path, connection in
            let port = path.dropFirst()
            connection.answer("", status: "307 X", headers: "Location: http://127.0.0.2:\(port)/secret\r\n")
        }
        defer { site.stop() }
        let loop = try EventLoop(label: "providers-test")
        let context = await loop.perform { () -> LoopBound<ProviderContext> in
            let client = HTTPClient(loop: loop)
            return LoopBound(ProviderContext(loop: loop, client: client, parser: JSONParser()), on: loop)
        }
        let seen = Locked<[RemoteAddress]>([])
        let url = site.web.url("/\(site.web.port)")
        let error = await withCheckedContinuation { (continuation: CheckedContinuation<GenerationError?, Never>) in
            loop.execute {
                guard var rule = MediaFetch.Rule(ModelConfiguration(name: "m", provider: "p", modelName: "m")) else {
                    return continuation.resume(returning: nil)
                }
                rule.allows = { address in
                    seen.withLock { $0.append(address) }
                    return address == RemoteAddress("127.0.0.1")
                }
                let fetch = MediaFetch([url], rule, timeouts: HTTPTimeouts(), context: context.value)
                fetch.start { result in
                    withExtendedLifetime(fetch) {}
                    guard case .failure(let error) = result else { return continuation.resume(returning: nil) }
                    continuation.resume(returning: error)
                }
            }
        }
        #expect(error?.message.contains("not allowed") == true && error?.kind == .invalidRequest)
        #expect(seen.withLock { $0 } == [RemoteAddress("127.0.0.1"), RemoteAddress("127.0.0.2")])
        await loop.perform { context.value.client.shutdown() }
        await loop.shutdown()
    }

    @Test(arguments: [
        ("/404", GenerationError.Kind.invalidRequest, "HTTP 404"), ("/503", .network, "HTTP 503"),
        ("/large", .invalidRequest, "limit of 1000 bytes"), ("/loop", .invalidRequest, "redirects more than"),
        ("/nowhere", .invalidRequest, "to an invalid URL"), ("/file", .invalidRequest, "to an invalid URL"),
        ("/cut", .network, "cannot be fetched"),
    ])
    func whatCannotBeFetched(_ path: String, _ kind: GenerationError.Kind, _ words: String) async throws {
        let site = Site { path, connection in
            switch path {
            case "/404": connection.answer("", status: "404 Not Found")
            case "/503": connection.answer("", status: "503 Busy")
            case "/large": connection.answer(String(repeating: "x", count: 1001))
            case "/loop": connection.answer("", status: "301 X", headers: "Location: /loop\r\n")
            case "/file": connection.answer("", status: "301 X", headers: "Location: file:///etc/passwd\r\n")
            case "/cut":
                connection.send("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nx")
                connection.hangUp()
            default: connection.answer("", status: "301 X")
            }
        }
        defer { site.stop() }
        let model = try site.model {
            $0[MediaFetch.addresses] = .any
            $0[MediaFetch.maximumBytes] = 1000
        }
        let error = try #require(try await site.run([path], model).error)
        #expect(error.kind == kind && error.message.contains(words), "\(error)")
        #expect(error.message.contains(site.web.url(path)) && site.vendor.accepted == 0)
        #expect(error.provider == "anthropic_vertex")
    }

    /// The limit is for all of a request's URLs together, and so is the number of them.
    @Test func manyURLs() async throws {
        let site = Site { _, connection in connection.answer(String(repeating: "x", count: 600), headers: Self.type) }
        defer { site.stop() }
        let model = try site.model {
            $0[MediaFetch.addresses] = .any
            $0[MediaFetch.maximumBytes] = 1000
        }
        #expect(try await site.run(["/a"], model).text == "fine")
        // A URL is fetched once, and sent as often as it is named.
        #expect(try await site.run(["/a", "/a"], model).error?.message.contains("limit of 1000 bytes") == true)
        #expect(try await site.run(["/a", "/b"], model).error?.message.contains("limit of 1000 bytes") == true)
        let error = try await site.run((0...MediaFetch.maximumURLs).map { "/\($0)" }).error
        #expect(error?.kind == .invalidRequest && error?.message.contains("more than 100") == true)
    }

    @Test func theCallerGivesUp() async throws {
        let site = Site { _, connection in connection.waitForEnd() }
        defer { site.stop() }
        let model = try site.model()
        let loop = try EventLoop(label: "providers-test")
        let request = site.request(["/a"])
        let sink = Nobody()
        let attempt = await loop.perform { () -> LoopBound<(ProviderAttempt, ProviderContext)> in
            let client = HTTPClient(loop: loop)
            let context = ProviderContext(loop: loop, client: client, parser: JSONParser())
            let attempt = ProviderAttempt(
                model: model, request: request, isStream: false, context: context, sink: sink)
            attempt.start()
            return LoopBound((attempt, context), on: loop)
        }
        #expect(try await eventually { site.web.accepted == 1 })
        await loop.perform {
            sink.isCancelled.withLock { $0 = true }
            attempt.value.0.cancel()
        }
        #expect(try await eventually { site.web.closedByPeer == 1 })
        #expect(site.vendor.accepted == 0)
        await loop.perform { attempt.value.1.client.shutdown() }
        await loop.shutdown()
    }

    /// Receives nothing once its attempt is cancelled. Before, the time for all URLs may be over on a busy machine.
    private final class Nobody: AnswerSink, Sendable {
        let isCancelled = Locked(false)
        func receive(_ event: ChunkEvent) -> Demand { .more }
        func finish(_ result: Result<ChatResponse, GenerationError>) {
            if isCancelled.withLock({ $0 }) { Issue.record("a cancelled attempt has ended: \(result)") }
        }
    }

    @Test func tokensOfWhatIsFetchedAreCounted() async throws {
        let site = Site { _, connection in connection.answer("\u{1}\u{2}\u{3}", headers: Self.type) }
        defer { site.stop() }
        let model = try site.model()
        let request = site.request(["/a"])
        let loop = try EventLoop(label: "providers-test")
        let context = await loop.perform { () -> LoopBound<ProviderContext> in
            let client = HTTPClient(loop: loop)
            return LoopBound(ProviderContext(loop: loop, client: client, parser: JSONParser()), on: loop)
        }
        let count = await withCheckedContinuation { continuation in
            loop.execute {
                let query = ProviderQuery(model: model, context: context.value)
                let isAsked = try? query.countTokens(request) { result in
                    withExtendedLifetime(query) {}
                    continuation.resume(returning: try? result.get())
                }
                if isAsked != true { continuation.resume(returning: nil) }
            }
        }
        #expect(count == 7)
        #expect(try site.sources == [["type": "base64", "media_type": "image/webp", "data": "AQID"]])
        await loop.perform { context.value.client.shutdown() }
        await loop.shutdown()
    }
}
