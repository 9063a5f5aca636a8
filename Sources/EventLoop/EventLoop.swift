internal import CLinux
internal import Dispatch
internal import Glibc
internal import Synchronization

/// An event loop: handles descriptors, timers and Swift tasks on one serial Dispatch queue.
///
/// One loop handles a request from its first byte to its last. The loop is a `TaskExecutor`, so the `async` part of
/// a request also runs on it, without switching threads. Call all methods on the loop unless they are documented as
/// safe from any thread; calls from elsewhere trap.
///
/// A *turn* is the work between two waits: the loop handles ready descriptors in batches, and after each batch runs
/// ready jobs, fires due timers and calls the turn-end handlers, which flush the output of the batch.
///
/// `@unchecked Sendable`: all mutable state is either confined to the queue (checked by `preconditionOnLoop`) or
/// inside `inbox`.
package final class EventLoop: SerialExecutor, TaskExecutor, @unchecked Sendable {
    /// Work submitted by other threads.
    private struct Inbox {
        var jobs: [UnownedJob] = []
        var work: [@Sendable () -> Void] = []
        var wakeIsPending = false
        var isStopped = false
    }

    private struct Slot {
        var handler: (any ReadinessHandler)?
        var descriptor: Int32 = -1
        var generation: UInt32 = 0
        var interest: Interest = []
    }

    /// The loop's name in logs and thread listings.
    package let label: String
    private let queue: DispatchQueue
    private let poller: any Poller
    private let inbox = Locked(Inbox())
    /// The thread that runs the current turn; 0 between turns.
    private let runningThread = Atomic<UInt>(0)

    private var slots: [Slot] = []
    private var freeSlots: [UInt32] = []
    private var events: [ReadyEvent] = []
    private var ready: [UnownedJob] = []
    private var running: [UnownedJob] = []
    private var inboxWork: [@Sendable () -> Void] = []
    private var wheel: TimerWheel
    private var armedFor: Instant?
    private var turnEnd: [any TurnEndHandler] = []
    private var turnEndRunning: [any TurnEndHandler] = []
    private var stopped = false

    /// The time at the start of the turn's current batch. Cheaper than `Instant.now()`.
    package private(set) var now: Instant

    /// Starts a loop. It runs until `shutdown`.
    /// - Throws: `SystemError` if the kernel provides no descriptors for the poller.
    package init(label: String, poller kind: PollerKind = .epoll) throws(SystemError) {
        self.label = label
        queue = DispatchQueue(label: label, qos: .userInitiated)
        now = .now()
        wheel = TimerWheel(now: now.nanoseconds)
        poller =
            switch kind {
            case .epoll: try EpollPoller()
            case .poll: try PollPoller()
            }
        // The poller retains the loop until `shutdown`.
        poller.start(on: queue) { self.turn() }
    }

    // MARK: - Isolation

    /// Whether the caller runs on this loop. Safe from any thread.
    package var isCurrent: Bool { runningThread.load(ordering: .relaxed) == UInt(pthread_self()) }

    /// Traps unless the caller runs on this loop.
    @inline(__always)
    package func preconditionOnLoop(_ function: StaticString = #function) {
        precondition(isCurrent, "\(function) must be called on its event loop")
    }

    /// Makes `assumeIsolated` work (`SerialExecutor`).
    package func checkIsolated() { preconditionOnLoop() }

    /// Whether the caller runs on this loop (`SerialExecutor`).
    package func isIsolatingCurrentContext() -> Bool? { isCurrent }

    // MARK: - Work

    /// Enqueues a job of a task that prefers this loop (`TaskExecutor`). Safe from any thread.
    package func enqueue(_ job: consuming ExecutorJob) {
        let job = UnownedJob(job)
        if isCurrent {
            ready.append(job)
            return
        }
        wakeIfNeeded { $0.jobs.append(job) }
    }

    /// Runs `body` on the loop, in the order of the calls. Safe from any thread. On the loop, `body` runs after this
    /// returns.
    package func execute(_ body: @escaping @Sendable () -> Void) {
        wakeIfNeeded { $0.work.append(body) }
    }

    /// Runs `body` on the loop and waits for its result. Must not be called on the loop itself.
    package func perform<T: Sendable>(_ body: @escaping @Sendable () -> T) async -> T {
        await withCheckedContinuation { continuation in
            execute { continuation.resume(returning: body()) }
        }
    }

    /// Runs `body` on the loop and blocks the calling thread until it is done. Must not be called on a loop.
    package func performBlocking<T: Sendable>(_ body: @escaping @Sendable () -> T) -> T {
        let done = DispatchSemaphore(value: 0)
        let result = Locked<T?>(nil)
        execute {
            let value = body()
            result.withLock { $0 = value }
            done.signal()
        }
        done.wait()
        guard let value = result.withLock({ $0 }) else { preconditionFailure("the loop did not run the work") }
        return value
    }

    private func wakeIfNeeded(_ add: (inout Inbox) -> Void) {
        let (wake, stopped) = inbox.withLock { inbox -> (Bool, Bool) in
            add(&inbox)
            defer { inbox.wakeIsPending = true }
            return (!inbox.wakeIsPending, inbox.isStopped)
        }
        guard wake else { return }
        // A stopped loop still runs jobs, so that tasks can finish.
        if stopped { queue.async { self.turn() } } else { poller.wake() }
    }

    // MARK: - Descriptors

    /// Reports `fd`'s readiness to `handler` until `deregister`. The loop retains `handler` but does not own `fd`.
    /// - Throws: `SystemError` if the kernel refuses, for example because `fd` is a regular file.
    package func register(
        _ fd: Int32, _ interest: Interest, _ handler: any ReadinessHandler
    ) throws(SystemError) -> Registration {
        preconditionOnLoop()
        guard !stopped else { throw SystemError("register", code: ECANCELED) }
        let index: UInt32
        if let free = freeSlots.popLast() {
            index = free
        } else {
            index = UInt32(slots.count)
            slots.append(Slot())
        }
        let registration = Registration(slot: index, generation: slots[Int(index)].generation)
        do {
            try poller.add(fd, token: registration.token, interest: interest)
        } catch {
            poller.remove(fd, token: registration.token)
            freeSlots.append(index)
            throw error
        }
        slots[Int(index)].handler = handler
        slots[Int(index)].descriptor = fd
        slots[Int(index)].interest = interest
        return registration
    }

    /// Changes which events are reported. Costs nothing if `interest` is unchanged.
    package func update(_ registration: Registration, _ interest: Interest) throws(SystemError) {
        preconditionOnLoop()
        guard isLive(registration) else { return }
        let index = Int(registration.slot)
        guard slots[index].interest != interest else { return }
        try poller.modify(slots[index].descriptor, token: registration.token, interest: interest)
        slots[index].interest = interest
    }

    /// Stops reporting immediately, including events already collected in this turn. The caller still owns the
    /// descriptor and may close it right away.
    package func deregister(_ registration: Registration) {
        preconditionOnLoop()
        guard isLive(registration) else { return }
        let index = Int(registration.slot)
        poller.remove(slots[index].descriptor, token: registration.token)
        slots[index].handler = nil
        slots[index].descriptor = -1
        // UInt32.max is reserved for the pollers.
        slots[index].generation = (slots[index].generation + 1) % UInt32.max
        freeSlots.append(registration.slot)
    }

    /// Stops reporting immediately and closes the descriptor.
    package func close(_ registration: Registration) {
        guard isLive(registration) else { return }
        let descriptor = slots[Int(registration.slot)].descriptor
        deregister(registration)
        Glibc.close(descriptor)
    }

    /// The number of registered descriptors.
    package var registrationCount: Int { slots.count - freeSlots.count }

    private func isLive(_ registration: Registration) -> Bool {
        let index = Int(registration.slot)
        return index < slots.count && slots[index].generation == registration.generation
            && slots[index].handler != nil
    }

    // MARK: - Timers

    /// Fires `timer` once, `delay` from now; reschedules it if it is already scheduled. The resolution is 1 ms.
    package func schedule(_ timer: LoopTimer, after delay: TimeAmount) { schedule(timer, at: .now() + delay) }

    /// Fires `timer` once at `deadline`; reschedules it if it is already scheduled.
    package func schedule(_ timer: LoopTimer, at deadline: Instant) {
        preconditionOnLoop()
        guard !stopped else { return }
        wheel.remove(timer)
        wheel.insert(timer, deadline: min(deadline.nanoseconds, UInt64.max / 2))
    }

    /// Prevents `timer` from firing, even if it is already due in this turn.
    package func cancel(_ timer: LoopTimer) {
        preconditionOnLoop()
        wheel.remove(timer)
    }

    /// Suspends the calling task for `amount`. Not cancellable; use a `LoopTimer` if you need to cancel.
    package func sleep(_ amount: TimeAmount) async {
        await withUnsafeContinuation { continuation in
            schedule(LoopTimer { continuation.resume() }, after: amount)
        }
    }

    // MARK: - Turn end

    /// Calls `handler` once at the end of the current batch. Connections flush their output there, so all output of one
    /// batch is sent in one write per connection.
    package func atTurnEnd(_ handler: any TurnEndHandler) {
        preconditionOnLoop()
        turnEnd.append(handler)
    }

    // MARK: - The turn

    /// How long an idle turn waits for events before it returns to Dispatch. Waiting in the loop's own `epoll_wait`
    /// avoids the switch through Dispatch's manager thread, which costs more than a whole small request. An idle loop
    /// waits like this only once.
    private static let lingerMilliseconds: Int32 = 50

    private func turn() {
        runningThread.store(UInt(pthread_self()), ordering: .relaxed)
        var isFirst = true
        while true {
            let isIdle = ready.isEmpty && turnEnd.isEmpty
            if isIdle { armTimer() }
            let wait = isIdle && !isFirst ? Self.lingerMilliseconds : 0
            let collected = stopped ? 0 : poller.collect(into: &events, waitMilliseconds: wait)
            now = .now()
            for index in events.indices { deliver(events[index]) }
            events.removeAll(keepingCapacity: true)
            let worked = drainInbox()
            let ran = runReadyJobs()
            let fired = fireDueTimers()
            let ended = runTurnEnd()
            // The first round does not wait, because the call by Dispatch may have been spurious.
            if collected == 0, !worked, !ran, !fired, !ended, !isFirst || stopped { break }
            isFirst = false
        }
        armTimer()
        runningThread.store(0, ordering: .relaxed)
    }

    private func deliver(_ event: ReadyEvent) {
        let registration = Registration(
            slot: UInt32(truncatingIfNeeded: event.token), generation: UInt32(truncatingIfNeeded: event.token >> 32))
        // An earlier handler of this batch may have deregistered the descriptor, and its slot may be reused.
        guard isLive(registration) else { return }
        slots[Int(registration.slot)].handler?.ready(event.readiness)
    }

    private func drainInbox() -> Bool {
        inbox.withLock { inbox in
            guard inbox.wakeIsPending else { return }
            ready.append(contentsOf: inbox.jobs)
            inbox.jobs.removeAll(keepingCapacity: true)
            swap(&inboxWork, &inbox.work)
            inbox.wakeIsPending = false
        }
        guard !inboxWork.isEmpty else { return false }
        let work = inboxWork
        inboxWork.removeAll(keepingCapacity: true)
        for body in work { body() }
        return true
    }

    /// Runs the jobs that are ready now. Jobs that these enqueue run after the next batch of descriptors.
    private func runReadyJobs() -> Bool {
        guard !ready.isEmpty else { return false }
        swap(&ready, &running)
        for job in running {
            job.runSynchronously(isolatedTo: asUnownedSerialExecutor(), taskExecutor: asUnownedTaskExecutor())
        }
        running.removeAll(keepingCapacity: true)
        return true
    }

    private func fireDueTimers() -> Bool {
        guard wheel.count > 0 else { return false }
        wheel.advance(to: now.nanoseconds)
        var fired = false
        // A timer that a handler schedules is never due in this pass: the wheel inserts it after the current tick.
        while let timer = wheel.nextDue() {
            fired = true
            timer.handler()
        }
        return fired
    }

    private func runTurnEnd() -> Bool {
        guard !turnEnd.isEmpty else { return false }
        swap(&turnEnd, &turnEndRunning)
        for handler in turnEndRunning { handler.turnEnded() }
        turnEndRunning.removeAll(keepingCapacity: true)
        return true
    }

    private func armTimer() {
        guard !stopped else { return }
        let wake = wheel.nextWake().map(Instant.init(nanoseconds:))
        // A timer armed too early costs one empty turn; re-arming costs a system call per request.
        if let armed = armedFor, armed > now, let wake, armed <= wake { return }
        if wake == nil, armedFor == nil || armedFor.map({ $0 > now }) == true { return }
        guard wake != armedFor else { return }
        armedFor = wake
        poller.setTimer(wake)
    }

    // MARK: - Shutdown

    /// Removes all registrations and timers, and notifies and releases every handler. Jobs and work submitted later
    /// still run. Safe from any thread; may be called more than once.
    package func shutdown() async {
        await perform { self.stop() }
    }

    private func stop() {
        guard !stopped else { return }
        stopped = true
        for index in slots.indices {
            guard let handler = slots[index].handler else { continue }
            // The handler may close its descriptor here, which removes its registration.
            handler.loopStopped()
            deregister(Registration(slot: UInt32(index), generation: slots[index].generation))
        }
        wheel.removeAll()
        poller.stop()
        // A wake-up may have been swallowed by the poller that just ended.
        let pending = inbox.withLock { inbox -> Bool in
            inbox.isStopped = true
            return inbox.wakeIsPending
        }
        if pending { queue.async { self.turn() } }
    }
}

/// Has work to do at the end of a batch, for example a connection with unsent output.
package protocol TurnEndHandler: AnyObject {
    /// Called on the loop at the end of the batch, once per call of `EventLoop.atTurnEnd`.
    func turnEnded()
}

extension EventLoop {
    /// The default number of loops: one per online CPU core, at least 1.
    package static var defaultCount: Int { max(1, Int(sysconf(Int32(_SC_NPROCESSORS_ONLN)))) }
}
