import Config
import EventLoop
import Foundation
import Generation
import JSON
import TestSupport
import Testing

@testable import HTTPClient
@testable import Providers

/// Rejected tokens, and cancellation while a token is obtained.
@Suite struct AuthorizedTransferTests {
    @Test func sendsOnceMoreWithANewToken() async throws {
        try await Site.with { site in
            site.script.withLock { $0.answers = [.status(401, "who are you"), .status(200, "fine")] }
            let got = try await site.run()
            #expect(got.heads == [200])
            #expect(got.body == "fine")
            #expect(got.end == .complete)
            #expect(got.identities == 2)
            #expect(got.sendings.map(\.httpStatus) == [401])
            #expect(got.sendings.first?.error.kind == .authentication)
            #expect(
                got.sendings.first?.error.message
                    == "openai rejected the token; the request was repeated with a new one")
            #expect(got.httpStatus == 200)
            #expect(got.bodyBytes == 0)
            #expect(got.authMicroseconds > 0)
            #expect(site.seen.tokens == 2)
            #expect(site.seen.requests == ["Bearer token-1 ask", "Bearer token-2 ask"])
        }
    }

    @Test func takesTheSecondRejectionForTheAnswer() async throws {
        try await Site.with { site in
            site.script.withLock {
                $0.answers = [.status(401, "first"), .status(401, "second"), .status(200, "third")]
            }
            let got = try await site.run()
            #expect(got.heads == [401])
            #expect(got.body == "second")
            #expect(got.end == .complete)
            #expect(got.sendings.map(\.httpStatus) == [401])
            #expect(got.httpStatus == 401)
            #expect(site.seen.requests.count == 2)
        }
    }

    @Test func sendsAKeyOnlyOnce() async throws {
        try await Site.with(credential: "api_key: sk-fixed") { site in
            site.script.withLock { $0.answers = [.status(401, "no"), .status(200, "fine")] }
            let got = try await site.run()
            #expect(got.heads == [401])
            #expect(got.body == "no")
            #expect(got.sendings.isEmpty)
            #expect(got.authMicroseconds == 0)
            #expect(site.seen.requests == ["Bearer sk-fixed ask"])
        }
    }

    @Test func endsWithoutAnotherToken() async throws {
        try await Site.with { site in
            site.script.withLock {
                $0.answers = [.status(401, "no"), .status(200, "fine")]
                $0.tokenLimit = 1
            }
            let got = try await site.run()
            #expect(got.heads.isEmpty)
            #expect(got.end == .noIdentity)
            #expect(got.sendings.map(\.httpStatus) == [401])
            #expect(got.httpStatus == 0)
            #expect(site.seen.requests.count == 1)
        }
    }

    @Test func givesUpWhileItWaitsForTheToken() async throws {
        try await Site.with(Site.Script(answers: [.status(200, "fine")], cancelsAtToken: 1)) { site in
            let transfer = try await site.start()
            #expect(try await eventually { site.seen.tokens == 1 })
            let got = await site.state(of: transfer)
            #expect(got.heads.isEmpty && got.end == nil && got.identities == 0)
            #expect(got.bodyBytes == 0)
            // The refresh continued: the next transfer gets its token, and sends the first request.
            let next = try await site.run()
            #expect(next.body == "fine")
            #expect(site.seen.requests == ["Bearer token-1 ask"])
            #expect(site.seen.tokens == 1)
        }
    }

    @Test func givesUpWhileItWaitsForTheSecondToken() async throws {
        let answers: [Site.Answer] = [.status(401, "no"), .status(200, "fine")]
        try await Site.with(Site.Script(answers: answers, cancelsAtToken: 2)) { site in
            let transfer = try await site.start()
            #expect(try await eventually { site.seen.tokens == 2 })
            let got = await site.state(of: transfer)
            #expect(got.heads.isEmpty && got.end == nil && got.identities == 1)
            #expect(got.sendings.map(\.httpStatus) == [401])
            #expect(try await site.run().body == "fine")
            #expect(site.seen.requests == ["Bearer token-1 ask", "Bearer token-2 ask"])
        }
    }

    @Test func givesUpInTheSecondSending() async throws {
        try await Site.with { site in
            site.script.withLock { $0.answers = [.status(401, "no"), .silence] }
            let transfer = try await site.start()
            #expect(try await eventually { site.seen.requests.count == 2 })
            await site.cancel(transfer)
            // Its connection is closed immediately.
            #expect(try await eventually { site.seen.closes == 1 })
            let got = await site.state(of: transfer)
            #expect(got.heads.isEmpty && got.end == nil)
            #expect(got.sendings.map(\.httpStatus) == [401])
            #expect(got.httpStatus == 0)
        }
    }

    @Test func givesUpInTheBodyOfARejection() async throws {
        try await Site.with { site in
            site.script.withLock { $0.answers = [.headOnly(401), .status(200, "fine")] }
            let transfer = try await site.start()
            #expect(try await eventually { await site.state(of: transfer).httpStatus == 401 })
            await site.cancel(transfer)
            #expect(try await eventually { site.seen.closes == 1 })
            let got = await site.state(of: transfer)
            #expect(got.heads.isEmpty && got.end == nil && got.sendings.isEmpty)
            #expect(got.httpStatus == 401)
            #expect(site.seen.requests.count == 1)
        }
    }
}

