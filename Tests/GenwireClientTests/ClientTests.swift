import EventLoop
import Generation
import Glibc
import Messages
import TestSupport
import Testing

@testable import GenwireClient

/// The client against a server scripted by each test.
@Suite struct ClientTests {
    private typealias Request = ScriptedServer.Request
    private typealias Connection = ScriptedServer.Connection

    private func with(
        _ script: @escaping @Sendable (Request, Connection) -> Void, token: String? = nil,
        _ body: (GenwireClient) async throws -> Void
    ) async throws {
        let server = ScriptedServer(script)
        let client = try await GenwireClient.connect(to: server.address, token: token)
        do {
            try await body(client)
        } catch {
            await client.close()
            server.stop()
            throw error
        }
        await client.close()
        server.stop()
    }

    /// The packed form of what a coder encodes.
    private static func packed(_ body: (MessageCoder, PackedMessage<[UInt8]>) -> [UInt8]) -> [UInt8] {
        body(MessageCoder()) { size, fill in
            [UInt8](unsafeUninitializedCapacity: size) { buffer, count in
                if let base = buffer.baseAddress, size > 0 { fill(base) }
                count = size
            }
        }
    }

    private static func text(_ seq: UInt64, _ text: String) -> [UInt8] {
        packed { $0.encode(.text(text), seq: seq, into: $1) }
    }

    private static func end(_ seq: UInt64) -> [UInt8] {
        packed { $0.encode(AnswerTrailer(), seq: seq, chunkCount: seq, into: $1) }
    }

    private static let question = ChatRequest(messages: [Message(role: .user, content: "x")])

    private func error(_ body: () async throws -> Void) async throws -> ClientError {
        do {
            try await body()
        } catch {
            return try #require(error as? ClientError)
        }
        throw TestFailure("there was no error")
    }

    private func collect(_ stream: AnswerStream) async -> (chunks: [StreamedChunk], error: ClientError?) {
        var chunks: [StreamedChunk] = []
        do throws(ClientError) {
            var iterator = stream.makeAsyncIterator()
            while let chunk = try await iterator.next(isolation: nil) { chunks.append(chunk) }
            return (chunks, nil)
        } catch {
            return (chunks, error)
        }
    }

    // MARK: - Unary calls

    @Test func aCallCarriesWhatWasAskedAndBringsTheAnswer() async throws {
        let report = HealthReport(
            status: .degraded, version: "9", uptimeSeconds: 1.5,
            providers: [.init(provider: "p", model: "m", status: .failed, detail: "d")])
        let seen = Locked<[Request]>([])
        try await with(
            { request, connection in
                seen.withLock { $0.append(request) }
                connection.respond(request, Self.packed { $0.encode(report, into: $1) })
            }, token: "secret"
        ) { client in
            let health = try await client.health(deep: true)
            #expect(health == report)
            let requests = seen.withLock { $0 }
            #expect(requests.map(\.method) == ["Health"])
            #expect(requests[0].service == "genwire.v1.Generation")
            #expect(requests[0].metadata["authorization"] == "Bearer secret")
            let isDeep = try requests[0].payload.withUnsafeBytes { try MessageCoder().healthRequest($0) }
            #expect(isDeep)
        }
    }

    /// Responses may arrive in any order.
    @Test func answersFindTheirCalls() async throws {
        let held = Locked<Request?>(nil)
        let answer = { @Sendable (request: Request) -> [UInt8] in
            let prompt = (try? request.payload.withUnsafeBytes { try MessageCoder().generateRequest($0) })?.request
            let message = Message(role: .assistant, content: prompt?.messages.last?.content ?? "")
            return Self.packed {
                $0.encodeGenerate(ChatResponse(message: message, completion: AnswerTrailer()), into: $1)
            }
        }
        try await with({ request, connection in
            guard
                let first = held.withLock({ first -> Request? in
                    defer { first = first ?? request }
                    return first
                })
            else { return }
            connection.respond(request, answer(request))
            connection.respond(first, answer(first))
        }) { client in
            async let one = client.generate("one")
            async let two = client.generate("two")
            let answers = try await [one.message.content, two.message.content]
            #expect(answers == ["one", "two"])
        }
    }

