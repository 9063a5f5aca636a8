internal import EventLoop
internal import Glibc

extension Address {
    /// Finds what listening here would be refused for, and leaves nothing behind. An address that is in use passes:
    /// the server that is to be replaced, or only checked, may still have it.
    /// - Parameter servesNetwork: whether callers on the network can be told apart, by tokens.
    /// - Throws: `AddressError` that says what to do.
    public func checkListening(servesNetwork: Bool) throws(AddressError) {
        do {
            switch self {
            case .unix(let path):
                if SocketFolder.isToBeMade(for: path) { return }
                _ = try SocketFolder.prepare(for: path)
                try SocketFile.checkPlace(path)
            case .tcp:
                _ = try withSocketAddresses { family, socketAddress, length in
                    do {
                        close(try Listener.bindTCP(self, family, socketAddress, length, servesNetwork: servesNetwork))
                    } catch let error as SystemError where error.code == EADDRINUSE {}
                }
            }
        } catch let error as AddressError {
            throw error
        } catch let error as SystemError {
            throw AddressError("\(self): \(error.reason)")
        } catch {
            throw AddressError("\(self): \(error)")
        }
    }
}

extension SocketFile {
    /// Whether a socket may be made at `path`: files can be made in its folder, and nothing but a socket of ours is in
    /// the way. `SocketFolder` looks at the folder itself.
    static func checkPlace(_ path: String) throws(AddressError) {
        let folder = SocketFolder.folder(of: path)
        var info = stat()
        guard faccessat(AT_FDCWD, folder, W_OK | X_OK, AT_EACCESS) == 0 else {
            throw AddressError(
                "unix:\(path): this user cannot create files in \(folder): \(SystemError("access").reason)")
        }
        guard lstat(path, &info) == 0 else { return }
        guard info.st_mode & S_IFMT == S_IFSOCK else {
            throw AddressError(
                "unix:\(path): a file that is not a socket is in the way; remove it or choose another path")
        }
        guard info.st_uid == geteuid() else {
            throw AddressError("unix:\(path): a socket of another user is in the way; choose another path")
        }
    }
}
