import EventLoop
import Glibc
import Limits
import TestSupport
import Testing

@testable import RPC

/// A real server on real sockets with a few methods, driven by our own client connection.
@Suite struct ServerTests {
    @Test(arguments: PollerKind.allCases)
    func unaryAndStreamOverUnixAndTCP(_ kind: PollerKind) async throws {
        try await withServer(kind) { harness in
            for address in harness.addresses {
                let client = try await harness.connect(to: address)
                let echoed = await client.call("Echo", [1, 2, 3])
                #expect(echoed.status.isOK)
                #expect(echoed.messages == [[1, 2, 3]])
                let counted = await client.call("Count", [100], isStream: true)
                #expect(counted.status.isOK)
                #expect(counted.messages.map { $0[0] } == Array(0..<100))
                let failed = await client.call("Fail", [])
                #expect(failed.status == Status(5, "no such thing"))
                let missing = await client.call("Nothing", [])
                #expect(missing.status.code == Status.Code.unimplemented)
                await client.close()
            }
        }
    }

    @Test func deadlineEndsACallWithCodeFour() async throws {
        try await withServer(.epoll) { harness in
            let client = try await harness.connect(to: harness.addresses[0])
            let answer = await client.call("Hang", [], timeoutNanoseconds: 20_000_000)
            #expect(answer.status.code == Status.Code.deadlineExceeded)
            await eventually { harness.cancelReasons == [.deadline] }
            await client.close()
        }
    }

    @Test func disconnectCancelsEveryCall() async throws {
        try await withServer(.epoll) { harness in
            let client = try await harness.connect(to: harness.addresses[0])
            for _ in 0..<10 { await client.begin("Hang", []) }
            await eventually { harness.hanging == 10 }
            await client.close()
            await eventually { harness.cancelReasons.count == 10 }
            #expect(harness.cancelReasons.allSatisfy { $0 == .disconnected })
        }
    }

    @Test func cancelByCallIDWorksFromAnotherConnection() async throws {
        try await withServer(.epoll) { harness in
            let first = try await harness.connect(to: harness.addresses[0])
            let second = try await harness.connect(to: harness.addresses[0])
            let answer = Task { await first.call("Hang", Array("my-call".utf8)) }
            await eventually { harness.hanging == 1 }
            let found = await second.call("Cancel", Array("my-call".utf8))
            #expect(found.messages == [[1]])
            #expect(await answer.value.status.code == Status.Code.cancelled)
            let again = await second.call("Cancel", Array("my-call".utf8))
            #expect(again.messages == [[0]])
            await first.close()
            await second.close()
        }
    }

    /// The cost of ending one call grows with the number of calls under its id.
    @Test func oneCallIDIsForSixtyFourCallsAtMost() async throws {
        try await withServer(.epoll) { harness in
            let first = try await harness.connect(to: harness.addresses[0])
            let second = try await harness.connect(to: harness.addresses[0])
            let stranger = try await harness.connect(to: harness.addresses[1])
            for number in 0..<64 { await (number % 2 == 0 ? first : second).begin("Hang", Array("shared".utf8)) }
            await eventually { harness.hanging == 64 }
            for client in [first, second] {
                let refused = await client.call(
                    "Hang", Array("shared".utf8), timeoutNanoseconds: 20_000_000_000)
                #expect(refused.status.code == Status.Code.invalidArgument)
                #expect(refused.status.message.contains("call_id"))
            }
            #expect(harness.hanging == 64)
            // Other ids and other callers have separate limits.
            await first.begin("Hang", Array("other".utf8))
            await stranger.begin("Hang", Array("shared".utf8))
            await eventually { harness.hanging == 66 }
            #expect(await second.call("Cancel", Array("shared".utf8)).messages == [[1]])
            await eventually { harness.cancelReasons.count == 64 }
            await first.begin("Hang", Array("shared".utf8))
            await eventually { harness.hanging == 67 }
            #expect(harness.cancelReasons.count == 64)
            for client in [first, second, stranger] { await client.close() }
        }
    }

