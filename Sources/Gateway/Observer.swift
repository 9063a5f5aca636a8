package import EventLoop

/// Makes the observers of calls, one per loop: for accounting, logs or metrics. Passed to `Gateway.init`.
package protocol ObserverSource: Sendable {
    /// Returns the observer for one loop. Called on that loop; the observer is confined to it, so it needs no locks.
    /// Return `nil` to skip observation at no cost.
    func observer(on loop: EventLoop) -> (any Observer)?
}

/// Receives the record of each call that ends on one loop.
package protocol Observer: AnyObject {
    /// Called once per call when it ends, whatever its outcome, before the caller receives the result.
    func ended(_ record: borrowing CallRecord)
    /// Writes buffered data. Called before the loop shuts down.
    func flush()
}

extension Observer {
    package func flush() {}
}
