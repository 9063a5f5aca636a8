internal import CLinux
internal import Glibc

/// Socket functions shared by server and client.
enum Transport {
    /// The type of a non-blocking stream socket that is closed on exec.
    static let socketType =
        Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue) | Int32(SOCK_NONBLOCK.rawValue)

    /// Accepts a connection, non-blocking and closed on exec. Returns -1 and sets `errno` on failure.
    static func accept(_ listener: Int32) -> Int32 { gw_accept(listener) }

    /// Limits how long a blocking send or connect may take; 0 for no limit.
    static func limitSending(_ descriptor: Int32, nanoseconds: UInt64) {
        // The option has microseconds, and 0 would mean no limit.
        let microseconds = nanoseconds == 0 ? 0 : max(1, nanoseconds / 1000)
        var time = timeval(
            tv_sec: Int(clamping: microseconds / 1_000_000), tv_usec: Int(microseconds % 1_000_000))
        setsockopt(descriptor, SOL_SOCKET, SO_SNDTIMEO, &time, socklen_t(MemoryLayout<timeval>.size))
    }

    /// TCP keepalive: the idle time before the first probe, in seconds.
    static let keepaliveIdleSeconds: Int32 = 60
    /// TCP keepalive: the time between two probes, in seconds.
    static let keepaliveIntervalSeconds: Int32 = 20
    /// The time in seconds after which a peer that acknowledges neither probes nor data is disconnected. The same
    /// applies to a live peer that does not read while data is waiting for it.
    static let peerTimeoutSeconds: Int32 = 180

    /// Detects and closes connections whose peer has vanished. Set on a listening socket, it applies to accepted
    /// connections, which inherit the option on Linux.
    static func detectVanishedPeers(_ descriptor: Int32) {
        _ = gw_tcp_keepalive(descriptor, keepaliveIdleSeconds, keepaliveIntervalSeconds, peerTimeoutSeconds)
    }

    /// Sends small frames without delay (`TCP_NODELAY`). Does nothing on a Unix socket.
    static func disableDelay(_ descriptor: Int32) {
        var one: Int32 = 1
        setsockopt(descriptor, Int32(IPPROTO_TCP), TCP_NODELAY, &one, socklen_t(MemoryLayout<Int32>.size))
    }
}
