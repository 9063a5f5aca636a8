/// The calls waiting for their connection's output to be sent; ttrpc pauses all streams of a connection together.
/// Each call stores its index, so removing one is O(1).
struct PausedCalls {
    private var calls: [Call] = []

    /// Whether no call is waiting.
    var isEmpty: Bool { calls.isEmpty }

    /// Adds a call unless it is already waiting.
    mutating func add(_ call: Call) {
        guard call.pausedPlace == nil else { return }
        call.pausedPlace = calls.count
        calls.append(call)
    }

    /// Removes a call; the last one moves to its index.
    mutating func remove(_ call: Call) {
        guard let place = call.pausedPlace else { return }
        call.pausedPlace = nil
        let last = calls.removeLast()
        guard last !== call else { return }
        calls[place] = last
        last.pausedPlace = place
    }

    /// Removes and returns all calls: when resumed, each may end another one or wait again.
    mutating func removeAll() -> [Call] {
        defer { calls = [] }
        for call in calls { call.pausedPlace = nil }
        return calls
    }
}
