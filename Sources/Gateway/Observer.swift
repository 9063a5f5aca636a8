package import EventLoop

/// Something that watches calls, over all loops: accounts, logs, metrics. `Gateway` is given them all when it is made.
package protocol ObserverSource: Sendable {
    /// The observer of one loop, made on that loop and used there alone: it needs no lock for what it gathers. `nil`
    /// where nothing would come of it; then it costs nothing.
    func observer(on loop: EventLoop) -> (any Observer)?
}

/// What sees the calls of one loop end.
package protocol Observer: AnyObject {
    /// A call ended, in whatever way. Called once per call, before its caller gets the end.
    func ended(_ record: borrowing CallRecord)
    /// Writes out what is held back; the loop is about to end.
    func flush()
}

extension Observer {
    package func flush() {}
}
