internal import EventLoop
internal import Glibc

extension ClientConnection {
    /// Connects to the first address where a server listens, and makes sure that the user it runs as, by the kernel's
    /// word, is the client's own, root or `user`. `DefaultAddress.system` may also be served by the user to whom root
    /// has given its folder. On TCP nothing is known about users and nothing is checked.
    /// - Parameters:
    ///   - addresses: at least one. A server that is not trusted ends the search.
    ///   - user: a user id.
    ///   - timeoutNanoseconds: see `connect(to:timeoutNanoseconds:)`.
    /// - Returns: the connected descriptor and its address; nothing has been sent yet.
    /// - Throws: `ConnectFailure` of the last address whose socket is there, or of the first.
    public static func connect(
        toFirstOf addresses: [Address], trusting user: UInt32?, timeoutNanoseconds: UInt64 = 0
    ) throws(ConnectFailure) -> (descriptor: Int32, address: Address) {
        precondition(!addresses.isEmpty, "an address is needed")
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

    /// Why the server at the other end is not trusted, and what to do; `nil` where it is.
    private static func distrust(of descriptor: Int32, at address: Address, trusting user: UInt32?) -> String? {
        guard case .unix = address else { return nil }
        guard case .local(let server, _, _) = PeerIdentity(descriptor: descriptor) else {
            return "the kernel does not say which user the server runs as"
        }
        if server == 0 || server == geteuid() || server == user { return nil }
        if address == DefaultAddress.system, server == SocketFolder.ownerByRoot(of: DefaultAddress.systemFolder) {
            return nil
        }
        return "the server there runs as user \(server), not as you (\(geteuid())) or root, so nothing was sent to it; "
            + "where user \(server) is meant to see your requests, say so with GENWIRE_SERVER_USER=\(server)"
    }
}
