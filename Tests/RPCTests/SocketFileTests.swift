import EventLoop
import Foundation
import Glibc
import Synchronization
import TestSupport
import Testing

@testable import RPC

/// The socket file among programs that want the same path or remove what is there.
@Suite struct SocketFileTests {
    @Test func onlyOneHoldsTheLockAtATime() async throws {
        try await withTemporaryFolder { folder in
            let path = folder + "/g.sock"
            let holders = Locked(0)
            let most = Locked(0)
            await withTaskGroup(of: Void.self) { group in
                for _ in 0..<4 {
                    group.addTask {
                        var claimed = 0
                        while claimed < 300 {
                            guard let file = try? SocketFile(claiming: path) else { continue }
                            claimed += 1
                            let now = holders.withLock { holders in
                                holders += 1
                                return holders
                            }
                            most.withLock { $0 = max($0, now) }
                            sched_yield()
                            holders.withLock { $0 -= 1 }
                            file.release()
                        }
                    }
                }
            }
            #expect(most.withLock { $0 } == 1)
            #expect(access(path + ".lock", F_OK) != 0)
        }
    }

    @Test func aLockOfAnotherServerIsNotRemoved() async throws {
        try await withTemporaryFolder { folder in
            let path = folder + "/g.sock"
            let first = try SocketFile(claiming: path)
            unlink(path + ".lock")
            let second = try SocketFile(claiming: path)
            first.release()
            #expect(throws: AddressError.self) { try SocketFile(claiming: path) }
            second.release()
            #expect(access(path + ".lock", F_OK) != 0)
        }
    }

    @Test func aRemovedSocketIsMadeAgain() async throws {
        try await withTemporaryFolder { folder in
            let path = folder + "/sub/g.sock"
            mkdir(folder + "/sub", 0o700)
            try await withListener(at: path) { _, warnings in
                func count(_ number: Int) async throws -> Bool {
                    try await eventually { warnings.withLock { $0.count } == number }
                }
                let early = try ClientConnection.connect(to: .unix(path: path))
                defer { close(early) }
                unlink(path)
                #expect(try await count(1))
                #expect(warnings.withLock { $0.last?.contains("has been created again") == true })
                var info = stat()
                #expect(lstat(path, &info) == 0 && info.st_mode & 0o777 == 0o600)
                close(try ClientConnection.connect(to: .unix(path: path)))
                // A connected client stays connected.
                #expect(write(early, "x", 1) == 1)

                // With its lock and its folder, all at once.
                #expect(rename(folder + "/sub", folder + "/gone") == 0)
                #expect(try await count(2))
                #expect(warnings.withLock { $0.last?.contains("does not exist") == true })
                mkdir(folder + "/sub", 0o700)
                #expect(try await count(3))
                #expect(warnings.withLock { $0.last?.contains("has been created again") == true })
                #expect(throws: AddressError.self) { try SocketFile(claiming: path) }
                close(try ClientConnection.connect(to: .unix(path: path)))
            }
            #expect(access(path, F_OK) != 0 && access(path + ".lock", F_OK) != 0)
        }
    }

    /// More connections than the listener accepts at once, while the loop is busy until the missing file is detected.
    @Test func whoConnectedBeforeTheFileWasRemovedIsServed() async throws {
        try await withTemporaryFolder { folder in
            let path = folder + "/g.sock"
            try await withListener(at: path) { loop, warnings in
                let sockets = try await loop.perform { () -> Result<[Int32], any Error> in
                    Result {
                        let sockets = try (0..<200).map { _ in try ClientConnection.connect(to: .unix(path: path)) }
                        unlink(path)
                        usleep(2_100_000)
                        return sockets
                    }
                }.get()
                var answers = 0
                for socket in sockets {
                    let caller = RawCaller(socket)
                    caller.write(RawCaller.request("None", streamID: 1))
                    if caller.response()?.status.code == Status.Code.unimplemented { answers += 1 }
                }
                #expect(answers == 200)
                #expect(try await eventually { warnings.withLock { $0.count } == 1 })
            }
        }
    }

