import EventLoop
import Glibc
import Synchronization
import Testing

/// Every test runs over both pollers: they must not differ in anything but speed.
@Suite struct EventLoopTests {
    @Test(arguments: PollerKind.allCases)
    func workRunsInOrderAndOnTheLoop(_ kind: PollerKind) async throws {
        try await withLoop(kind) { loop in
            let seen = Locked<[Int]>([])
            for number in 0..<1000 { loop.execute { seen.withLock { $0.append(number) } } }
            let isCurrent = await loop.perform { loop.isCurrent }
            #expect(isCurrent)
            #expect(!loop.isCurrent)
            #expect(seen.withLock { $0 } == Array(0..<1000))
        }
    }

    @Test(arguments: PollerKind.allCases)
    func tasksThatPreferTheLoopStayOnIt(_ kind: PollerKind) async throws {
        try await withLoop(kind) { loop in
            let stayed = await Task(executorPreference: loop) { () -> Bool in
                var all = loop.isCurrent
                for _ in 0..<100 {
                    await Task.yield()
                    all = all && loop.isCurrent
                }
                await loop.sleep(.milliseconds(1))
                return all && loop.isCurrent
            }.value
            #expect(stayed)
        }
    }

    @Test(arguments: PollerKind.allCases)
    func aPipeIsReportedReadableUntilItIsEmpty(_ kind: PollerKind) async throws {
        try await withLoop(kind) { loop in
            let pipe = Pipe()
            let reader = await loop.perform { LoopBound(ByteReader(pipe.reader, on: loop, bytesPerEvent: 3), on: loop) }
            pipe.write(10)
            await eventually { await loop.perform { reader.value.total == 10 } }
            await loop.perform { reader.value.stop() }
            pipe.closeBoth()
        }
    }

    @Test(arguments: PollerKind.allCases)
    func thousandsOfDescriptorsEachGetTheirByte(_ kind: PollerKind) async throws {
        try await withLoop(kind) { loop in
            let pipes = (0..<2000).map { _ in Pipe() }
            let readers = await loop.perform {
                LoopBound(pipes.map { ByteReader($0.reader, on: loop, bytesPerEvent: 16) }, on: loop)
            }
            for pipe in pipes.shuffled() { pipe.write(1) }
            await eventually { await loop.perform { readers.value.allSatisfy { $0.total == 1 } } }
            await loop.perform { readers.value.forEach { $0.stop() } }
            #expect(await loop.perform { loop.registrationCount } == 0)
            pipes.forEach { $0.closeBoth() }
        }
    }

    /// The first handler to run closes all descriptors, its own among them; the others of the same batch must stay
    /// silent, and so must a new owner of a re-used slot and descriptor number.
    @Test(arguments: PollerKind.allCases)
    func closingInsideAnEventSilencesTheRestOfTheBatch(_ kind: PollerKind) async throws {
        try await withLoop(kind) { loop in
            for _ in 0..<50 {
                let pipes = (0..<20).map { _ in Pipe() }
                pipes.forEach { $0.write(1) }
                let closer = await loop.perform { LoopBound(Closer(pipes, on: loop), on: loop) }
                await eventually { await loop.perform { closer.value.events > 0 } }
                await loop.perform {}
                #expect(await loop.perform { closer.value.events } == 1)
                #expect(await loop.perform { closer.value.strangerEvents } == 0)
                await loop.perform { closer.value.finish() }
            }
        }
    }

