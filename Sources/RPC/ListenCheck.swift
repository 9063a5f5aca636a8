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
    /// Whether a socket may be made at `path`: the folder is there and can be written to, and nothing but a socket of
    /// ours is in the way.
    static func checkPlace(_ path: String) throws(AddressError) {
        let folder = folder(of: path)
        var info = stat()
        guard stat(folder, &info) == 0 else {
            let reason = SystemError("stat")
            throw AddressError(
                reason.code == ENOENT
                    ? "unix:\(path): the folder does not exist; create it first, for example with mkdir -p \(folder)"
                    : "unix:\(path): \(folder): \(reason.reason)")
        }
        guard info.st_mode & S_IFMT == S_IFDIR else { throw AddressError("unix:\(path): \(folder) is not a folder") }
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

    private static func folder(of path: String) -> String {
        guard let slash = path.lastIndex(of: "/") else { return "." }
        return slash == path.startIndex ? "/" : String(path[..<slash])
    }
}