/// A server that issues tokens at `/token` and responds to every other request as scripted.
private final class Site: Sendable {
    enum Answer {
        case status(Int, String)
        /// The headers of a response whose body never arrives.
        case headOnly(Int)
        case silence
    }

    struct Script {
        var answers: [Answer] = []
        /// The number of the token during whose request the transfer is cancelled; 0 for never.
        var cancelsAtToken = 0
        var tokenLimit = Int.max
    }

    struct Seen {
        var tokens = 0
        /// `Authorization` and body of each request.
        var requests: [String] = []
        /// The number of connections closed during an incomplete response.
        var closes = 0
    }

    let script: Locked<Script>
    private let record: Locked<Seen>
    private let server: TestServer
    private let loop: EventLoop
    private let model: ConfiguredModel
    private let context: LoopBound<ProviderContext>
    private let credentials: CredentialStore
    private let isAttached = Locked(false)
    /// The newest transfer.
    private let newest: Locked<LoopBound<Receiver>?>

    var seen: Seen { record.withLock { $0 } }

    private init(_ credential: String, _ script: Script) async throws {
        let script = Locked(script)
        let record = Locked(Seen())
        let newest = Locked<LoopBound<Receiver>?>(nil)
        server = TestServer { connection in
            Self.serve(connection, script, record) {
                guard let receiver = newest.withLock({ $0 }) else { return }
                receiver.loop.performBlocking { receiver.value.transfer.cancel() }
            }
        }
        (self.script, self.record, self.newest) = (script, record, newest)
        let entry = credential.isEmpty ? "auth: corp" : credential
        let text = """
            generation: {provider: openai, config: {model_name: m, api_base: "\(server.url("/v1"))", \(entry)}}
            auth: {corp: {type: coin, token_url: "\(server.url("/token"))", client_id: c, client_secret: s}}
            """
        let configuration = try Configuration.parse(
            Array(text.utf8), file: "config.yaml", environment: [:], knownProviders: ["openai"])
        credentials = CredentialStore(configuration, environment: [:])
        let generation = try #require(configuration.generation)
        model = try ConfiguredModel(generation, credentials: credentials)
        let loop = try EventLoop(label: "providers-test")
        context = await loop.perform {
            let client = HTTPClient(loop: loop)
            return LoopBound(ProviderContext(loop: loop, client: client, parser: JSONParser()), on: loop)
        }
        self.loop = loop
    }

    static func with(
        credential: String = "", _ script: Script = Script(), _ body: (Site) async throws -> Void
    ) async throws {
        let site = try await Site(credential, script)
        let result: Result<Void, any Error>
        do { result = .success(try await body(site)) } catch { result = .failure(error) }
        await site.loop.perform { site.context.value.client.shutdown() }
        await site.loop.shutdown()
        site.server.stop()
        try result.get()
    }

