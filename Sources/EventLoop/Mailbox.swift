/// A queue from a loop to one task, which turns callbacks into an asynchronous sequence. The sender must pause when
/// `capacity` elements are waiting, and may resume when the queue is empty.
package final class Mailbox<Element: Sendable, End: Sendable, Failure: Error>: Sendable {
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

    /// Creates an empty mailbox.
    /// - Parameter resume: called on the task's thread when a paused sender may continue.
    package init(capacity: Int, resume: @escaping @Sendable () -> Void) {
        self.capacity = capacity
        self.resume = resume
    }

    /// The result passed to `finish`; `nil` before that. Elements may still be waiting.
    package var end: Result<End, Failure>? { state.withLock { $0.end } }

    /// Adds an element, which is kept even if this returns `.pause`.
    package func push(_ element: Element) -> Demand {
        let (waiter, demand) = state.withLock { state -> (CheckedContinuation<Void, Never>?, Demand) in
            state.elements.append(element)
            defer { state.waiter = nil }
            if state.elements.count - state.head >= capacity { state.isPaused = true }
            return (state.waiter, state.isPaused ? .pause : .more)
        }
        waiter?.resume()
        return demand
    }

    /// Ends the queue. Waiting elements are still delivered first. Only the first call has an effect.
    package func finish(_ result: Result<End, Failure>) {
        let waiter = state.withLock { state -> CheckedContinuation<Void, Never>? in
            if state.end == nil { state.end = result }
            defer { state.waiter = nil }
            return state.waiter
        }
        waiter?.resume()
    }

    /// Returns the next element; `nil` after a successful end. Only one task may wait at a time.
    /// - Parameter cancel: called when the task is cancelled, immediately if it already is. It may end the mailbox.
    package func next(onCancel cancel: @escaping @Sendable () -> Void) async throws(Failure) -> Element? {
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
