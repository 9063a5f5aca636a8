internal import EventLoop
internal import Glibc

extension ClientConnection {
    /// Connects to the first address where a server listens, and verifies that the kernel reports the server's user as
    /// the client's own, root or `user`. The server at `DefaultAddress.system` may also run as the user to whom root
    /// gave its folder. TCP connections carry no user and are not checked.
    /// - Parameters:
    ///   - addresses: at least one. An untrusted server ends the search.
    ///   - user: the id of an additional trusted user.
    ///   - timeoutNanoseconds: see `connect(to:timeoutNanoseconds:)`.
    /// - Returns: the connected descriptor and its address; nothing has been sent yet.
    /// - Throws: the `ConnectFailure` of the last address whose socket exists, otherwise of the first address.
    package static func connect(
        toFirstOf addresses: [Address], trusting user: UInt32?, timeoutNanoseconds: UInt64 = 0
    ) throws(ConnectFailure) -> (descriptor: Int32, address: Address) {
        precondition(!addresses.isEmpty, "at least one address is required")
        var failure: ConnectFailure?
        for address in addresses {
            if failure != nil, case .unix(let path) = address, access(path, F_OK) != 0 { continue }
            let descriptor: Int32
            do throws(ConnectError) {
                descriptor = try connect(to: address, timeoutNanoseconds: timeoutNanoseconds)
            } catch {
                failure = ConnectFailure(address, error)
                continue
            }
            if let distrust = distrust(of: descriptor, at: address, trusting: user) {
                Glibc.close(descriptor)
                throw ConnectFailure(address, .untrusted(distrust))
            }
            return (descriptor, address)
        }
        throw failure ?? ConnectFailure(addresses[0], .unresolved("no address"))
    }

    /// Returns why the server is not trusted and what to do; `nil` if it is trusted.
    private static func distrust(of descriptor: Int32, at address: Address, trusting user: UInt32?) -> String? {
        guard case .unix = address else { return nil }
        guard case .local(let server, _, _) = PeerIdentity(descriptor: descriptor) else {
            return "the kernel does not report which user the server runs as"
        }
        if server == 0 || server == geteuid() || server == user { return nil }
        if address == DefaultAddress.system, server == SocketFolder.ownerByRoot(of: DefaultAddress.systemFolder) {
            return nil
        }
        return "the server runs as user \(server), not as you (\(geteuid())) or root, so nothing was sent to it; "
            + "if user \(server) may see your requests, set GENWIRE_SERVER_USER=\(server)"
    }
}
