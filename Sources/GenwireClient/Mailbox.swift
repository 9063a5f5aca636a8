internal import EventLoop

/// A bounded queue from a loop to one waiting task: the public edge, where plain calls become an asynchronous sequence.
final class Mailbox<Element: Sendable>: Sendable {
    private struct State {
        var elements: [Element] = []
        var head = 0
        var end: Result<Void, ClientError>?
        var waiter: CheckedContinuation<Void, Never>?
        var isPaused = false
    }

    private static var capacity: Int { 256 }
    private let state = Locked(State())
    /// Called when a paused sender may go on. Set once, before the first push.
    private let resume: @Sendable () -> Void

    init(resume: @escaping @Sendable () -> Void) { self.resume = resume }

    func push(_ element: Element) -> Demand {
        let (waiter, demand) = state.withLock { state -> (CheckedContinuation<Void, Never>?, Demand) in
            state.elements.append(element)
            defer { state.waiter = nil }
            if state.elements.count - state.head >= Self.capacity { state.isPaused = true }
            return (state.waiter, state.isPaused ? .pause : .more)
        }
        waiter?.resume()
        return demand
    }

    /// No more will come. Elements that wait are still handed out first.
    func finish(_ result: Result<Void, ClientError>) {
        let waiter = state.withLock { state -> CheckedContinuation<Void, Never>? in
            if state.end == nil { state.end = result }
            defer { state.waiter = nil }
            return state.waiter
        }
        waiter?.resume()
    }

    /// The next element; `nil` at a good end. For one task at a time.
    func next() async throws(ClientError) -> Element? {
        while true {
            let (element, end, mustResume) = state.withLock { state -> (Element?, Result<Void, ClientError>?, Bool) in
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
                try end.get()
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
