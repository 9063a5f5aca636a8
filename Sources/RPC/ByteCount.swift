internal import Synchronization

/// Counts bytes over all connections and loops: those of requests in progress (frames that have begun, and the requests of
/// calls that have not ended), or those of output that waits.
final class ByteCount: Sendable {
    private let total = Atomic<Int>(0)

    /// The sum now.
    var bytes: Int { total.load(ordering: .relaxed) }

    /// Adds `bytes`, which may be negative, and returns the new sum.
    @discardableResult
    func add(_ bytes: Int) -> Int { total.wrappingAdd(bytes, ordering: .relaxed).newValue }
}