    private static func serve(
        _ connection: TestConnection, _ script: Locked<Script>, _ record: Locked<Seen>, _ cancel: () -> Void
    ) {
        while let (head, body) = connection.request() {
            guard !head.hasPrefix("POST /token") else {
                if record.withLock({ $0.tokens }) + 1 == script.withLock({ $0.cancelsAtToken }) { cancel() }
                let number = record.withLock { record in
                    record.tokens += 1
                    return record.tokens
                }
                guard number <= script.withLock({ $0.tokenLimit }) else {
                    connection.answer(#"{"error":"invalid_client"}"#, status: "401 No")
                    continue
                }
                connection.answer(#"{"access_token":"token-\#(number)","expires_in":3600}"#)
                continue
            }
            let authorization = head.split(separator: "\r\n").first { $0.hasPrefix("Authorization: ") } ?? ""
            let answer = script.withLock { $0.answers.isEmpty ? .silence : $0.answers.removeFirst() }
            record.withLock {
                $0.requests.append("\(authorization.dropFirst(15)) \(String(decoding: body, as: UTF8.self))")
            }
            switch answer {
            case .status(let status, let body): connection.answer(body, status: "\(status) S")
            case .headOnly(let status): connection.send("HTTP/1.1 \(status) S\r\nContent-Length: 10\r\n\r\n")
            case .silence: break
            }
            if case .status = answer { continue }
            connection.waitForEnd()
            record.withLock { $0.closes += 1 }
        }
    }

    // MARK: - Transfers

    /// Starts a transfer.
    func start() async throws -> LoopBound<Receiver> {
        await loop.perform { [self] in
            let request = AuthorizedTransfer.Request(
                url: server.url("/v1/ask"), body: Array("ask".utf8), timeouts: model.timeouts)
            let receiver = Receiver(AuthorizedTransfer(request, model: model, context: context.value))
            receiver.transfer.start(receiver)
            let bound = LoopBound(receiver, on: loop)
            newest.withLock { $0 = bound }
            // Fetch tokens only from here on: earlier, no transfer could be cancelled while it waits for one.
            let isFirst = isAttached.withLock { isAttached in
                defer { isAttached = true }
                return !isAttached
            }
            if isFirst { credentials.attach(loop: loop, client: context.value.client) }
            return bound
        }
    }

    /// Runs a transfer until it ends.
    func run() async throws -> Received {
        let receiver = try await start()
        await withCheckedContinuation { continuation in
            loop.execute { receiver.value.notifyAtEnd { continuation.resume() } }
        }
        return await state(of: receiver)
    }

    func cancel(_ receiver: LoopBound<Receiver>) async { await loop.perform { receiver.value.transfer.cancel() } }

    func state(of receiver: LoopBound<Receiver>) async -> Received { await loop.perform { receiver.value.received } }
}

/// The outcome of a transfer.
private struct Received: Sendable {
    enum End { case complete, noIdentity, failed }

    var heads: [Int] = []
    var body = ""
    var identities = 0
    var end: End?
    var sendings: [RepeatedSending] = []
    var httpStatus = 0
    var bodyBytes = 0
    var authMicroseconds: Int64 = 0
}

/// Confined to the loop.
private final class Receiver: AuthorizedTransferDelegate {
    let transfer: AuthorizedTransfer
    private var soFar = Received()
    private var notify: (() -> Void)?

    init(_ transfer: AuthorizedTransfer) { self.transfer = transfer }

    var received: Received {
        var received = soFar
        received.sendings = transfer.repeatedSendings
        received.httpStatus = transfer.httpStatus
        received.bodyBytes = transfer.bodyBytes
        received.authMicroseconds = transfer.authMicroseconds
        return received
    }

    func notifyAtEnd(_ notify: @escaping () -> Void) {
        if soFar.end != nil { notify() } else { self.notify = notify }
    }

    func transferWillSend(as identity: ConfiguredModel.Identity) { soFar.identities += 1 }

    func transferDidReceiveHead(_ head: HTTPResponseHead) { soFar.heads.append(head.status) }

    func transferDidReceive(_ bytes: UnsafeRawBufferPointer) -> Demand {
        soFar.body += String(decoding: bytes, as: UTF8.self)
        return .more
    }

    func transferDidFinish(_ failure: AuthorizedTransfer.Failure?) {
        switch failure {
        case nil: soFar.end = .complete
        case .noIdentity: soFar.end = .noIdentity
        case .transfer: soFar.end = .failed
        }
        notify?()
    }
}
