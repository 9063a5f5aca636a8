internal import Glibc

/// The address a server listens on or a client connects to: `unix:PATH` or `tcp:HOST:PORT`.
package enum Address: Sendable, Hashable, CustomStringConvertible {
    /// The path of a Unix socket, at most `maximumUnixPathLength` bytes.
    case unix(path: String)
    /// A TCP host and port. An IPv6 host has no brackets here.
    case tcp(host: String, port: UInt16)

    /// The longest path that fits the kernel's `sockaddr_un`, in bytes.
    package static let maximumUnixPathLength = 107

    /// Parses `unix:PATH` or `tcp:HOST:PORT`, for example `tcp:[::1]:7411` for IPv6.
    /// - Throws: an `AddressError` that describes the mistake.
    package init(_ text: String) throws(AddressError) {
        if text.hasPrefix("unix:") {
            let path = String(text.dropFirst(5))
            guard !path.isEmpty else { throw AddressError("'\(text)': no path after 'unix:'") }
            guard path.utf8.count <= Self.maximumUnixPathLength else {
                throw AddressError(
                    "'\(text)': the path has \(path.utf8.count) bytes, but the kernel allows at most "
                        + "\(Self.maximumUnixPathLength); use a shorter path")
            }
            guard !path.utf8.contains(0) else { throw AddressError("a socket path must not contain a NUL byte") }
            self = .unix(path: path)
        } else if text.hasPrefix("tcp:") {
            let rest = text.dropFirst(4)
            guard let colon = rest.lastIndex(of: ":"), let port = UInt16(rest[rest.index(after: colon)...]) else {
                throw AddressError("'\(text)': expected tcp:HOST:PORT, for example tcp:127.0.0.1:7411")
            }
            var host = String(rest[..<colon])
            if host.hasPrefix("["), host.hasSuffix("]") { host = String(host.dropFirst().dropLast()) }
            guard !host.isEmpty else { throw AddressError("'\(text)': the host is missing before the port") }
            self = .tcp(host: host, port: port)
        } else {
            throw AddressError("'\(text)': expected unix:PATH or tcp:HOST:PORT")
        }
    }

    /// The address in the form that `init(_:)` parses.
    package var description: String {
        switch self {
        case .unix(let path): "unix:\(path)"
        case .tcp(let host, let port): host.contains(":") ? "tcp:[\(host)]:\(port)" : "tcp:\(host):\(port)"
        }
    }

    /// Calls `body` with each resolved socket address until one call succeeds.
    /// - Throws: `AddressError` if the host does not resolve, otherwise the last error that `body` threw.
    func withSocketAddresses<T>(
        _ body: (Int32, UnsafePointer<sockaddr>, socklen_t) throws -> T
    ) throws -> T {
        switch self {
        case .unix(let path):
            var address = sockaddr_un()
            address.sun_family = sa_family_t(AF_UNIX)
            withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: path.utf8) }
            return try withUnsafePointer(to: &address) {
                try $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                    try body(AF_UNIX, $0, socklen_t(MemoryLayout<sockaddr_un>.size))
                }
            }
        case .tcp(let host, let port):
            var hints = addrinfo()
            hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
            var list: UnsafeMutablePointer<addrinfo>?
            let code = getaddrinfo(host, String(port), &hints, &list)
            guard code == 0, let first = list else {
                throw AddressError("\(description): \(String(cString: gai_strerror(code)))")
            }
            defer { freeaddrinfo(first) }
            var failure: any Error = AddressError("\(description): no address")
            var next: UnsafeMutablePointer<addrinfo>? = first
            while let entry = next {
                do {
                    return try body(entry.pointee.ai_family, entry.pointee.ai_addr, entry.pointee.ai_addrlen)
                } catch {
                    failure = error
                }
                next = entry.pointee.ai_next
            }
            throw failure
        }
    }
}

/// An address is malformed or cannot be used.
package struct AddressError: Error, Sendable, Equatable, CustomStringConvertible {
    /// What is wrong and what to do.
    package let description: String
    /// Creates an error with the full text shown to the user.
    package init(_ description: String) { self.description = description }
}
