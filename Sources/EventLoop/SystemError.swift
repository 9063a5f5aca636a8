internal import Glibc

/// A failed system call: which one, and the kernel's reason.
public struct SystemError: Error, Sendable, Equatable, CustomStringConvertible {
    /// What was attempted, such as `bind`.
    public let operation: String
    /// The value of `errno`.
    public let code: Int32

    /// An error with an explicit `errno` value.
    public init(_ operation: String, code: Int32) {
        self.operation = operation
        self.code = code
    }

    /// An error with the calling thread's current `errno`.
    public init(_ operation: String) {
        self.init(operation, code: errno)
    }

    /// The kernel's words for `code`, such as `Address already in use`.
    public var reason: String { String(cString: strerror(code)) }

    /// The operation and the reason.
    public var description: String { "\(operation): \(reason)" }
}
