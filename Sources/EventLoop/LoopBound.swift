/// Passes a value that is confined to one loop through code that the compiler considers concurrent, for example the
/// closure of a `Task` that prefers that loop.
///
/// `@unchecked Sendable`: the value is accessed only on its loop, which `init` and each access check.
package struct LoopBound<Value>: @unchecked Sendable {
    private let wrapped: Value
    /// The loop that the value is confined to.
    package let loop: EventLoop

    /// Boxes `value`. Must be called on `loop`.
    package init(_ value: Value, on loop: EventLoop) {
        loop.preconditionOnLoop()
        wrapped = value
        self.loop = loop
    }

    /// The value. Traps if accessed outside the loop.
    package var value: Value {
        loop.preconditionOnLoop()
        return wrapped
    }
}

extension LoopBound where Value: AnyObject {
    /// Whether the box contains this object. Safe from any thread, because it compares only the identity.
    package func isBox(of identifier: ObjectIdentifier) -> Bool { ObjectIdentifier(wrapped) == identifier }
}
