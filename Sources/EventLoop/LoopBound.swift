/// Carries a value that belongs to one loop through code that the compiler takes to be concurrent, such as the
/// closure of a `Task` that prefers that loop.
///
/// `@unchecked Sendable`: the value is only reached on its loop, which is checked when the box is made and at each
/// access.
public struct LoopBound<Value>: @unchecked Sendable {
    private let wrapped: Value
    /// The loop that the value belongs to.
    public let loop: EventLoop

    /// Boxes `value`. Must be called on `loop`.
    public init(_ value: Value, on loop: EventLoop) {
        loop.preconditionOnLoop()
        wrapped = value
        self.loop = loop
    }

    /// The value. Traps off the loop.
    public var value: Value {
        loop.preconditionOnLoop()
        return wrapped
    }
}

extension LoopBound where Value: AnyObject {
    /// Whether the box holds this very object. Safe from any thread: it looks at the identity only.
    public func isBox(of identifier: ObjectIdentifier) -> Bool { ObjectIdentifier(wrapped) == identifier }
}
