/// Calls that wait until their connection's output has shrunk: ttrpc pauses all streams of a connection together. Each
/// call knows its place, so that one that ends leaves at the same cost however many wait.
struct PausedCalls {
    private var calls: [Call] = []

    /// Whether none waits.
    var isEmpty: Bool { calls.isEmpty }

    /// Adds a call, unless it waits already.
    mutating func add(_ call: Call) {
        guard call.pausedPlace == nil else { return }
        call.pausedPlace = calls.count
        calls.append(call)
    }

    /// Takes a call out; the last one gets its place.
    mutating func remove(_ call: Call) {
        guard let place = call.pausedPlace else { return }
        call.pausedPlace = nil
        let last = calls.removeLast()
        guard last !== call else { return }
        calls[place] = last
        last.pausedPlace = place
    }

    /// Takes all out: each of them may end another one, or wait again, as soon as it goes on.
    mutating func removeAll() -> [Call] {
        defer { calls = [] }
        for call in calls { call.pausedPlace = nil }
        return calls
    }
}