    @Test func thousandsOfCallsEndByTheirIDs() async throws {
        try await withServer(.epoll) { harness in
            var clients: [TestClient] = []
            for number in 0..<48 {
                if number % 12 == 0 { clients.append(try await harness.connect(to: harness.addresses[0])) }
                for _ in 0..<64 { await clients[number / 12].begin("Hang", Array("id-\(number)".utf8)) }
            }
            await eventually { harness.hanging == 48 * 64 }
            for number in 0..<48 {
                #expect(await clients[3 - number / 12].call("Cancel", Array("id-\(number)".utf8)).messages == [[1]])
            }
            await eventually { harness.cancelReasons.count == 48 * 64 }
            #expect(harness.cancelReasons.allSatisfy { $0 == .requested })
            for number in 0..<48 {
                #expect(await clients[0].call("Cancel", Array("id-\(number)".utf8)).messages == [[0]])
            }
            for client in clients { await client.close() }
        }
    }

    /// A client that does not read: the sender is told to pause, resumes when the client reads, and nothing is lost.
    @Test func aSlowReaderPausesItsSenderAndLosesNothing() async throws {
        try await withServer(.epoll) { harness in
            let descriptor = try ClientConnection.connect(to: harness.addresses[0])
            let request = RequestEnvelope.encode(
                service: "test.Test", method: "Flood", payload: [], timeoutNanoseconds: 0)
            var frame = [UInt8](repeating: 0, count: FrameHeader.size)
            frame.withUnsafeMutableBytes {
                FrameHeader(length: request.count, streamID: 1, kind: 1, flags: 1).write(to: $0)
            }
            frame += request
            #expect(write(descriptor, frame, frame.count) == frame.count)
            await eventually { harness.pauses > 0 }
            let sentWhilePaused = harness.flooded
            #expect(sentWhilePaused < Harness.floodCount)
            // Other clients are served meanwhile.
            let client = try await harness.connect(to: harness.addresses[0])
            #expect(await client.call("Echo", [5]).messages == [[5]])
            let received = await readFrames(descriptor)
            #expect(received.data == Harness.floodCount)
            #expect(received.closed)
            close(descriptor)
            await client.close()
        }
    }

    @Test func drainLetsCallsEndAndRefusesNewOnes() async throws {
        try await withServer(.epoll) { harness in
            let client = try await harness.connect(to: harness.addresses[0])
            let slow = Task { await client.call("Slow", []) }
            await eventually { harness.hanging == 1 }
            let drained = Task { await harness.server.drain(seconds: 10) }
            await eventually { await client.call("Echo", []).status.code == Status.Code.unavailable }
            #expect(await slow.value.status.isOK)
            await drained.value
            #expect(harness.server.connectionCount == 0)
            if case .unix(let path) = harness.addresses[0] { #expect(access(path, F_OK) != 0) }
        }
    }

    @Test func drainCancelsWhatDoesNotEnd() async throws {
        try await withServer(.epoll) { harness in
            let client = try await harness.connect(to: harness.addresses[0])
            let hung = Task { await client.call("Hang", []) }
            await eventually { harness.hanging == 1 }
            await harness.server.drain(seconds: 0.05)
            #expect(await hung.value.status.code == Status.Code.unavailable)
            #expect(harness.cancelReasons == [.shuttingDown])
        }
    }

    @Test func aLiveSocketIsNeverStolenAndAStaleOneIsReplaced() async throws {
        try await withTemporaryFolder { folder in
            let path = folder + "/g.sock"
            // A stale socket: its owner exited without removing it.
            let old = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0)
            try Address.unix(path: path).withSocketAddresses { _, address, length in
                #expect(bind(old, address, length) == 0)
            }
            close(old)
            try await withServer(.epoll, listening: ["unix:\(path)"]) { harness in
                var info = stat()
                #expect(lstat(path, &info) == 0 && info.st_mode & 0o777 == 0o600)
                await #expect(throws: AddressError.self) {
                    try await harness.server.listen(at: .unix(path: path))
                }
                let client = try await harness.connect(to: harness.addresses[0])
                #expect(await client.call("Echo", [1]).status.isOK)
                await client.close()
                // A missing folder, a path that holds a file, a network address.
                for bad in ["unix:\(folder)/none/g.sock", "tcp:0.0.0.0:0", "tcp:192.0.2.1:1"] {
                    await #expect(throws: AddressError.self) { try await harness.server.listen(at: Address(bad)) }
                }
                let file = open(folder + "/file", O_CREAT | O_RDWR, 0o600)
                close(file)
                await #expect(throws: AddressError.self) {
                    try await harness.server.listen(at: .unix(path: folder + "/file"))
                }
                #expect(access(folder + "/file", F_OK) == 0)
            }
            #expect(access(path, F_OK) != 0)
        }
    }
}

