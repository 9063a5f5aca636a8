internal import EventLoop
internal import Glibc

/// The file of a Unix socket, from the lock that makes it ours to the unlink at the end.
///
/// The lock file beside it (`PATH.lock`) is what tells a live server's socket from a stale one without a race; the
/// connection attempt covers servers that take no lock.
struct SocketFile {
    let path: String
    private let lock: Int32
    private var device: dev_t = 0
    private var inode: ino_t = 0

    /// Takes the lock and clears a stale socket out of the way.
    init(claiming path: String) throws {
        self.path = path
        try Self.checkPlace(path)
        let lockPath = path + ".lock"
        lock = open(lockPath, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0o600)
        guard lock >= 0 else {
            throw AddressError("unix:\(path): cannot create \(lockPath): \(SystemError("open").reason)")
        }
        guard flock(lock, LOCK_EX | LOCK_NB) == 0 else {
            close(lock)
            throw AddressError("unix:\(path): another server listens here; stop it or choose another path")
        }
        do {
            try Self.removeStale(path)
        } catch {
            close(lock)
            throw error
        }
    }

    private static func removeStale(_ path: String) throws {
        var info = stat()
        guard lstat(path, &info) == 0 else { return }
        let probe = socket(
            AF_UNIX, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue) | Int32(SOCK_NONBLOCK.rawValue), 0)
        defer { if probe >= 0 { close(probe) } }
        let refused = try Address.unix(path: path).withSocketAddresses { _, address, length in
            connect(probe, address, length) != 0 && errno == ECONNREFUSED
        }
        guard refused else {
            throw AddressError("unix:\(path): another server listens here; stop it or choose another path")
        }
        unlink(path)
    }

    /// Binds so that the file has its final mode from the first moment: 0600, or 0666 where other users may call and
    /// the kernel's word about each of them decides.
    mutating func bind(_ descriptor: Int32, isForOthers: Bool) throws {
        let previous = umask(isForOthers ? 0o111 : 0o177)
        defer { umask(previous) }
        let result = try Address.unix(path: path).withSocketAddresses { _, address, length in
            Glibc.bind(descriptor, address, length)
        }
        guard result == 0 else { throw AddressError("unix:\(path): \(SystemError("bind"))") }
        var info = stat()
        if lstat(path, &info) == 0 {
            device = info.st_dev
            inode = info.st_ino
        }
    }

    /// Gives the socket the mode that `bind` would, if it is still the one that was bound here.
    func setMode(isForOthers: Bool) {
        if isOurs { chmod(path, isForOthers ? 0o666 : 0o600) }
    }

    private var isOurs: Bool {
        var info = stat()
        return inode != 0 && lstat(path, &info) == 0 && info.st_dev == device && info.st_ino == inode
    }

    /// Removes the socket if it is still the one that was bound here, and lets the lock go.
    func release() {
        if isOurs { unlink(path) }
        unlink(path + ".lock")
        close(lock)
    }
}
