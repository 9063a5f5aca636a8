internal import EventLoop
internal import Glibc
internal import RPC

/// Connects to a server, and converts connection failures into `ClientError`.
enum Dialing {
    /// A connected socket, on which nothing has been sent, and its address.
    typealias Connected = (descriptor: Int32, address: Address)

    /// Connects to the first of `addresses` on which a server listens.
    /// - Parameters:
    ///   - user: a trusted user for servers on a Unix socket, besides this process's user and root.
    ///   - timeoutMilliseconds: total timeout, including name resolution; 0 for none.
    static func dial(
        _ addresses: [Address], trusting user: UInt32?, on loop: EventLoop, timeoutMilliseconds: UInt64
    ) async throws(ClientError) -> Connected {
        let nanoseconds = timeoutMilliseconds.multipliedReportingOverflow(by: 1_000_000)
        let timeout = nanoseconds.overflow ? 0 : nanoseconds.partialValue
        let outcome: Result<Connected, ConnectFailure> = await withCheckedContinuation { continuation in
            let first = FirstResult(continuation)
            if timeout > 0 {
                loop.execute {
                    let failure = ConnectFailure(addresses[0], .timedOut)
                    loop.schedule(LoopTimer { _ = first.resume(.failure(failure)) }, after: .nanoseconds(timeout))
                }
            }
            // The resolver cannot be interrupted: after a timeout, its thread keeps running until it returns.
            Task.detached {
                do throws(ConnectFailure) {
                    let connected = try ClientConnection.connect(
                        toFirstOf: addresses, trusting: user, timeoutNanoseconds: timeout)
                    if !first.resume(.success(connected)) { close(connected.descriptor) }
                } catch {
                    _ = first.resume(.failure(error))
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

/// Resumes a continuation with the first of several results.
private final class FirstResult<Value: Sendable>: Sendable {
    private let continuation: Locked<CheckedContinuation<Value, Never>?>

    init(_ continuation: CheckedContinuation<Value, Never>) { self.continuation = Locked(continuation) }

    /// Returns whether `value` was the first.
    func resume(_ value: sending Value) -> Bool {
        let continuation = continuation.withLock { continuation in
            defer { continuation = nil }
            return continuation
        }
        continuation?.resume(returning: value)
        return continuation != nil
    }
}

extension ClientError {
    /// The error for a failed connection attempt.
    init(_ failure: ConnectFailure, timeoutMilliseconds: UInt64) {
        let address = failure.address
        let (reason, message): (Unreachable, String)
        switch failure.error {
        case .unresolved(let text):
            (reason, message) = (.absent, text)
        case .timedOut:
            (reason, message) = (
                .silent, "\(address): connection not accepted within \(Double(timeoutMilliseconds) / 1000) s"
            )
        case .refused(let error):
            (reason, message) = Self.reason(error, address)
        case .untrusted(let text):
            (reason, message) = (.untrusted, "\(address): \(text)")
        }
        let code = reason == .untrusted ? Status.Code.permissionDenied : Status.Code.unavailable
        self.init(code: code, message: message, unreachable: reason)
    }

    private static func reason(_ error: SystemError, _ address: Address) -> (Unreachable, String) {
        let isUnix = if case .unix = address { true } else { false }
        return switch error.code {
        case ENOENT where isUnix: (.absent, "\(address): no such socket")
        case ECONNREFUSED where isUnix:
            (
                .refused,
                "\(address): connection refused; the socket was left behind by a server that is no longer running"
            )
        case ECONNREFUSED: (.refused, "\(address): connection refused; nothing is listening on this port")
        case EACCES, EPERM: (.notPermitted, "\(address): permission denied")
        default: (.absent, "\(address): \(error.reason)")
        }
    }
}
