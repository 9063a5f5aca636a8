import EventLoop
import Glibc
import Testing

@Suite struct ChannelTests {
    @Test(arguments: PollerKind.allCases)
    func whatOneBatchAppendsLeavesInOneWrite(_ kind: PollerKind) async throws {
        try await withPair(kind) { loop, pair, owner in
            await loop.perform { for byte in 1...3 { owner.value.append([UInt8](repeating: UInt8(byte), count: 2)) } }
            #expect(await loop.perform { owner.value.flushes } == 1)
            #expect(pair.readAll(6) == [1, 1, 2, 2, 3, 3])
        }
    }

    @Test(arguments: PollerKind.allCases)
    func bytesAreReportedUntilTheyAreRead(_ kind: PollerKind) async throws {
        try await withPair(kind) { loop, pair, owner in
            await loop.perform { owner.value.bytesPerRead = 3 }
            pair.write(Array(1...10))
            await eventually { await loop.perform { owner.value.received } == Array(1...10) }
        }
    }

    @Test(arguments: PollerKind.allCases)
    func nothingIsReportedWhileReadingIsPaused(_ kind: PollerKind) async throws {
        try await withPair(kind) { loop, pair, owner in
            await loop.perform { owner.value.channel.isReading = false }
            pair.write([1, 2, 3])
            // Work that returns through the kernel after the bytes have arrived.
            for _ in 0..<5 { await loop.performSleep(milliseconds: 2) }
            #expect(await loop.perform { owner.value.received }.isEmpty)
            await loop.perform { owner.value.channel.isReading = true }
            await eventually { await loop.perform { owner.value.received } == [1, 2, 3] }
        }
    }

    /// More output than the kernel accepts at once: the rest waits for the peer; nothing is lost or reordered.
    @Test(arguments: PollerKind.allCases)
    func outputWaitsForAPeerThatReadsLate(_ kind: PollerKind) async throws {
        try await withPair(kind) { loop, pair, owner in
            // Not by `map`: in a debug build, threads that iterate over ranges wait for one lock of the runtime.
            var bytes = [UInt8](repeating: 0, count: 4 << 20)
            var index = 0
            while index < bytes.count {
                bytes[index] = UInt8(truncatingIfNeeded: index &* 31 &+ index >> 8)
                index += 1
            }
            let sent = bytes
            await loop.perform { owner.value.append(sent) }
            await eventually { await loop.perform { owner.value.flushes } > 0 }
            #expect(await loop.perform { owner.value.channel.waitingBytes } > 0)
            #expect(await Task.detached { pair.readAll(sent.count) == sent }.value)
            await eventually { await loop.perform { owner.value.channel.waitingBytes } == 0 }
        }
    }

    // MARK: - The end

    @Test(arguments: PollerKind.allCases)
    func aGracefulCloseSendsWhatWaitsFirst(_ kind: PollerKind) async throws {
        try await withPair(kind) { loop, pair, owner in
            let bytes = [UInt8](repeating: 7, count: 2 << 20)
            await loop.perform {
                owner.value.append(bytes)
                owner.value.channel.closeAfterFlush(within: .seconds(3600))
                // A handler's late response is sent as well.
                owner.value.append([8])
            }
            #expect(await Task.detached { pair.readAll(bytes.count + 1) == bytes + [8] && pair.isAtEnd() }.value)
            await eventually { await loop.perform { owner.value.ends } == [.closed] }
        }
    }

    @Test(arguments: PollerKind.allCases)
    func aGracefulCloseDoesNotWaitForEver(_ kind: PollerKind) async throws {
        try await withPair(kind) { loop, pair, owner in
            await loop.perform {
                owner.value.append([UInt8](repeating: 7, count: 4 << 20))
                owner.value.channel.closeAfterFlush(within: .milliseconds(20))
                #expect(owner.value.ends.isEmpty && owner.value.channel.waitingBytes > 0)
            }
            await eventually { await loop.perform { owner.value.ends } == [.closed] }
            await loop.perform {
                #expect(owner.value.channel.append(count: 1) == nil && owner.value.channel.waitingBytes == 0)
            }
        }
    }

