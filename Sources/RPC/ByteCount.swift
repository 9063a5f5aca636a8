internal import Synchronization

/// A byte count shared by all connections and loops: of requests in progress (incomplete frames and the requests of
/// calls in progress), or of waiting output.
final class ByteCount: Sendable {
    private let total = Atomic<Int>(0)

    /// The current sum.
    var bytes: Int { total.load(ordering: .relaxed) }

    /// Adds `bytes`, which may be negative, and returns the new sum.
    @discardableResult
    func add(_ bytes: Int) -> Int { total.wrappingAdd(bytes, ordering: .relaxed).newValue }
}
