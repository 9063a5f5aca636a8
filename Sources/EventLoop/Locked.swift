internal import Glibc

/// A value behind a lock, for the little that threads share. Hold it for a few instructions: never over an `await`,
/// and never over a callback that may come back.
///
/// A `pthread_mutex_t` and not the standard library's `Mutex`: it costs the same, and the thread sanitizer knows it.
/// To the sanitizer the standard library's is invisible, so that every use of it would look like a race.
///
/// `@unchecked Sendable`: the value is only reached with the lock held.
public final class Locked<Value>: @unchecked Sendable {
    private var value: Value
    private let mutex = UnsafeMutablePointer<pthread_mutex_t>.allocate(capacity: 1)

    /// A lock around `value`.
    public init(_ value: Value) {
        self.value = value
        pthread_mutex_init(mutex, nil)
    }

    deinit {
        pthread_mutex_destroy(mutex)
        mutex.deallocate()
    }

    /// Runs `body` with the lock held.
    @inline(__always)
    public func withLock<Result, Failure: Error>(
        _ body: (inout Value) throws(Failure) -> Result
    ) throws(Failure) -> Result {
        pthread_mutex_lock(mutex)
        defer { pthread_mutex_unlock(mutex) }
        return try body(&value)
    }
}
