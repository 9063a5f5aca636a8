import EventLoop
import Glibc
import Limits
import TestSupport
import Testing

@testable import RPC

/// Access control of unauthenticated callers.
@Suite struct AccessTests {
    @Test func aConnectionWithoutATokenIsClosedInTime() async throws {
        let loop = try EventLoop(label: "access")
        var limits = ServerLimits()
        limits.strangerTimeoutNanoseconds = 50_000_000
        let policy = AccessPolicy(users: []) { $0 == "right" ? "name" : nil }
        let server = await Server(
            loops: [loop],
            methods: [Method(service: "s", name: "Who") { call, _ in call.respond(Array(call.caller.utf8)) }],
            limits: limits, registry: CallRegistry(), policy: policy)
        let address = try await server.listen(at: Address("tcp:127.0.0.1:0"))
        let silent = try ClientConnection.connect(to: address)
        defer { close(silent) }
        // The server closes the connection without a response: a blocking read returns the end of the stream.
        _ = fcntl(silent, F_SETFL, fcntl(silent, F_GETFL) & ~O_NONBLOCK)
        var byte: UInt8 = 0
        #expect(read(silent, &byte, 1) == 0)

        let known = try ClientConnection.connect(to: address)
        defer { close(known) }
        _ = fcntl(known, F_SETFL, fcntl(known, F_GETFL) & ~O_NONBLOCK)
        for _ in 0..<3 {
            let request = RequestEnvelope.encode(
                service: "s", method: "Who", payload: [], timeoutNanoseconds: 0,
                metadata: [(key: "authorization", value: "Bearer right")])
            var frame = [UInt8](repeating: 0, count: FrameHeader.size)
            let stream = nextStream()
            frame.withUnsafeMutableBytes {
                FrameHeader(length: request.count, streamID: stream, kind: 1, flags: 0).write(to: $0)
            }
            #expect(write(known, frame + request, frame.count + request.count) == frame.count + request.count)
            var answer = [UInt8](repeating: 0, count: 256)
            let count = read(known, &answer, answer.count)
            #expect(String(decoding: answer.prefix(max(0, count)), as: UTF8.self).contains("token:name"))
            usleep(60_000)
        }
        await server.drain(seconds: 0)
        await loop.shutdown()
    }

    /// A reload that lets other users in must also let them open the socket.
    @Test func theSocketsModeFollowsThePolicy() async throws {
        let loop = try EventLoop(label: "access")
        try await withTemporaryFolder { folder in
            let server = await Server(
                loops: [loop], methods: [], registry: CallRegistry())
            let path = folder + "/g.sock"
            _ = try await server.listen(at: .unix(path: path))
            func mode() async -> mode_t {
                await loop.perform {
                    var info = stat()
                    return lstat(path, &info) == 0 ? info.st_mode & 0o777 : 0
                }
            }
            #expect(await mode() == 0o600)
            server.adopt(AccessPolicy(users: [geteuid(), geteuid() + 1]))
            #expect(await mode() == 0o666)
            server.adopt(.sameUser)
            #expect(await mode() == 0o600)
            await server.drain(seconds: 0)
        }
        await loop.shutdown()
    }

    @Test func aPeerOnTheNetworkThatVanishesIsNoticed() async throws {
        let loop = try EventLoop(label: "access")
        let (listener, options) = await withCheckedContinuation { continuation in
            loop.execute {
                var listener: Listener?
                listener = try? Listener(
                    Address("tcp:127.0.0.1:0"), servesNetwork: false, servesOthers: false, warn: { _ in },
                    accept: { accepted in
                        let options = Self.options(accepted)
                        close(accepted)
                        continuation.resume(returning: (listener.map { LoopBound($0, on: loop) }, options))
                    })
                guard let listener, (try? listener.start(on: loop)) != nil,
                    let client = try? ClientConnection.connect(to: listener.address)
                else { return continuation.resume(returning: (nil, [])) }
                close(client)
            }
        }
        #expect(
            options == [
                1, Transport.keepaliveIdleSeconds, Transport.keepaliveIntervalSeconds,
                Transport.peerTimeoutSeconds * 1000,
            ])
        await loop.perform { listener?.value.stop() }
        await loop.shutdown()
    }

    /// What `Transport.detectVanishedPeers` sets.
    private static func options(_ fd: Int32) -> [Int32] {
        let tcp = Int32(IPPROTO_TCP)
        return [
            (SOL_SOCKET, SO_KEEPALIVE), (tcp, TCP_KEEPIDLE), (tcp, TCP_KEEPINTVL), (tcp, TCP_USER_TIMEOUT),
        ].map { level, name in
            var value: Int32 = -1
            var length = socklen_t(MemoryLayout<Int32>.size)
            getsockopt(fd, level, name, &value, &length)
            return value
        }
    }

    @Test func theKernelSaysWhichGroupsAPeerHas() throws {
        var pair: [Int32] = [-1, -1]
        #expect(socketpair(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0, &pair) == 0)
        defer { for fd in pair { close(fd) } }
        let count = getgroups(0, nil)
        var own = [gid_t](repeating: 0, count: Int(count))
        getgroups(count, &own)
        #expect(PeerIdentity.groups(descriptor: pair[0]).sorted() == own.sorted())
        // An invalid descriptor has no groups.
        #expect(PeerIdentity.groups(descriptor: -1).isEmpty)
    }

    private let stream = Counter()
    private func nextStream() -> UInt32 { stream.next() }

    /// Odd stream ids, as clients use them.
    private final class Counter {
        private var value: UInt32 = 1
        func next() -> UInt32 {
            defer { value += 2 }
            return value
        }
    }
}