    /// A descriptor that is always ready, a job that always re-enqueues itself and a timer must all advance.
    @Test(arguments: PollerKind.allCases)
    func nobodyStarves(_ kind: PollerKind) async throws {
        try await withLoop(kind) { loop in
            let pipe = Pipe()
            pipe.write(1)
            let watcher = await loop.perform { LoopBound(EndlessWatcher(pipe.reader, on: loop), on: loop) }
            let spinning = Atomic<Bool>(true)
            let jobs = Task(executorPreference: loop) { () -> Int in
                var count = 0
                while spinning.load(ordering: .relaxed) {
                    count += 1
                    await Task.yield()
                }
                return count
            }
            for _ in 0..<5 { await loop.performSleep(milliseconds: 2) }
            // From here on the job is running, and never leaves the loop without work.
            let before = await loop.perform { watcher.value.events }
            // While the jobs run, the descriptor's events are handled too, however slow the machine is.
            await eventually { await loop.perform { watcher.value.events > before + 5 } }
            spinning.store(false, ordering: .relaxed)
            #expect(await jobs.value > 5)
            await loop.perform { watcher.value.stop() }
            pipe.closeBoth()
        }
    }

    @Test(arguments: PollerKind.allCases)
    func wakeUpStormsFromManyThreadsLoseNothing(_ kind: PollerKind) async throws {
        try await withLoop(kind) { loop in
            let sum = Counter()
            let storms = (0..<8).map { _ in
                Task.detached {
                    for _ in 0..<5000 { loop.execute { sum.increment() } }
                }
            }
            for storm in storms { await storm.value }
            await eventually { sum.value == 40_000 }
        }
    }

    @Test(arguments: PollerKind.allCases)
    func turnEndHandlersRunOncePerRequest(_ kind: PollerKind) async throws {
        try await withLoop(kind) { loop in
            let counter = await loop.perform { LoopBound(TurnCounter(), on: loop) }
            await loop.perform { loop.atTurnEnd(counter.value) }
            await loop.perform {}
            await loop.perform {}
            #expect(await loop.perform { counter.value.count } == 1)
        }
    }

    @Test(arguments: PollerKind.allCases)
    func shutdownWithWorkPendingStillRunsTasksToTheirEnd(_ kind: PollerKind) async throws {
        let loop = try EventLoop(label: "test", poller: kind)
        let pipe = Pipe()
        let watcher = await loop.perform { LoopBound(EndlessWatcher(pipe.reader, on: loop), on: loop) }
        let tasks = (0..<100).map { _ in
            Task(executorPreference: loop) { () -> Bool in
                for _ in 0..<50 { await Task.yield() }
                return loop.isCurrent
            }
        }
        await loop.shutdown()
        await loop.shutdown()
        for task in tasks { #expect(await task.value) }
        // After shutdown: no descriptors, but work still runs.
        #expect(await loop.perform { loop.registrationCount } == 0)
        let refused = await loop.perform { () -> Bool in
            do {
                _ = try loop.register(pipe.reader, .readable, watcher.value)
                return false
            } catch { return true }
        }
        #expect(refused)
        pipe.closeBoth()
    }

    @Test func aRegularFileIsRefusedWithATypedError() async throws {
        try await withLoop(.epoll) { loop in
            let file = open("/etc/hostname", O_RDONLY)
            defer { close(file) }
            let code = await loop.perform { () -> Int32 in
                do throws(SystemError) {
                    _ = try loop.register(file, .readable, Silent())
                    return 0
                } catch { return error.code }
            }
            #expect(code == EPERM)
            #expect(await loop.perform { loop.registrationCount } == 0)
        }
    }
}

// MARK: - Support

func withLoop(_ kind: PollerKind, _ body: (EventLoop) async throws -> Void) async throws {
    let loop = try EventLoop(label: "test", poller: kind)
    do {
        try await body(loop)
    } catch {
        await loop.shutdown()
        throw error
    }
    await loop.shutdown()
}

/// Waits until `condition` holds; records a failure after a time that no healthy run needs.
func eventually(_ condition: () async -> Bool) async {
    for _ in 0..<30_000 {
        if await condition() { return }
        try? await Task.sleep(nanoseconds: 10_000_000)
    }
    Issue.record("the condition never came true")
}

extension EventLoop {
    func performSleep(milliseconds: UInt64) async {
        await withCheckedContinuation { continuation in
            execute {
                self.schedule(LoopTimer { continuation.resume() }, after: .milliseconds(milliseconds))
            }
        }
    }
}

final class Counter: Sendable {
    private let count = Atomic<Int>(0)
    var value: Int { count.load(ordering: .relaxed) }
    func increment() { count.add(1, ordering: .relaxed) }
}

struct Pipe: Sendable {
    let reader: Int32
    let writer: Int32

