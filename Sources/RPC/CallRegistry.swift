internal import EventLoop

/// Calls by the id that their caller chose, over all connections and loops, so that `Control.Cancel` works from any
/// connection of the same caller.
public final class CallRegistry: Sendable {
    private struct Key: Hashable {
        let caller: String
        let callID: String
    }

    /// The most calls that one caller may run under one id; it also bounds what ending one of them costs.
    static let maxCallsPerID = 64

    private let calls = Locked<[Key: [LoopBound<Call>]]>([:])

    /// An empty registry.
    public init() {}

    /// Whether there was room for the call under its id.
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

    /// Cancels every call that this caller runs under `callID`; returns whether there was one. Safe from any loop;
    /// a call on another loop ends a moment later.
    public func cancel(callID: String, caller: String) -> Bool {
        let found = calls.withLock { $0[Key(caller: caller, callID: callID)] ?? [] }
        for bound in found { bound.loop.execute { bound.value.cancel(.requested) } }
        return !found.isEmpty
    }

    private static func key(_ call: Call) -> Key { Key(caller: call.caller, callID: call.callID) }
}