    @Test func anUnreadableAnswerIsAnError() async throws {
        try await with({ request, connection in connection.respond(request, [0x0A, 0x05, 0x01]) }) { client in
            let error = try await error { _ = try await client.listModels() }
            #expect(error.code == 13)
            #expect(error.message.hasPrefix("invalid response from the server: "))
            #expect(!error.isUnreachable)
        }
    }

    @Test func aServerThatDoesNotAnswerIsGivenUpAtTheDeadline() async throws {
        try await with({ _, _ in }) { client in
            let error = try await error { _ = try await client.hello(deadlineMilliseconds: 10) }
            #expect(error.code == 4)
        }
    }

    // MARK: - Errors

    @Test func theDetailComesWithTheError() async throws {
        var detail = GenerationError(.rateLimit, "slow down")
        detail.provider = "openai"
        detail.retryAfterMilliseconds = 1500
        detail.attempts = [Attempt(model: "m", provider: "openai", status: 429, error: "e", durationMicroseconds: 5)]
        let bytes = MessageCoder().encode(detail)
        try await with({ request, connection in
            connection.fail(request, code: 8, "slow down", detail: bytes)
        }) { [detail] client in
            let error = try await error { _ = try await client.chat(Self.question) }
            #expect(error.code == 8)
            #expect(error.detail == detail)
            #expect(error.description == "RATE_LIMIT: slow down")
            let (chunks, streamed) = await collect(client.streamChat(Self.question))
            #expect(chunks.isEmpty)
            #expect(streamed == error)
        }
    }

    /// For an unknown kind from a newer server, or for garbage, the error keeps the status's own message.
    @Test(arguments: [[0x0A, 0x03, 0x4E, 0x45, 0x57], [0xFF]] as [[UInt8]])
    func anUnreadableDetailIsLeftOut(_ detail: [UInt8]) async throws {
        try await with({ request, connection in
            connection.fail(request, code: 3, "no", detail: detail)
        }) { client in
            let error = try await error { _ = try await client.chat(Self.question) }
            #expect(error == ClientError(code: 3, message: "no"))
        }
    }

    @Test func aLostConnectionEndsEveryCall() async throws {
        try await with({ _, connection in connection.hangUp() }) { client in
            let error = try await error { _ = try await client.usage() }
            #expect(error.code == 14)
            #expect(!error.isUnreachable)
            let later = try await self.error { _ = try await client.usage() }
            #expect(later.code == 14)
        }
    }

    @Test func anotherKindOfServerIsRecognised() async throws {
        try await with({ _, connection in connection.raw(Array("HTTP/1.1 400 Bad Request\r\n\r\n".utf8)) }) { client in
            for _ in 0..<2 {
                let error = try await error { _ = try await client.hello() }
                #expect(error.unreachable == .notGenwire)
                #expect(error.code == 14)
            }
        }
    }

    @Test func noServerIsReached() async throws {
        let malformed = try await error { _ = try await GenwireClient.connect(to: "http://x") }
        #expect(malformed.unreachable == .malformedAddress)
        let (descriptor, port) = loopbackListener(backlog: -1)
        defer { close(descriptor) }
        let refused = try await error { _ = try await GenwireClient.connect(to: "tcp:127.0.0.1:\(port)") }
        #expect(refused.unreachable == .refused)
    }

    // MARK: - Streams

