internal import CLinux
internal import Glibc

/// The few socket calls that server and client share.
enum Transport {
    /// Accepts one connection, non-blocking and closed on exec; -1 with `errno` otherwise.
    static func accept(_ listener: Int32) -> Int32 { gw_accept(listener) }

    /// Sends small frames at once. Does nothing on a Unix socket.
    static func disableDelay(_ descriptor: Int32) {
        var one: Int32 = 1
        setsockopt(descriptor, Int32(IPPROTO_TCP), TCP_NODELAY, &one, socklen_t(MemoryLayout<Int32>.size))
    }
}