    @Test(arguments: PollerKind.allCases)
    func thePeersEndIsHeard(_ kind: PollerKind) async throws {
        try await withPair(kind) { loop, pair, owner in
            let inode = SocketPair.inode(pair.ours)
            await loop.perform { owner.value.bytesPerRead = 1 }
            pair.write([1, 2, 3])
            pair.closePeer()
            await eventually { await loop.perform { owner.value.ends } == [.peerClosed] }
            #expect(await loop.perform { owner.value.received } == [1, 2, 3])
            await eventually { SocketPair.inode(pair.ours) != inode }
        }
    }

    /// Peers that vanish with data unread, from several threads at once, while the loop writes to them.
    @Test(arguments: PollerKind.allCases)
    func manyPeersMayResetAtOnce(_ kind: PollerKind) async throws {
        try await withLoop(kind) { loop in
            for _ in 0..<5 {
                let pairs = (0..<200).map { _ in SocketPair() }
                let owners = await loop.perform { LoopBound(pairs.map { try! Owner($0.ours, on: loop) }, on: loop) }
                await withTaskGroup { group in
                    for part in 0..<4 {
                        group.addTask {
                            for index in stride(from: part, to: pairs.count, by: 4) {
                                if index % 3 == 0 { pairs[index].write([1]) }
                                pairs[index].closePeer()
                            }
                        }
                    }
                    await loop.perform {
                        for owner in owners.value { owner.append([UInt8](repeating: 2, count: 1 << 18)) }
                    }
                }
                await eventually { await loop.perform { owners.value.allSatisfy { $0.ends.count == 1 } } }
            }
            #expect(await loop.perform { loop.registrationCount } == 0)
        }
    }

    @Test(arguments: PollerKind.allCases)
    func aWriteToAPeerThatHasGoneBreaksTheChannel(_ kind: PollerKind) async throws {
        try await withPair(kind) { loop, pair, owner in
            await loop.perform {
                pair.closePeer()
                owner.value.append([1])
                owner.value.channel.flush()
                #expect(owner.value.ends == [.broken(SystemError("send", code: EPIPE))])
                // The end is reported once, regardless of later calls.
                owner.value.channel.close()
                owner.value.channel.closeAfterFlush(within: .zero)
                #expect(owner.value.channel.read(into: .init(start: nil, count: 0)) == 0)
                #expect(owner.value.ends.count == 1)
            }
        }
    }

    /// Channel and owner retain each other until the end, so nothing else needs to retain them.
    @Test(arguments: PollerKind.allCases)
    func theOwnerIsFreeAfterTheEnd(_ kind: PollerKind) async throws {
        try await withLoop(kind) { loop in
            let pair = SocketPair()
            let watch = await loop.perform { () -> LoopBound<() -> Bool> in
                let owner = try! Owner(pair.ours, on: loop)
                return LoopBound({ [weak owner] in owner == nil }, on: loop)
            }
            #expect(await loop.perform { !watch.value() })
            pair.closePeer()
            await eventually { await loop.perform { watch.value() } }
            #expect(await loop.perform { loop.registrationCount } == 0)
        }
    }

    @Test(arguments: PollerKind.allCases)
    func theLoopsEndIsTheChannels(_ kind: PollerKind) async throws {
        let loop = try EventLoop(label: "channel", poller: kind)
        let pair = SocketPair()
        let owner = await loop.perform { LoopBound(try! Owner(pair.ours, on: loop), on: loop) }
        await loop.shutdown()
        #expect(await loop.perform { owner.value.ends } == [.loopStopped])
        #expect(pair.isAtEnd())
        // A stopped loop accepts no new channel and leaves no socket open.
        let late = SocketPair()
        let refused = await loop.perform {
            do {
                _ = try Owner(late.ours, on: loop)
                return false
            } catch { return true }
        }
        #expect(refused && late.isAtEnd())
        pair.closePeer()
        late.closePeer()
    }

