internal import EventLoop
internal import Glibc

extension Address {
    /// Checks whether a server could listen on this address, without creating anything. An address in use passes the
    /// check, because the running server may hold it.
    /// - Parameter servesNetwork: whether tokens authenticate callers on the network.
    /// - Throws: an `AddressError` that explains how to fix the problem.
    package func checkListening(servesNetwork: Bool) throws(AddressError) {
        do {
            switch self {
            case .unix(let path):
                if SocketFolder.mustCreateDefault(for: path) { return }
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
    /// Checks that a socket can be created at `path`: its folder is writable, and the path is free or holds a socket of
    /// this user. `SocketFolder` checks the folder itself.
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
                "unix:\(path): the path holds a file that is not a socket; remove it or choose another path")
        }
        guard info.st_uid == geteuid() else {
            throw AddressError("unix:\(path): the path holds a socket of another user; choose another path")
        }
    }
}
