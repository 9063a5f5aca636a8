import EventLoop
import Synchronization
import Testing

@testable import EventLoop

@Suite struct TimerTests {
    @Test(arguments: PollerKind.allCases)
    func timersFireInOrderAndNeverEarly(_ kind: PollerKind) async throws {
        try await withLoop(kind) { loop in
            let fired = Mutex<[(Int, Bool)]>([])
            await loop.perform {
                for delay in [30, 5, 20, 1, 12] {
                    let due = EventLoop.monotonicNanoseconds() + UInt64(delay) * 1_000_000
                    loop.schedule(
                        LoopTimer { fired.withLock { $0.append((delay, EventLoop.monotonicNanoseconds() >= due)) } },
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
                let due = EventLoop.monotonicNanoseconds() + 3_000_000
                // Scheduled later means fired earlier within a slot or the other way round: cancel from both sides.
                let killer = LoopTimer {
                    first.store(true, ordering: .relaxed)
                    loop.cancel(victim)
                }
                loop.schedule(killer, at: due - 2_000_000)
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
                        LoopTimer { count.add(1, ordering: .relaxed) }, afterNanoseconds: UInt64(delay) * 20_000)
                }
            }
            await eventually { count.load(ordering: .relaxed) == 2000 }
            spinning.store(false, ordering: .relaxed)
            await load.value
        }
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
            var due: [LoopTimer] = []
            wheel.advance(to: now, into: &due)
            fired = []
            for timer in due { timer.handler() }
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
