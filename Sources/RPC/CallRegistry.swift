internal import EventLoop

/// The calls in progress by caller and call id, over all connections and loops, so that `Control.Cancel` works from
/// any connection of the same caller.
package final class CallRegistry: Sendable {
    private struct Key: Hashable {
        let caller: String
        let callID: String
    }

    /// The maximum number of calls per caller and id; it also bounds the cost of ending one of them.
    static let maxCallsPerID = 64

    private let calls = Locked<[Key: [LoopBound<Call>]]>([:])

    /// Creates an empty registry; a server and its `Control` service share it.
    package init() {}

    /// Adds a call. Returns `false` if `maxCallsPerID` is reached.
    func add(_ call: Call) -> Bool {
        let bound = LoopBound(call, on: call.loop)
        let key = Self.key(call)
        return calls.withLock { calls in
            guard calls[key]?.count ?? 0 < Self.maxCallsPerID else { return false }
            calls[key, default: []].append(bound)
            return true
        }
    }

    func remove(_ call: Call) {
        let key = Self.key(call)
        let identifier = ObjectIdentifier(call)
        calls.withLock { calls in
            calls[key]?.removeAll { $0.isBox(of: identifier) }
            if calls[key]?.isEmpty == true { calls[key] = nil }
        }
    }

    /// Cancels all calls of `caller` under `callID`; returns whether there was one. Safe from any loop; a call on
    /// another loop ends shortly after this returns.
    package func cancel(callID: String, caller: String) -> Bool {
        let found = calls.withLock { $0[Key(caller: caller, callID: callID)] ?? [] }
        for bound in found { bound.loop.execute { bound.value.cancel(.requested) } }
        return !found.isEmpty
    }

    private static func key(_ call: Call) -> Key { Key(caller: call.caller, callID: call.callID) }
}
