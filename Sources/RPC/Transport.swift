internal import CLinux
internal import Glibc

/// The few socket calls that server and client share.
enum Transport {
    /// A stream socket that does not block and that programs do not inherit.
    static let socketType =
        Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue) | Int32(SOCK_NONBLOCK.rawValue)

    /// Accepts one connection, non-blocking and closed on exec; -1 with `errno` otherwise.
    static func accept(_ listener: Int32) -> Int32 { gw_accept(listener) }

    /// Bounds how long a blocking send or connect may take; 0 for no bound.
    static func limitSending(_ descriptor: Int32, nanoseconds: UInt64) {
        // Less than a microsecond would be none.
        let microseconds = nanoseconds == 0 ? 0 : max(1, nanoseconds / 1000)
        var time = timeval(
            tv_sec: Int(clamping: microseconds / 1_000_000), tv_usec: Int(microseconds % 1_000_000))
        setsockopt(descriptor, SOL_SOCKET, SO_SNDTIMEO, &time, socklen_t(MemoryLayout<timeval>.size))
    }

    /// How a TCP peer is noticed that has vanished without a word: probes after this many seconds of silence …
    static let keepaliveIdleSeconds: Int32 = 60
    /// … and then this often …
    static let keepaliveIntervalSeconds: Int32 = 20
    /// … until it has acknowledged nothing for this long, probes or data. A peer that is there but reads nothing while
    /// data waits for it is ended after the same time.
    static let peerTimeoutSeconds: Int32 = 180

    /// Ends connections whose peer has vanished. On a listening socket it holds for those accepted: Linux hands its
    /// options down to them.
    static func detectVanishedPeers(_ descriptor: Int32) {
        _ = gw_tcp_keepalive(descriptor, keepaliveIdleSeconds, keepaliveIntervalSeconds, peerTimeoutSeconds)
    }

    /// Sends small frames at once. Does nothing on a Unix socket.
    static func disableDelay(_ descriptor: Int32) {
        var one: Int32 = 1
        setsockopt(descriptor, Int32(IPPROTO_TCP), TCP_NODELAY, &one, socklen_t(MemoryLayout<Int32>.size))
    }
}
