/// A queue from a loop to one waiting task: the edge where plain calls become an asynchronous sequence. Its sender is told
/// to pause when `capacity` elements wait, and to go on when none does.
public final class Mailbox<Element: Sendable, End: Sendable, Failure: Error>: Sendable {
    private struct State {
        var elements: [Element] = []
        var head = 0
        var end: Result<End, Failure>?
        var waiter: CheckedContinuation<Void, Never>?
        var isPaused = false
    }

    private let capacity: Int
    private let state = Locked(State())
    private let resume: @Sendable () -> Void

    /// An empty mailbox.
    /// - Parameter resume: called on the task's thread when a paused sender may go on.
    public init(capacity: Int, resume: @escaping @Sendable () -> Void) {
        self.capacity = capacity
        self.resume = resume
    }

    /// How the sender ended; `nil` before that. Elements may wait all the same.
    public var end: Result<End, Failure>? { state.withLock { $0.end } }

    /// Adds an element, which is kept even where the answer is to pause.
    public func push(_ element: Element) -> Demand {
        let (waiter, demand) = state.withLock { state -> (CheckedContinuation<Void, Never>?, Demand) in
            state.elements.append(element)
            defer { state.waiter = nil }
            if state.elements.count - state.head >= capacity { state.isPaused = true }
            return (state.waiter, state.isPaused ? .pause : .more)
        }
        waiter?.resume()
        return demand
    }

    /// No more will come; the first end counts. Elements that wait are still handed out first.
    public func finish(_ result: Result<End, Failure>) {
        let waiter = state.withLock { state -> CheckedContinuation<Void, Never>? in
            if state.end == nil { state.end = result }
            defer { state.waiter = nil }
            return state.waiter
        }
        waiter?.resume()
    }

    /// The next element; `nil` at a good end. For one task at a time.
    /// - Parameter cancel: called when that task is cancelled, at once where it is already. It may end the mailbox.
    public func next(onCancel cancel: @escaping @Sendable () -> Void) async throws(Failure) -> Element? {
        let result: Result<Element?, Failure> = await withTaskCancellationHandler {
            do throws(Failure) {
                return .success(try await next())
            } catch {
                return .failure(error)
            }
        } onCancel: {
            cancel()
        }
        return try result.get()
    }

    private func next() async throws(Failure) -> Element? {
        while true {
            let (element, end, mustResume) = state.withLock { state -> (Element?, Result<End, Failure>?, Bool) in
                guard state.head < state.elements.count else { return (nil, state.end, false) }
                let element = state.elements[state.head]
                state.head += 1
                guard state.head == state.elements.count else { return (element, nil, false) }
                state.elements.removeAll(keepingCapacity: true)
                state.head = 0
                defer { state.isPaused = false }
                return (element, nil, state.isPaused)
            }
            if mustResume { resume() }
            if let element { return element }
            if let end {
                _ = try end.get()
                return nil
            }
            await withCheckedContinuation { continuation in
                let isReady = state.withLock { state -> Bool in
                    if state.head < state.elements.count || state.end != nil { return true }
                    state.waiter = continuation
                    return false
                }
                if isReady { continuation.resume() }
            }
        }
    }
}
