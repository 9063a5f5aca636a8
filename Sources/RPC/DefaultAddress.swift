internal import Glibc

/// The addresses that servers and clients use if none is configured.
package enum DefaultAddress {
    /// The user's socket: `unix:$XDG_RUNTIME_DIR/genwire.sock`, otherwise `unix:/tmp/genwire-$UID/genwire.sock`. A
    /// relative `XDG_RUNTIME_DIR` is ignored, as its specification requires.
    /// - Throws: `AddressError` if the path is too long for a socket.
    package static func own() throws(AddressError) -> Address {
        try Address("unix:\(runtimeFolder ?? temporaryFolder)/genwire.sock")
    }

    /// The socket of the system-wide daemon; see `packaging/genwired.service.in`.
    package static let system = Address.unix(path: "\(systemFolder)/genwire.sock")

    /// The addresses a client tries, in order: the user's daemon, then the system-wide one.
    /// - Throws: see `own`.
    package static func candidates() throws(AddressError) -> [Address] { [try own(), system] }

    /// `XDG_RUNTIME_DIR` if it is set to an absolute path.
    static var runtimeFolder: String? {
        guard let value = getenv("XDG_RUNTIME_DIR"), value.pointee == UInt8(ascii: "/") else { return nil }
        return String(cString: value)
    }

    /// The fallback for `runtimeFolder`. Any user may create a folder of this name first: see `SocketFolder`.
    static var temporaryFolder: String { "/tmp/genwire-\(getuid())" }

    static let systemFolder = "/run/genwire"
}