// MARK: - Support

/// Reads frames until the stream's end; data frames and whether the close frame came.
private func readFrames(_ descriptor: Int32) async -> (data: Int, closed: Bool) {
    await Task.detached {
        var decoder = FrameDecoder(maximumLength: FrameHeader.maximumLength)
        var buffer = [UInt8](repeating: 0, count: 65536)
        var data = 0
        var closed = false
        _ = fcntl(descriptor, F_SETFL, fcntl(descriptor, F_GETFL) & ~O_NONBLOCK)
        while !closed {
            let count = read(descriptor, &buffer, buffer.count)
            guard count > 0 else { break }
            buffer.withUnsafeBytes { bytes in
                decoder.consume(UnsafeRawBufferPointer(rebasing: bytes[..<count])) { event in
                    if case .frame(let header, _) = event {
                        if header.flags & FrameHeader.Flags.remoteClosed != 0 { closed = true } else { data += 1 }
                    }
                    return true
                }
            }
        }
        return (data, closed)
    }.value
}

final class Harness: Sendable {
    static let floodCount = 3000

    private struct State {
        var hanging = 0
        var reasons: [Call.CancelReason] = []
        var pauses = 0
        var flooded = 0
    }

    private let state = Locked(State())
    nonisolated(unsafe) fileprivate(set) var server: Server!
    nonisolated(unsafe) fileprivate(set) var addresses: [Address] = []
    fileprivate let clientLoop: EventLoop

    init(clientLoop: EventLoop) { self.clientLoop = clientLoop }

    var hanging: Int { state.withLock { $0.hanging } }
    var cancelReasons: [Call.CancelReason] { state.withLock { $0.reasons } }
    var pauses: Int { state.withLock { $0.pauses } }
    var flooded: Int { state.withLock { $0.flooded } }

    func connect(to address: Address) async throws -> TestClient {
        let descriptor = try ClientConnection.connect(to: address)
        let loop = clientLoop
        return await loop.perform { TestClient(descriptor, loop) }
    }

    func methods(_ registry: CallRegistry) -> [RPC.Method] {
        [
            .init(service: "test.Test", name: "Echo") { call, payload in call.respond(Array(payload)) },
            .init(service: "test.Test", name: "Fail") { call, _ in call.fail(Status(5, "no such thing")) },
            .init(service: "test.Test", name: "Count", isServerStreaming: true) { call, payload in
                for number in 0..<payload[0] {
                    _ = call.send(size: 1) { $0.storeBytes(of: number, as: UInt8.self) }
                }
                call.finish()
            },
            .init(service: "test.Test", name: "Hang") { [self] call, payload in
                guard call.identify(as: String(decoding: payload, as: UTF8.self)) else { return }
                call.onCancel = { [self] reason in state.withLock { $0.reasons.append(reason) } }
                state.withLock { $0.hanging += 1 }
            },
            .init(service: "test.Test", name: "Slow") { [self] call, _ in
                state.withLock { $0.hanging += 1 }
                let bound = LoopBound(call, on: call.loop)
                call.loop.schedule(LoopTimer { bound.value.respond([]) }, after: .milliseconds(300))
            },
            .init(service: "test.Test", name: "Cancel") { call, payload in
                let found = registry.cancel(callID: String(decoding: payload, as: UTF8.self), caller: call.caller)
                call.respond([found ? 1 : 0])
            },
            .init(service: "test.Test", name: "Flood", isServerStreaming: true) { [self] call, _ in
                let flood = Flood(call, self)
                call.onResume = { flood.push() }
                flood.push()
            },
        ]
    }

