internal import EventLoop
internal import Glibc
internal import RPC

/// Making a connection, and the words for each way in which none is made.
enum Dialing {
    /// A connected descriptor.
    /// - Parameter timeoutMilliseconds: bounds everything, the resolver too; 0 for no bound.
    static func dial(
        _ address: Address, on loop: EventLoop, timeoutMilliseconds: UInt64
    ) async throws(ClientError) -> Int32 {
        let nanoseconds = timeoutMilliseconds.multipliedReportingOverflow(by: 1_000_000)
        let timeout = nanoseconds.overflow ? 0 : nanoseconds.partialValue
        let outcome: Result<Int32, ConnectError> = await withCheckedContinuation { continuation in
            let answer = FirstAnswer(continuation)
            if timeout > 0 {
                loop.execute {
                    loop.schedule(LoopTimer { _ = answer.give(.failure(.timedOut)) }, afterNanoseconds: timeout)
                }
            }
            // The resolver cannot be interrupted: after the time is up, its thread finishes for itself.
            Task.detached {
                do throws(ConnectError) {
                    let descriptor = try ClientConnection.connect(to: address, timeoutNanoseconds: timeout)
                    if !answer.give(.success(descriptor)) { close(descriptor) }
                } catch {
                    _ = answer.give(.failure(error))
                }
            }
        }
        do throws(ConnectError) {
            return try outcome.get()
        } catch {
            throw ClientError(address, error, timeoutMilliseconds: timeoutMilliseconds)
        }
    }
}

/// Resumes a continuation with the first of several answers.
private final class FirstAnswer<Answer: Sendable>: Sendable {
    private let continuation: Locked<CheckedContinuation<Answer, Never>?>

    init(_ continuation: CheckedContinuation<Answer, Never>) { self.continuation = Locked(continuation) }

    /// Whether `answer` was the first.
    func give(_ answer: sending Answer) -> Bool {
        let continuation = continuation.withLock { continuation in
            defer { continuation = nil }
            return continuation
        }
        continuation?.resume(returning: answer)
        return continuation != nil
    }
}

extension ClientError {
    /// The error of a connection that was not made.
    init(_ address: Address, _ error: ConnectError, timeoutMilliseconds: UInt64) {
        let (reason, words): (Unreachable, String)
        switch error {
        case .unresolved(let text):
            (reason, words) = (.absent, text)
        case .timedOut:
            (reason, words) = (
                .silent, "\(address): nobody took the connection within \(Double(timeoutMilliseconds) / 1000) s"
            )
        case .refused(let error):
            (reason, words) = Self.reason(error, address)
        }
        self.init(code: Status.Code.unavailable, message: words, unreachable: reason)
    }

    private static func reason(_ error: SystemError, _ address: Address) -> (Unreachable, String) {
        let isUnix = if case .unix = address { true } else { false }
        return switch error.code {
        case ENOENT where isUnix: (.absent, "\(address): there is no such socket")
        case ECONNREFUSED where isUnix:
            (.refused, "\(address): nothing listens there; the socket is left over from a server that has ended")
        case ECONNREFUSED: (.refused, "\(address): nothing listens there")
        case EACCES, EPERM: (.notPermitted, "\(address): permission denied")
        default: (.absent, "\(address): \(error.reason)")
        }
    }
}
