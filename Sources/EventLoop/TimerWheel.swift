/// A hierarchical timer wheel: six levels of 64 slots, a tick of one millisecond, so it spans two years.
///
/// Insert and remove are O(1). A timer waits in the coarsest slot that still separates it from now and moves down a
/// level when its slot's time comes; it never fires early and at most one tick late by the wheel itself.
struct TimerWheel {
    static let tickNanoseconds: UInt64 = 1_000_000
    private static let levels = 6
    private static let slotsPerLevel = 64

    private var slots: [LoopTimer?] = Array(repeating: nil, count: levels * slotsPerLevel)
    private var occupied: [UInt64] = Array(repeating: 0, count: levels)
    /// Everything up to and including this tick has fired.
    private var currentTick: UInt64
    private(set) var count = 0

    init(now: UInt64) { currentTick = now / Self.tickNanoseconds }

    mutating func insert(_ timer: LoopTimer, deadline: UInt64) {
        // Rounded up: a timer never fires before its deadline.
        let tick = (deadline + Self.tickNanoseconds - 1) / Self.tickNanoseconds
        timer.deadlineTick = max(tick, currentTick + 1)
        place(timer)
        count += 1
    }

    mutating func remove(_ timer: LoopTimer) {
        guard timer.slot >= 0 else { return }
        unlink(timer)
        count -= 1
    }

    /// When the wheel next has something to do, in nanoseconds; `nil` when it is empty.
    func nextWake() -> UInt64? {
        var best: UInt64?
        for level in 0..<Self.levels where occupied[level] != 0 {
            let shift = UInt64(level * 6)
            let position = currentTick >> shift
            // Slots ahead of the current one on this level, in the order of time.
            let index = (position + 1) & 63
            let rotated = (occupied[level] >> index) | (index == 0 ? 0 : occupied[level] << (64 - index))
            let tick = (position + 1 + UInt64(rotated.trailingZeroBitCount)) << shift
            best = best.map { min($0, tick) } ?? tick
        }
        return best.map { $0 * Self.tickNanoseconds }
    }

    /// Takes every timer that is due at `now` out of the wheel and appends it to `due`.
    mutating func advance(to now: UInt64, into due: inout [LoopTimer]) {
        let target = now / Self.tickNanoseconds
        while currentTick < target {
            guard count > 0, let wake = nextWake() else {
                currentTick = target
                return
            }
            let next = wake / Self.tickNanoseconds
            if next > target {
                currentTick = target
                return
            }
            currentTick = next
            // From the coarsest level down, so that what a coarse slot releases can still fall into this very tick.
            for level in (0..<Self.levels).reversed() {
                let shift = UInt64(level * 6)
                guard currentTick & ((1 << shift) - 1) == 0 else { continue }
                release(slot: level * Self.slotsPerLevel + Int((currentTick >> shift) & 63), into: &due)
            }
        }
    }

    /// Empties the wheel without firing anything.
    mutating func removeAll() {
        for slot in slots.indices {
            while let timer = slots[slot] { unlink(timer) }
        }
        count = 0
    }

    private mutating func release(slot: Int, into due: inout [LoopTimer]) {
        while let timer = slots[slot] {
            unlink(timer)
            if timer.deadlineTick <= currentTick {
                count -= 1
                due.append(timer)
            } else {
                place(timer)
            }
        }
    }

    private mutating func place(_ timer: LoopTimer) {
        let delta = max(timer.deadlineTick, currentTick) - currentTick
        var level = 0
        while level < Self.levels - 1, delta >= 1 << UInt64((level + 1) * 6) { level += 1 }
        // Beyond the last level's span a timer waits in the farthest slot and is placed again from there.
        let tick = min(timer.deadlineTick, currentTick + (1 << UInt64(Self.levels * 6)) - 1)
        let slot = level * Self.slotsPerLevel + Int((tick >> UInt64(level * 6)) & 63)
        timer.slot = slot
        timer.previous = nil
        timer.next = slots[slot]
        slots[slot]?.previous = timer
        slots[slot] = timer
        occupied[level] |= 1 << UInt64(slot & 63)
    }

    private mutating func unlink(_ timer: LoopTimer) {
        let slot = timer.slot
        if let previous = timer.previous { previous.next = timer.next } else { slots[slot] = timer.next }
        timer.next?.previous = timer.previous
        timer.next = nil
        timer.previous = nil
        timer.slot = -1
        if slots[slot] == nil { occupied[slot / Self.slotsPerLevel] &= ~(1 << UInt64(slot & 63)) }
    }
}
