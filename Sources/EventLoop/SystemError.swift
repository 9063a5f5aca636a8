internal import Glibc

/// A failed system call: its name and `errno`.
package struct SystemError: Error, Sendable, Equatable, CustomStringConvertible {
    /// The failed operation, for example `bind`.
    package let operation: String
    /// The `errno` value.
    package let code: Int32

    /// Creates an error with an explicit `errno` value.
    package init(_ operation: String, code: Int32) {
        self.operation = operation
        self.code = code
    }

    /// Creates an error with the calling thread's current `errno`.
    package init(_ operation: String) {
        self.init(operation, code: errno)
    }

    /// The message for `code`, for example `Address already in use`.
    package var reason: String { String(cString: strerror(code)) }

    /// The operation and the reason, for example `bind: Address already in use`.
    package var description: String { "\(operation): \(reason)" }
}
