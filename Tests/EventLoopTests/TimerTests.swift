import EventLoop
import Synchronization
import Testing

@testable import EventLoop

@Suite struct TimerTests {
    @Test(arguments: PollerKind.allCases)
    func timersFireInOrderAndNeverEarly(_ kind: PollerKind) async throws {
        try await withLoop(kind) { loop in
            let fired = Locked<[(Int, Bool)]>([])
            await loop.perform {
                for delay in [30, 5, 20, 1, 12] {
                    let due = Instant.now() + .milliseconds(UInt64(delay))
                    loop.schedule(
                        LoopTimer { fired.withLock { $0.append((delay, Instant.now() >= due)) } },
                        at: due)
                }
            }
            await eventually { fired.withLock { $0.count } == 5 }
            #expect(fired.withLock { $0.map(\.0) } == [1, 5, 12, 20, 30])
            #expect(fired.withLock { $0.allSatisfy(\.1) })
        }
    }

    @Test(arguments: PollerKind.allCases)
    func aCancelledTimerIsSilentEvenInItsOwnTick(_ kind: PollerKind) async throws {
        try await withLoop(kind) { loop in
            let second = Atomic<Bool>(false)
            let first = Atomic<Bool>(false)
            await loop.perform {
                let victim = LoopTimer { second.store(true, ordering: .relaxed) }
                let due = Instant.now() + .milliseconds(3)
                // Scheduled later means fired earlier within a slot or the other way round: cancel from both sides.
                let killer = LoopTimer {
                    first.store(true, ordering: .relaxed)
                    loop.cancel(victim)
                }
                loop.schedule(killer, at: Instant(nanoseconds: due.nanoseconds - 2_000_000))
                loop.schedule(victim, at: due)
            }
            await eventually { first.load(ordering: .relaxed) }
            await loop.performSleep(milliseconds: 10)
            let victimFired = second.load(ordering: .relaxed)
            #expect(!victimFired)
        }
    }

    @Test(arguments: PollerKind.allCases)
    func timersFireUnderLoad(_ kind: PollerKind) async throws {
        try await withLoop(kind) { loop in
            let count = Atomic<Int>(0)
            let spinning = Atomic<Bool>(true)
            let load = Task(executorPreference: loop) {
                while spinning.load(ordering: .relaxed) { await Task.yield() }
            }
            await loop.perform {
                for delay in 0..<2000 {
                    loop.schedule(
                        LoopTimer { count.add(1, ordering: .relaxed) }, after: .nanoseconds(UInt64(delay) * 20_000))
                }
            }
            await eventually { count.load(ordering: .relaxed) == 2000 }
            spinning.store(false, ordering: .relaxed)
            await load.value
        }
    }

    /// Both are due in the same pass; the one that fires first moves the other by an hour.
    @Test(arguments: PollerKind.allCases)
    func aTimerThatIsMovedInItsOwnPassWaitsForItsNewTime(_ kind: PollerKind) async throws {
        try await withLoop(kind) { loop in
            let fired = Atomic<Int>(0)
            let waiting = Atomic<Int>(0)
            await loop.perform {
                var timers: [LoopTimer] = []
                for own in 0..<2 {
                    timers.append(
                        LoopTimer {
                            fired.add(1, ordering: .relaxed)
                            let other = timers[1 - own]
                            loop.schedule(other, after: .seconds(3600))
                            waiting.add(other.isScheduled ? 1 : 0, ordering: .relaxed)
                        })
                }
                for timer in timers { loop.schedule(timer, at: Instant(nanoseconds: 0)) }
            }
            await eventually { fired.load(ordering: .relaxed) > 0 }
            // There is at least one more pass between the two calls.
            await loop.performSleep(milliseconds: 5)
            #expect(fired.load(ordering: .relaxed) == 1)
            #expect(waiting.load(ordering: .relaxed) == 1)
        }
    }

