internal import Dispatch
internal import EventLoop
internal import Glibc

/// Writes log lines on a separate queue, so that a slow or stalled reader of standard error delays no call. Lines that
/// exceed the buffer are dropped and counted. Safe from any thread.
final class LogWriter: Sendable {
    private struct State {
        var pendingBytes = 0
        var droppedLines = 0
    }

    /// Maximum size of the buffered lines, in bytes.
    static let capacity = 1 << 20
    /// Maximum size of one write: PIPE_BUF, up to which writes to a pipe are atomic.
    private static let longestWrite = 4096

    private let form: LogForm
    private let descriptor: Int32
    private let queue = DispatchQueue(label: "genwire-log", qos: .utility)
    private let state = Locked(State())

    /// - Parameter form: the format of the warning about dropped lines.
    init(_ form: LogForm, descriptor: Int32 = STDERR_FILENO) {
        self.form = form
        self.descriptor = descriptor
    }

    /// Queues complete lines for writing, or drops them if the buffer is full.
    func write(_ bytes: [UInt8], lines: Int) {
        let isAccepted = state.withLock { state in
            guard state.pendingBytes + bytes.count <= Self.capacity else {
                state.droppedLines += lines
                return false
            }
            state.pendingBytes += bytes.count
            return true
        }
        guard isAccepted else { return }
        queue.async { [self] in
            writeAll(bytes)
            let dropped = state.withLock { state in
                state.pendingBytes -= bytes.count
                defer { state.droppedLines = 0 }
                return state.droppedLines
            }
            guard dropped > 0 else { return }
            var line: [UInt8] = []
            form.begin("warning", "request log lines were dropped: standard error is read too slowly", in: &line)
            form.addNumber("lines", dropped, to: &line)
            form.end(&line)
            writeAll(line)
        }
    }

    /// Waits until all queued lines are written, for at most `seconds`. Blocks the thread.
    func finish(seconds: Double) {
        let done = DispatchSemaphore(value: 0)
        queue.async { done.signal() }
        _ = done.wait(timeout: .now() + seconds)
    }

    private func writeAll(_ bytes: [UInt8]) {
        var rest = bytes[...]
        while !rest.isEmpty {
            var piece = rest.prefix(Self.longestWrite)
            if piece.count < rest.count, let end = piece.lastIndex(of: UInt8(ascii: "\n")) { piece = piece[...end] }
            let count = piece.withUnsafeBytes { Glibc.write(descriptor, $0.baseAddress, $0.count) }
            if count > 0 {
                rest = rest.dropFirst(count)
            } else if errno != EINTR {
                return
            }
        }
    }
}
