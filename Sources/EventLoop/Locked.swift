internal import Glibc

/// A value protected by a lock, for state shared by threads. Hold the lock only for a few instructions: never during
/// an `await`, and never during a callback that may take the lock again.
///
/// Uses a `pthread_mutex_t` instead of the standard library's `Mutex`: it costs the same, and the thread sanitizer
/// supports it. The sanitizer does not see a `Mutex` and would report every use as a race.
///
/// `@unchecked Sendable`: the value is accessed only with the lock held.
package final class Locked<Value>: @unchecked Sendable {
    private var value: Value
    private let mutex = UnsafeMutablePointer<pthread_mutex_t>.allocate(capacity: 1)

    /// Creates an unlocked lock that protects `value`.
    package init(_ value: Value) {
        self.value = value
        pthread_mutex_init(mutex, nil)
    }

    deinit {
        pthread_mutex_destroy(mutex)
        mutex.deallocate()
    }

    /// Runs `body` with the lock held. Not recursive.
    @inline(__always)
    package func withLock<Result, Failure: Error>(
        _ body: (inout Value) throws(Failure) -> Result
    ) throws(Failure) -> Result {
        pthread_mutex_lock(mutex)
        defer { pthread_mutex_unlock(mutex) }
        return try body(&value)
    }
}
