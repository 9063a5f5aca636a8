internal import Glibc

/// Where a server listens and a client connects when nobody says where.
public enum DefaultAddress {
    /// The user's own: `unix:$XDG_RUNTIME_DIR/genwire.sock`, else `unix:/tmp/genwire-$UID/genwire.sock`. A relative
    /// `XDG_RUNTIME_DIR` does not count, as its specification says.
    /// - Throws: `AddressError` where the path is too long for a socket.
    public static func own() throws(AddressError) -> Address {
        try Address("unix:\(runtimeFolder ?? temporaryFolder)/genwire.sock")
    }

    /// The socket of a daemon that the system runs for its users; see `packaging/genwired.service.in`.
    public static let system = Address.unix(path: "\(systemFolder)/genwire.sock")

    /// What a client tries, in this order: the system's daemon is for users who run none.
    /// - Throws: see `own`.
    public static func candidates() throws(AddressError) -> [Address] { [try own(), system] }

    /// `XDG_RUNTIME_DIR`, where it is set to an absolute path.
    static var runtimeFolder: String? {
        guard let value = getenv("XDG_RUNTIME_DIR"), value.pointee == UInt8(ascii: "/") else { return nil }
        return String(cString: value)
    }

    /// What stands in for it. Anybody may make a folder of this name first: see `SocketFolder`.
    static var temporaryFolder: String { "/tmp/genwire-\(getuid())" }

    static let systemFolder = "/run/genwire"
}
