import EventLoop
import Glibc
import TestSupport
import Testing

@testable import RPC

/// Strangers at the server's door.
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
        // The server says nothing and hangs up: a blocking read sees the end.
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
        let server = await Server(
            loops: [loop], methods: [], limits: ServerLimits(), registry: CallRegistry())
        let address = try await server.listen(at: Address("tcp:127.0.0.1:0"))
        let client = try ClientConnection.connect(to: address)
        defer { close(client) }
        let port = Self.port(client, getsockname)
        var found: Int32?
        // The server's end is in this process too.
        for _ in 0..<3000 where found == nil {
            found = (0..<4096).first { $0 != client && port != 0 && Self.port($0, getpeername) == port }
            if found == nil { usleep(10_000) }
        }
        let accepted = try #require(found)
        #expect(Self.option(accepted, SOL_SOCKET, SO_KEEPALIVE) == 1)
        #expect(Self.option(accepted, Int32(IPPROTO_TCP), TCP_KEEPIDLE) == Transport.keepaliveIdleSeconds)
        #expect(Self.option(accepted, Int32(IPPROTO_TCP), TCP_KEEPINTVL) == Transport.keepaliveIntervalSeconds)
        #expect(Self.option(accepted, Int32(IPPROTO_TCP), TCP_USER_TIMEOUT) == Transport.peerTimeoutSeconds * 1000)
        await server.drain(seconds: 0)
        await loop.shutdown()
    }

    private static func option(_ fd: Int32, _ level: Int32, _ name: Int32) -> Int32 {
        var value: Int32 = -1
        var length = socklen_t(MemoryLayout<Int32>.size)
        getsockopt(fd, level, name, &value, &length)
        return value
    }

    private static func port(
        _ fd: Int32, _ ask: (Int32, UnsafeMutablePointer<sockaddr>, UnsafeMutablePointer<socklen_t>) -> Int32
    ) -> UInt16 {
        var address = sockaddr_in()
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let result = withUnsafeMutablePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { ask(fd, $0, &length) }
        }
        return result == 0 && address.sin_family == sa_family_t(AF_INET) ? UInt16(bigEndian: address.sin_port) : 0
    }

    @Test func theKernelSaysWhichGroupsAPeerHas() throws {
        var pair: [Int32] = [-1, -1]
        #expect(socketpair(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0, &pair) == 0)
        defer { for fd in pair { close(fd) } }
        let count = getgroups(0, nil)
        var own = [gid_t](repeating: 0, count: Int(count))
        getgroups(count, &own)
        #expect(PeerIdentity.groups(descriptor: pair[0]).sorted() == own.sorted())
        // A descriptor that is none has none.
        #expect(PeerIdentity.groups(descriptor: -1).isEmpty)
    }

    private let stream = Counter()
    private func nextStream() -> UInt32 { stream.next() }

    /// Odd numbers, as clients use them.
    private final class Counter {
        private var value: UInt32 = 1
        func next() -> UInt32 {
            defer { value += 2 }
            return value
        }
    }
}