    /// With work per timer that grows with their number, this would take many minutes instead of a second.
    @Test(.timeLimit(.minutes(2)))
    func timersThatAreDueTogetherCostTheSameEach() async throws {
        let total = 300_000
        try await withLoop(.epoll) { loop in
            let fired = Atomic<Int>(0)
            let waiting = await loop.perform { () -> LoopBound<[LoopTimer]> in
                var timers: [LoopTimer] = []
                for index in 0..<total {
                    // Each cancels one and moves another that would have fired in the same pass.
                    let timer = LoopTimer {
                        fired.add(1, ordering: .relaxed)
                        loop.cancel(timers[(index + total / 2) % total])
                        loop.schedule(timers[(index + total / 4) % total], after: .seconds(3600))
                    }
                    timers.append(timer)
                }
                for timer in timers { loop.schedule(timer, at: Instant(nanoseconds: 0)) }
                return LoopBound(timers, on: loop)
            }
            // One that fires a pass later.
            await loop.performSleep(milliseconds: 5)
            #expect(fired.load(ordering: .relaxed) == total / 2)
            #expect(await loop.perform { waiting.value.count { $0.isScheduled } } == total / 4)
        }
    }

    @Test func dueTimersKeepTheirOrderWhenSomeLeave() {
        var wheel = TimerWheel(now: 0)
        var order: [Int] = []
        let timers = (0..<6).map { id in LoopTimer { order.append(id) } }
        for (index, timer) in timers.enumerated() { wheel.insert(timer, deadline: UInt64(index + 1) * 1_000_000) }
        wheel.advance(to: 6_000_000)
        // The first, the last and one between; the last comes back, but for later.
        for index in [0, 5, 2] { wheel.remove(timers[index]) }
        wheel.insert(timers[5], deadline: 1_000_000)
        while let timer = wheel.nextDue() { timer.handler() }
        #expect(order == [1, 3, 4])
        #expect(wheel.count == 1)
        wheel.advance(to: 7_000_000)
        while let timer = wheel.nextDue() { timer.handler() }
        #expect(order == [1, 3, 4, 5])
        #expect(wheel.count == 0 && wheel.nextWake() == nil)
    }

    /// The wheel against a sorted list, over jumps of all sizes, with removals.
    @Test(arguments: 0..<20)
    func theWheelAgreesWithASortedList(_ seed: UInt64) {
        var random = SplitMix(seed: seed)
        var now: UInt64 = 1_000_000 * (random.next() % 10_000_000)
        var wheel = TimerWheel(now: now)
        var pending: [(deadline: UInt64, id: Int, timer: LoopTimer)] = []
        var fired: [Int] = []
        var nextID = 0
        for _ in 0..<400 {
            for _ in 0..<Int(random.next() % 5) {
                let span: UInt64 = [100, 10_000, 1_000_000, 100_000_000, 10_000_000_000][Int(random.next() % 5)]
                let deadline = now + 1_000_000 * (1 + random.next() % span)
                let id = nextID
                nextID += 1
                let timer = LoopTimer { fired.append(id) }
                wheel.insert(timer, deadline: deadline)
                pending.append((deadline, id, timer))
            }
            if !pending.isEmpty, random.next() % 4 == 0 {
                let victim = pending.remove(at: Int(random.next() % UInt64(pending.count)))
                wheel.remove(victim.timer)
                #expect(!victim.timer.isScheduled)
            }
            // Never later than the earliest deadline, or it would fire late.
            if let earliest = pending.map(\.deadline).min() {
                #expect((wheel.nextWake() ?? .max) <= (earliest + 999_999) / 1_000_000 * 1_000_000)
            } else {
                #expect(wheel.nextWake() == nil)
            }
            now += 1_000_000 * (random.next() % [3, 100, 70_000, 20_000_000][Int(random.next() % 4)])
            wheel.advance(to: now)
            fired = []
            while let timer = wheel.nextDue() { timer.handler() }
            let expected = Set(pending.filter { ($0.deadline + 999_999) / 1_000_000 <= now / 1_000_000 }.map(\.id))
            #expect(Set(fired) == expected)
            pending.removeAll { expected.contains($0.id) }
            #expect(wheel.count == pending.count)
        }
        wheel.removeAll()
        #expect(wheel.count == 0 && wheel.nextWake() == nil)
    }
}

/// A small seeded generator, so that a failing run can be repeated.
struct SplitMix: RandomNumberGenerator {
    private var state: UInt64
    init(seed: UInt64) { state = seed &* 0x9E37_79B9_7F4A_7C15 &+ 1 }
    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var z = state
        z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
        return z ^ (z >> 31)
    }
}