    final class Flood {
        private let call: Call
        private let harness: Harness
        private var left = Harness.floodCount

        init(_ call: Call, _ harness: Harness) {
            self.call = call
            self.harness = harness
        }

        func push() {
            while left > 0 {
                left -= 1
                harness.state.withLock { $0.flooded += 1 }
                if call.send(size: 10_000, { memset($0, 1, 10_000) }) == .pause {
                    harness.state.withLock { $0.pauses += 1 }
                    if left > 0 { return }
                }
            }
            call.finish()
        }
    }
}

final class TestClient: Sendable {
    struct Answer: Sendable {
        var messages: [[UInt8]] = []
        var status = Status.ok
    }

    private final class Collector: ClientCallHandler {
        var answer = Answer()
        let done: (Answer) -> Void
        init(_ done: @escaping (Answer) -> Void) { self.done = done }
        func received(_ message: UnsafeRawBufferPointer) -> Demand {
            answer.messages.append(Array(message))
            return .more
        }
        func finished(_ status: Status) {
            answer.status = status
            done(answer)
        }
    }

    private let connection: LoopBound<ClientConnection>

    init(_ descriptor: Int32, _ loop: EventLoop) {
        do {
            connection = LoopBound(try ClientConnection(descriptor: descriptor, loop: loop), on: loop)
        } catch {
            preconditionFailure("\(error)")
        }
    }

    func call(
        _ method: String, _ payload: [UInt8], isStream: Bool = false, timeoutNanoseconds: Int64 = 0
    ) async -> Answer {
        await withCheckedContinuation { continuation in
            connection.loop.execute { [connection] in
                _ = connection.value.start(
                    service: "test.Test", method: method, payload: payload, isServerStreaming: isStream,
                    timeoutNanoseconds: timeoutNanoseconds, handler: Collector { continuation.resume(returning: $0) })
            }
        }
    }

    /// Starts a call without waiting for its response.
    func begin(_ method: String, _ payload: [UInt8]) async {
        await connection.loop.perform { [connection] in
            _ = connection.value.start(
                service: "test.Test", method: method, payload: payload, isServerStreaming: false,
                handler: Collector { _ in })
        }
    }

    func close() async { await connection.loop.perform { [connection] in connection.value.close() } }
}

private func withServer(
    _ kind: PollerKind, listening: [String]? = nil, _ body: (Harness) async throws -> Void
) async throws {
    try await withTemporaryFolder { folder in
        let loops = [try EventLoop(label: "server-0", poller: kind), try EventLoop(label: "server-1", poller: kind)]
        let clientLoop = try EventLoop(label: "client", poller: kind)
        let harness = Harness(clientLoop: clientLoop)
        let registry = CallRegistry()
        let server = await Server(
            loops: loops, methods: harness.methods(registry), registry: registry)
        harness.server = server
        for text in listening ?? ["unix:\(folder)/a.sock", "tcp:127.0.0.1:0"] {
            harness.addresses.append(try await server.listen(at: Address(text)))
        }
        try await body(harness)
        await server.drain(seconds: 0)
        for loop in loops + [clientLoop] { await loop.shutdown() }
    }
}

private func eventually(_ condition: () async -> Bool) async {
    for _ in 0..<3000 {
        if await condition() { return }
        try? await Task.sleep(nanoseconds: 5_000_000)
    }
    Issue.record("the condition never came true")
}
