internal import EventLoop
internal import Glibc

/// The file of a Unix socket, from the lock that makes it ours to the unlink at the end.
///
/// The lock file beside it (`PATH.lock`) is what tells a live server's socket from a stale one without a race; the
/// connection attempt covers servers that take no lock.
///
/// A lock counts only while its file is the one at the path. Whoever stops removes the file before letting the lock
/// go; whoever waited with the file open then holds a lock that nobody else sees, and must take another.
final class SocketFile {
    /// What is at the path.
    enum State {
        case own, missing
        /// Another program's file.
        case foreign
    }

    let path: String
    /// Who could replace the file, where anybody could; for the log.
    let warning: String?
    private var lock: Int32
    private var device: dev_t = 0
    private var inode: ino_t = 0

    /// Each time, another server has just let its lock go.
    private static let maximumLockAttempts = 100

    /// Checks the folder, takes the lock, and clears a stale socket out of the way.
    init(claiming path: String) throws {
        self.path = path
        warning = try SocketFolder.prepare(for: path)
        try Self.checkPlace(path)
        lock = try Self.takeLock(path)
        do {
            try Self.removeStale(path)
        } catch {
            releaseLock()
            throw error
        }
    }

    private static func takeLock(_ path: String) throws -> Int32 {
        let lockPath = path + ".lock"
        for _ in 0..<maximumLockAttempts {
            let lock = open(lockPath, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, 0o600)
            guard lock >= 0 else {
                throw AddressError("unix:\(path): cannot create \(lockPath): \(SystemError("open").reason)")
            }
            guard flock(lock, LOCK_EX | LOCK_NB) == 0 else {
                let error = SystemError("flock")
                close(lock)
                guard error.code == EWOULDBLOCK else {
                    throw AddressError("unix:\(path): cannot lock \(lockPath): \(error.reason)")
                }
                throw AddressError("unix:\(path): another server listens here; stop it or choose another path")
            }
            if isFile(lock, at: lockPath) { return lock }
            close(lock)
        }
        throw AddressError("unix:\(path): \(lockPath) is replaced again and again; find out by whom")
    }

    private static func isFile(_ descriptor: Int32, at path: String) -> Bool {
        var own = stat()
        var found = stat()
        return fstat(descriptor, &own) == 0 && lstat(path, &found) == 0 && own.st_dev == found.st_dev
            && own.st_ino == found.st_ino
    }

    private static func removeStale(_ path: String) throws {
        var info = stat()
        guard lstat(path, &info) == 0 else { return }
        let probe = socket(AF_UNIX, Transport.socketType, 0)
        defer { if probe >= 0 { close(probe) } }
        let refused = try Address.unix(path: path).withSocketAddresses { _, address, length in
            connect(probe, address, length) != 0 && errno == ECONNREFUSED
        }
        guard refused else {
            throw AddressError("unix:\(path): another server listens here; stop it or choose another path")
        }
        unlink(path)
    }

    /// A new socket that listens at the path. Its file has its final mode before anybody can connect, and never a wider
    /// one: 0600, or 0666 where other users may call and the kernel's word about each of them decides.
    func listen(isForOthers: Bool) throws -> Int32 {
        let descriptor = socket(AF_UNIX, Transport.socketType, 0)
        guard descriptor >= 0 else { throw AddressError("unix:\(path): \(SystemError("socket"))") }
        do {
            try bind(descriptor, isForOthers: isForOthers)
            guard Glibc.listen(descriptor, Listener.backlog) == 0 else {
                throw AddressError("unix:\(path): \(SystemError("listen"))")
            }
        } catch {
            close(descriptor)
            throw error
        }
        return descriptor
    }

    private func bind(_ descriptor: Int32, isForOthers: Bool) throws {
        // The file gets the socket's own mode without the bits of the umask. The umask itself belongs to the whole
        // process: other threads make files and start programs.
        guard fchmod(descriptor, Self.mode(isForOthers)) == 0 else {
            throw AddressError("unix:\(path): \(SystemError("fchmod"))")
        }
        let result = try Address.unix(path: path).withSocketAddresses { _, address, length in
            Glibc.bind(descriptor, address, length)
        }
        guard result == 0 else { throw AddressError("unix:\(path): \(SystemError("bind"))") }
        var info = stat()
        if lstat(path, &info) == 0 {
            device = info.st_dev
            inode = info.st_ino
        }
        setMode(isForOthers: isForOthers)
    }

    /// Gives the socket's file its mode, if it is still the one that was bound here.
    func setMode(isForOthers: Bool) {
        if state == .own { chmod(path, Self.mode(isForOthers)) }
    }

    private static func mode(_ isForOthers: Bool) -> mode_t { isForOthers ? 0o666 : 0o600 }

    /// What is at the path now.
    var state: State {
        var info = stat()
        guard lstat(path, &info) == 0 else { return .missing }
        return info.st_dev == device && info.st_ino == inode ? .own : .foreign
    }

    /// `listen` again, where the file is missing. Removes nothing.
    /// - Throws: where another server has taken the path or somebody has opened the folder to others.
    func listenAgain(isForOthers: Bool) throws -> Int32 {
        _ = try SocketFolder.prepare(for: path)
        // Who removes the socket may have removed the lock with it.
        if !Self.isFile(lock, at: path + ".lock") {
            let fresh = try Self.takeLock(path)
            close(lock)
            lock = fresh
        }
        return try listen(isForOthers: isForOthers)
    }

    /// Removes the socket if it is still the one that was bound here, and lets the lock go.
    func release() {
        if inode != 0, state == .own { unlink(path) }
        releaseLock()
    }

    private func releaseLock() {
        // While it is held: see above.
        if Self.isFile(lock, at: path + ".lock") { unlink(path + ".lock") }
        close(lock)
    }
}