    init() {
        var ends: [Int32] = [0, 0]
        precondition(pipe(&ends) == 0, "pipe: \(errno)")
        (reader, writer) = (ends[0], ends[1])
        for end in ends { _ = fcntl(end, F_SETFL, fcntl(end, F_GETFL) | O_NONBLOCK) }
    }

    func write(_ count: Int) {
        let bytes = [UInt8](repeating: 7, count: count)
        _ = Glibc.write(writer, bytes, count)
    }

    func closeBoth() {
        close(reader)
        close(writer)
    }
}

final class Silent: ReadinessHandler {
    func ready(_ readiness: Readiness) {}
}

/// Reads a few bytes per event, so that level-triggered reports are needed for the rest.
final class ByteReader: ReadinessHandler {
    private let descriptor: Int32
    private let loop: EventLoop
    private let bytesPerEvent: Int
    private var registration: Registration?
    private(set) var total = 0

    init(_ descriptor: Int32, on loop: EventLoop, bytesPerEvent: Int) {
        self.descriptor = descriptor
        self.loop = loop
        self.bytesPerEvent = bytesPerEvent
        registration = try? loop.register(descriptor, .readable, self)
    }

    func ready(_ readiness: Readiness) {
        var bytes = [UInt8](repeating: 0, count: bytesPerEvent)
        let count = read(descriptor, &bytes, bytesPerEvent)
        if count > 0 { total += count }
    }

    func stop() {
        if let registration { loop.deregister(registration) }
    }
}

/// Never reads, so its descriptor stays ready.
final class EndlessWatcher: ReadinessHandler {
    private let loop: EventLoop
    private var registration: Registration?
    private(set) var events = 0

    init(_ descriptor: Int32, on loop: EventLoop) {
        self.loop = loop
        registration = try? loop.register(descriptor, .readable, self)
    }

    func ready(_ readiness: Readiness) { events += 1 }

    func stop() {
        if let registration { loop.deregister(registration) }
    }
}

final class Closer: ReadinessHandler {
    private let loop: EventLoop
    private var pipes: [Pipe]
    private var registrations: [Registration] = []
    private var stranger: Pipe?
    private var strangerRegistration: Registration?
    private(set) var events = 0
    private(set) var strangerEvents = 0

    init(_ pipes: [Pipe], on loop: EventLoop) {
        self.pipes = pipes
        self.loop = loop
        registrations = pipes.compactMap { try? loop.register($0.reader, .readable, self) }
    }

    func ready(_ readiness: Readiness) {
        events += 1
        guard stranger == nil else { return }
        for registration in registrations { loop.deregister(registration) }
        for pipe in pipes { pipe.closeBoth() }
        // The kernel reuses the same numbers, and the loop the same slots.
        let pipe = Pipe()
        let observer = StrangerObserver { [unowned self] in strangerEvents += 1 }
        stranger = pipe
        strangerRegistration = try? loop.register(pipe.reader, .readable, observer)
    }

    func finish() {
        if let strangerRegistration { loop.deregister(strangerRegistration) }
        stranger?.closeBoth()
    }
}

final class StrangerObserver: ReadinessHandler {
    private let body: () -> Void
    init(_ body: @escaping () -> Void) { self.body = body }
    func ready(_ readiness: Readiness) { body() }
}

final class TurnCounter: TurnEndHandler {
    private(set) var count = 0
    func turnEnded() { count += 1 }
}
