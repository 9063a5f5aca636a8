internal import Glibc

/// A failed system call: its name and `errno`.
public struct SystemError: Error, Sendable, Equatable, CustomStringConvertible {
    /// The failed operation, for example `bind`.
    public let operation: String
    /// The `errno` value.
    public let code: Int32

    /// Creates an error with an explicit `errno` value.
    public init(_ operation: String, code: Int32) {
        self.operation = operation
        self.code = code
    }

    /// Creates an error with the calling thread's current `errno`.
    public init(_ operation: String) {
        self.init(operation, code: errno)
    }

    /// The message for `code`, for example `Address already in use`.
    public var reason: String { String(cString: strerror(code)) }

    /// The operation and the reason, for example `bind: Address already in use`.
    public var description: String { "\(operation): \(reason)" }
}
