internal import EventLoop
internal import Glibc

/// Detects that a peer closes its connection, using a duplicate descriptor.
final class CloseWatch: ReadinessHandler {
    private let descriptor: Int32
    private let loop: EventLoop
    private var registration: Registration?
    private let closed: () -> Void

    init(_ descriptor: Int32, _ loop: EventLoop, _ closed: @escaping () -> Void) {
        self.descriptor = dup(descriptor)
        self.loop = loop
        self.closed = closed
        registration = try? loop.register(self.descriptor, .readable, self)
        // Without a watch, the disconnect is detected when the next bytes are sent.
        if registration == nil { Glibc.close(self.descriptor) }
    }

    func ready(_ readiness: Readiness) {
        var byte: UInt8 = 0
        let count = recv(descriptor, &byte, 1, Int32(MSG_PEEK) | Int32(MSG_DONTWAIT))
        if count == 0 || (count < 0 && errno != EAGAIN) {
            closed()
        } else if count > 0 {
            // A pipelined request is waiting after this one; the connection is not closed.
            stop()
        }
    }

    func stop() {
        guard let registration else { return }
        loop.deregister(registration)
        self.registration = nil
        Glibc.close(descriptor)
    }
}
