internal import EventLoop
internal import Glibc
internal import RPC

/// Making a connection, and the words for each way in which none is made.
enum Dialing {
    /// What was connected to; nothing was sent yet.
    typealias Connected = (descriptor: Int32, address: Address)

    /// Connects to the first address where a server listens.
    /// - Parameters:
    ///   - user: one that a server on a Unix socket may run as, besides this process's user and root.
    ///   - timeoutMilliseconds: bounds everything, the resolver too; 0 for no bound.
    static func dial(
        _ addresses: [Address], trusting user: UInt32?, on loop: EventLoop, timeoutMilliseconds: UInt64
    ) async throws(ClientError) -> Connected {
        let nanoseconds = timeoutMilliseconds.multipliedReportingOverflow(by: 1_000_000)
        let timeout = nanoseconds.overflow ? 0 : nanoseconds.partialValue
        let outcome: Result<Connected, ConnectFailure> = await withCheckedContinuation { continuation in
            let answer = FirstAnswer(continuation)
            if timeout > 0 {
                loop.execute {
                    let failure = ConnectFailure(addresses[0], .timedOut)
                    loop.schedule(LoopTimer { _ = answer.give(.failure(failure)) }, afterNanoseconds: timeout)
                }
            }
            // The resolver cannot be interrupted: after the time is up, its thread finishes for itself.
            Task.detached {
                do throws(ConnectFailure) {
                    let connected = try ClientConnection.connect(
                        toFirstOf: addresses, trusting: user, timeoutNanoseconds: timeout)
                    if !answer.give(.success(connected)) { close(connected.descriptor) }
                } catch {
                    _ = answer.give(.failure(error))
                }
            }
        }
        do throws(ConnectFailure) {
            return try outcome.get()
        } catch {
            throw ClientError(error, timeoutMilliseconds: timeoutMilliseconds)
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
    init(_ failure: ConnectFailure, timeoutMilliseconds: UInt64) {
        let address = failure.address
        let (reason, words): (Unreachable, String)
        switch failure.error {
        case .unresolved(let text):
            (reason, words) = (.absent, text)
        case .timedOut:
            (reason, words) = (
                .silent, "\(address): nobody took the connection within \(Double(timeoutMilliseconds) / 1000) s"
            )
        case .refused(let error):
            (reason, words) = Self.reason(error, address)
        case .untrusted(let text):
            (reason, words) = (.untrusted, "\(address): \(text)")
        }
        let code = reason == .untrusted ? Status.Code.permissionDenied : Status.Code.unavailable
        self.init(code: code, message: words, unreachable: reason)
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
