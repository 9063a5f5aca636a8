/// A hierarchical timer wheel: six levels of 64 slots with a tick of one millisecond, which spans two years.
///
/// Inserting, removing and taking a due timer are O(1). A timer waits in the coarsest slot that still separates it from
/// the current tick, and moves down a level when its slot is reached. The wheel never fires it early, and at most one
/// tick late.
///
/// Due timers wait in a separate list until they are taken, so that an earlier handler of the same pass can cancel or
/// reschedule them like any other timer.
struct TimerWheel {
    static let tickNanoseconds: UInt64 = 1_000_000
    private static let levels = 6
    private static let slotsPerLevel = 64
    /// The slot index of the list of due timers.
    private static let dueSlot = levels * slotsPerLevel

    /// The last slot is the list of due timers.
    private var slots: [LoopTimer?] = Array(repeating: nil, count: dueSlot + 1)
    /// The tail of the list of due timers, which is kept in order.
    private unowned(unsafe) var lastDue: LoopTimer?
    private var occupied: [UInt64] = Array(repeating: 0, count: levels)
    /// Everything up to and including this tick has fired.
    private var currentTick: UInt64
    /// The number of scheduled timers, including due ones.
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

    /// The time in nanoseconds at which the wheel must next advance; `nil` if it is empty.
    func nextWake() -> UInt64? {
        var best: UInt64?
        for level in 0..<Self.levels where occupied[level] != 0 {
            let shift = UInt64(level * 6)
            let position = currentTick >> shift
            // Slots ahead of the current one on this level, in chronological order.
            let index = (position + 1) & 63
            let rotated = (occupied[level] >> index) | (index == 0 ? 0 : occupied[level] << (64 - index))
            let tick = (position + 1 + UInt64(rotated.trailingZeroBitCount)) << shift
            best = best.map { min($0, tick) } ?? tick
        }
        return best.map { $0 * Self.tickNanoseconds }
    }

    /// Moves every timer with a deadline at or before `now` to the list of due timers.
    mutating func advance(to now: UInt64) {
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
            // From the coarsest level down, because a timer from a coarse slot may be due in this tick.
            for level in (0..<Self.levels).reversed() {
                let shift = UInt64(level * 6)
                guard currentTick & ((1 << shift) - 1) == 0 else { continue }
                release(slot: level * Self.slotsPerLevel + Int((currentTick >> shift) & 63))
            }
        }
    }

    /// Removes and returns the first due timer; `nil` if none is due.
    mutating func nextDue() -> LoopTimer? {
        guard let timer = slots[Self.dueSlot] else { return nil }
        remove(timer)
        return timer
    }

    /// Removes all timers without firing them.
    mutating func removeAll() {
        for slot in slots.indices {
            while let timer = slots[slot] { unlink(timer) }
        }
        count = 0
    }

    private mutating func release(slot: Int) {
        while let timer = slots[slot] {
            unlink(timer)
            if timer.deadlineTick <= currentTick { appendDue(timer) } else { place(timer) }
        }
    }

    private mutating func appendDue(_ timer: LoopTimer) {
        timer.slot = Self.dueSlot
        timer.previous = lastDue
        if let last = lastDue { last.next = timer } else { slots[Self.dueSlot] = timer }
        lastDue = timer
    }

    private mutating func place(_ timer: LoopTimer) {
        let delta = max(timer.deadlineTick, currentTick) - currentTick
        var level = 0
        while level < Self.levels - 1, delta >= 1 << UInt64((level + 1) * 6) { level += 1 }
        // Beyond the span of the last level, a timer waits in the farthest slot and is reinserted from there.
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
        if slot == Self.dueSlot, timer.next == nil { lastDue = timer.previous }
        timer.next = nil
        timer.previous = nil
        timer.slot = -1
        if slot != Self.dueSlot, slots[slot] == nil { occupied[slot / Self.slotsPerLevel] &= ~(1 << UInt64(slot & 63)) }
    }
}
