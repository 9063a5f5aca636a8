internal import Dispatch
internal import EventLoop
internal import Glibc

/// Writes log lines on a thread of its own, so that whoever reads them slowly, or not at all, holds up no call. Lines
/// beyond a bound are dropped and counted.
final class LogWriter: Sendable {
    private struct State {
        var waitingBytes = 0
        var droppedLines = 0
    }

    /// The most bytes that wait for the reader.
    static let capacity = 1 << 20
    /// No write to a pipe is longer, so that none is torn apart by another writer's: PIPE_BUF.
    private static let longestWrite = 4096

    private let form: LogForm
    private let descriptor: Int32
    private let queue = DispatchQueue(label: "genwire-log", qos: .utility)
    private let state = Locked(State())

    /// - Parameter form: of the line that says how many were dropped.
    init(_ form: LogForm, descriptor: Int32 = STDERR_FILENO) {
        self.form = form
        self.descriptor = descriptor
    }

    /// Takes whole lines to be written soon.
    func write(_ bytes: [UInt8], lines: Int) {
        let isTaken = state.withLock { state in
            guard state.waitingBytes + bytes.count <= Self.capacity else {
                state.droppedLines += lines
                return false
            }
            state.waitingBytes += bytes.count
            return true
        }
        guard isTaken else { return }
        queue.async { [self] in
            writeAll(bytes)
            let dropped = state.withLock { state in
                state.waitingBytes -= bytes.count
                defer { state.droppedLines = 0 }
                return state.droppedLines
            }
            guard dropped > 0 else { return }
            var line: [UInt8] = []
            form.begin("warning", "lines of the request log were dropped: its reader is too slow", in: &line)
            form.addNumber("lines", dropped, to: &line)
            form.end(&line)
            writeAll(line)
        }
    }

    /// Waits until everything is written that was taken, for at most `seconds`.
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