    /// Another thread's files, and the programs that it starts, would get what `bind` needs.
    @Test func listeningLeavesTheUmaskAlone() async throws {
        try await withTemporaryFolder { folder in
            let isOver = Locked(false)
            @Sendable func mask() -> Substring? {
                let text = try? String(contentsOfFile: "/proc/self/status", encoding: .utf8)
                return text?.split(separator: "\n").first { $0.hasPrefix("Umask:") }
            }
            let before = try #require(mask())
            let seen = Locked<Set<Substring?>>([])
            // Not a task, for which this one might have to make room.
            Thread.detachNewThread {
                for _ in 0..<3000 {
                    let mask = mask()
                    seen.withLock { _ = $0.insert(mask) }
                }
                isOver.withLock { $0 = true }
            }
            let file = try SocketFile(claiming: folder + "/g.sock")
            var modes: Set<mode_t> = []
            while !isOver.withLock({ $0 }) {
                for isForOthers in [false, true] {
                    close(try file.listen(isForOthers: isForOthers))
                    var info = stat()
                    #expect(lstat(file.path, &info) == 0)
                    modes.insert(info.st_mode & 0o777 | (isForOthers ? 0o1000 : 0))
                    unlink(file.path)
                }
            }
            file.release()
            #expect(seen.withLock { $0 } == [before])
            #expect(modes == [0o600, 0o1666])
        }
    }

    @Test func anotherProgramsSocketIsLeftAlone() async throws {
        try await withTemporaryFolder { folder in
            let path = folder + "/g.sock"
            var others: [Int32] = []
            defer { for other in others { close(other) } }
            /// Bound under another name and moved, so that the path is never without a file.
            func occupy() throws -> ino_t {
                let other = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0)
                others.append(other)
                try Address.unix(path: path + ".new").withSocketAddresses { _, address, length in
                    #expect(bind(other, address, length) == 0)
                }
                #expect(rename(path + ".new", path) == 0)
                return inode()
            }
            func inode() -> ino_t {
                var info = stat()
                return lstat(path, &info) == 0 ? info.st_ino : 0
            }
            var last: ino_t = 0
            try await withListener(at: path) { loop, warnings in
                let first = try occupy()
                #expect(try await eventually { warnings.withLock { $0.count } == 1 })
                #expect(warnings.withLock { $0.last?.contains("another program replaced") == true })
                // Two more checks of the file.
                await loop.sleepFor(milliseconds: 4500)
                #expect(inode() == first)
                #expect(warnings.withLock { $0.count } == 1)
                unlink(path)
                #expect(try await eventually { warnings.withLock { $0.count } == 2 })
                close(try ClientConnection.connect(to: .unix(path: path)))
                last = try occupy()
            }
            // The file is not removed at the end either.
            #expect(inode() == last)
        }
    }
}

extension EventLoop {
    fileprivate func sleepFor(milliseconds: UInt64) async {
        await withCheckedContinuation { continuation in
            execute {
                self.schedule(LoopTimer { continuation.resume() }, after: .milliseconds(milliseconds))
            }
        }
    }
}

/// Runs `body` with a server that listens at `path`.
private func withListener(
    at path: String, _ body: (EventLoop, Locked<[String]>) async throws -> Void
) async throws {
    let loop = try EventLoop(label: "socket-file")
    let warnings = Locked<[String]>([])
    let server = await Server(
        loops: [loop], methods: [], registry: CallRegistry())
    _ = try await server.listen(at: .unix(path: path)) { text in warnings.withLock { $0.append(text) } }
    do {
        try await body(loop, warnings)
    } catch {
        await server.drain(seconds: 0)
        await loop.shutdown()
        throw error
    }
    await server.drain(seconds: 0)
    await loop.shutdown()
}

extension SocketFileTests {
    @Test func clientsTryTheAddressesInTurn() async throws {
        try await withTemporaryFolder { folder in
            try await withListener(at: folder + "/second.sock") { _, _ in
                let own = Address.unix(path: folder + "/first.sock")
                let system = Address.unix(path: folder + "/second.sock")
                close(try ClientConnection.connect(toFirstOf: [own, system], trusting: nil).descriptor)
                // A crashed server leaves its file behind.
                let stale = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0)
                try own.withSocketAddresses { _, address, length in #expect(bind(stale, address, length) == 0) }
                close(stale)
                close(try ClientConnection.connect(toFirstOf: [own, system], trusting: nil).descriptor)
                let missing = Address.unix(path: folder + "/third.sock")
                let failure = #expect(throws: ConnectFailure.self) {
                    try ClientConnection.connect(toFirstOf: [own, missing], trusting: nil)
                }
                #expect(failure?.address == own)
            }
        }
    }
}