    /// The kernel reuses a descriptor number as soon as it is free.
    @Test(arguments: PollerKind.allCases)
    func closingClosesTheDescriptorAtOnce(_ kind: PollerKind) async throws {
        try await withLoop(kind) { loop in
            for _ in 0..<50 {
                let pair = SocketPair()
                let inode = SocketPair.inode(pair.ours)
                let isOpenStill = await loop.perform { () -> Bool in
                    let owner = try! Owner(pair.ours, on: loop)
                    // A reader and a writer.
                    owner.append([UInt8](repeating: 1, count: 4 << 20))
                    owner.channel.flush()
                    owner.channel.close()
                    return SocketPair.inode(pair.ours) == inode
                }
                #expect(!isOpenStill)
                pair.closePeer()
            }
            #expect(await loop.perform { loop.registrationCount } == 0)
        }
    }

    private func withPair(
        _ kind: PollerKind, _ body: (EventLoop, SocketPair, LoopBound<Owner>) async throws -> Void
    ) async throws {
        try await withLoop(kind) { loop in
            let pair = SocketPair()
            let owner = await loop.perform { LoopBound(try! Owner(pair.ours, on: loop), on: loop) }
            try await body(loop, pair, owner)
            await loop.perform { owner.value.channel.close() }
            pair.closePeer()
        }
    }
}

private final class Owner: ChannelOwner {
    let channel: Channel
    var bytesPerRead = 1024
    private(set) var received: [UInt8] = []
    private(set) var flushes = 0
    private(set) var ends: [Channel.End] = []

    init(_ descriptor: Int32, on loop: EventLoop) throws(SystemError) {
        channel = Channel(descriptor, on: loop)
        try channel.start(self)
    }

    func append(_ bytes: [UInt8]) { channel.append(count: bytes.count)?.copyBytes(from: bytes) }

    func channelIsReadable(_ channel: Channel) {
        var buffer = [UInt8](repeating: 0, count: bytesPerRead)
        let count = buffer.withUnsafeMutableBytes { channel.read(into: $0) }
        received += buffer.prefix(count)
    }

    func channelDidFlush(_ channel: Channel) { flushes += 1 }
    func channelDidEnd(_ channel: Channel, _ end: Channel.End) { ends.append(end) }
}

/// A socket for a channel, and its blocking peer.
private final class SocketPair: Sendable {
    let ours: Int32
    private let theirs: Int32
    private let peerIsOpen = Locked(true)

    init() {
        var ends: [Int32] = [0, 0]
        precondition(socketpair(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0, &ends) == 0, "socketpair: \(errno)")
        (ours, theirs) = (ends[0], ends[1])
        _ = fcntl(ours, F_SETFL, fcntl(ours, F_GETFL) | O_NONBLOCK)
    }

    func write(_ bytes: [UInt8]) { precondition(send(theirs, bytes, bytes.count, Int32(MSG_NOSIGNAL)) == bytes.count) }

    func readAll(_ count: Int) -> [UInt8] {
        var bytes = [UInt8](repeating: 0, count: count)
        var filled = 0
        while filled < count {
            let got = bytes.withUnsafeMutableBytes { read(theirs, $0.baseAddress! + filled, count - filled) }
            guard got > 0 else { break }
            filled += got
        }
        return Array(bytes.prefix(filled))
    }

    func isAtEnd() -> Bool {
        var byte: UInt8 = 0
        return read(theirs, &byte, 1) <= 0
    }

    /// A program that another test is starting may hold a copy of the descriptor for a moment, hence the shutdown.
    func closePeer() {
        let isOpen = peerIsOpen.withLock { isOpen in
            defer { isOpen = false }
            return isOpen
        }
        guard isOpen else { return }
        shutdown(theirs, Int32(SHUT_RDWR))
        close(theirs)
    }

    /// Identifies a socket, to distinguish it from a later one with the same number; `nil` if there is none.
    static func inode(_ descriptor: Int32) -> UInt? {
        var info = stat()
        return fstat(descriptor, &info) == 0 ? info.st_ino : nil
    }
}