    @Test func aStreamIsGoodWithItsEnd() async throws {
        try await with({ request, connection in
            connection.send(request, Self.text(0, "a"))
            connection.send(request, Self.text(1, "b"))
            connection.send(request, Self.end(2))
            connection.finish(request)
        }) { client in
            let (chunks, error) = await collect(client.streamChat(Self.question))
            #expect(error == nil)
            #expect(
                chunks.map(\.content) == [
                    .event(.text("a")), .event(.text("b")), .completed(AnswerTrailer(), chunkCount: 2),
                ])
        }
    }

    @Test func aStreamWithoutItsEndFailed() async throws {
        try await with({ request, connection in
            connection.send(request, Self.text(0, "a"))
            connection.finish(request)
        }) { client in
            let (chunks, error) = await collect(client.streamChat(Self.question))
            #expect(chunks.count == 1)
            #expect(error?.code == 13)
            #expect(error?.message == "the stream ended before the response was complete")
        }
    }

    @Test func aGapIsAnErrorAndNothingBehindItCounts() async throws {
        try await with({ request, connection in
            connection.send(request, Self.text(0, "a"))
            connection.send(request, Self.text(2, "c"))
            connection.send(request, Self.end(3))
            connection.finish(request)
        }) { client in
            let (chunks, error) = await collect(client.streamChat(Self.question))
            #expect(chunks.map(\.seq) == [0])
            #expect(error?.code == 13)
            #expect(error?.message.contains("gap") == true)
        }
    }

    @Test func anEmptyChunkIsAnError() async throws {
        try await with({ request, connection in
            connection.send(request, [])
            connection.finish(request)
        }) { client in
            let (chunks, error) = await collect(client.streamChat(Self.question))
            #expect(chunks.isEmpty)
            #expect(error?.message == "the chunk has no content")
        }
    }

    @Test func aCutStreamFailsAfterItsPieces() async throws {
        try await with({ request, connection in
            connection.send(request, Self.text(0, "a"))
            connection.hangUp()
        }) { client in
            let (chunks, error) = await collect(client.streamChat(Self.question))
            #expect(chunks.count == 1)
            #expect(error?.code == 14)
        }
    }

    /// The client stops reading while nobody consumes the chunks, and loses none of them.
    @Test func aSlowReaderGetsEverything() async throws {
        let count: UInt64 = 2000
        try await with({ request, connection in
            for seq in 0..<count { connection.send(request, Self.text(seq, String(repeating: "x", count: 1000))) }
            connection.send(request, Self.end(count))
            connection.finish(request)
        }) { client in
            let stream = client.streamChat(Self.question)
            var seen: UInt64 = 0
            for try await chunk in stream {
                #expect(chunk.seq == seen)
                seen += 1
                if seen % 500 == 0 { try await Task.sleep(for: .milliseconds(20)) }
            }
            #expect(seen == count + 1)
        }
    }

    /// Ends streams with code 1 if their call is cancelled by its own id, as the server does.
    private static func cancelling() -> @Sendable (Request, Connection) -> Void {
        let running = Locked<[String: Request]>([:])
        return { request, connection in
            let coder = MessageCoder()
            if request.method == "Cancel" {
                let callID = try? request.payload.withUnsafeBytes { try coder.cancelRequest($0) }
                let found = running.withLock { $0.removeValue(forKey: callID ?? "") }
                connection.respond(request, packed { $0.encodeCancelled(found: found != nil, into: $1) })
                if let found { connection.fail(found, code: 1, "cancelled") }
            } else {
                let call = (try? request.payload.withUnsafeBytes { try coder.chatRequest($0) })?.call
                running.withLock { $0[call?.callID ?? ""] = request }
                connection.send(request, text(0, "a"))
            }
        }
    }

    @Test func cancellingAStreamCancelsItAtTheServer() async throws {
        try await with(Self.cancelling()) { client in
            let stream = client.streamChat(Self.question)
            var iterator = stream.makeAsyncIterator()
            let first = try await iterator.next()
            #expect(first?.seq == 0)
            stream.cancel()
            let error = try await error { _ = try await iterator.next() }
            #expect(error.code == 1)
        }
    }

    @Test func aCancelledTaskCancelsItsCall() async throws {
        try await with(Self.cancelling()) { client in
            let task = Task { () -> ClientError? in
                do throws(ClientError) {
                    var iterator = client.streamChat(Self.question).makeAsyncIterator()
                    _ = try await iterator.next(isolation: nil)
                    _ = try await iterator.next(isolation: nil)
                    return nil
                } catch {
                    return error
                }
            }
            task.cancel()
            #expect(await task.value?.code == 1)
        }
    }
}

struct TestFailure: Error, CustomStringConvertible {
    let description: String
    init(_ description: String) { self.description = description }
}
