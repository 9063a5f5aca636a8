internal import EventLoop
internal import Glibc

/// The file of a Unix socket, owned from locking its path until it is unlinked.
///
/// The lock file next to it (`PATH.lock`) distinguishes a live server's socket from a stale one without a race; a
/// connection attempt covers servers that take no lock.
///
/// A lock is valid only while its file is the one at the path. A stopping server removes the lock file before it
/// releases the lock; a server that had the removed file open then holds a lock nobody else sees and must retry.
final class SocketFile {
    /// What the path holds.
    enum State {
        case own, missing
        /// A file that this server did not create.
        case foreign
    }

    let path: String
    /// A warning for the log if other users could replace the file.
    let warning: String?
    private var lock: Int32
    private var device: dev_t = 0
    private var inode: ino_t = 0

    /// An attempt fails if another server has just released its lock.
    private static let maximumLockAttempts = 100

    /// Checks the folder, takes the lock, and removes a stale socket.
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
        throw AddressError("unix:\(path): another program keeps replacing \(lockPath); stop that program")
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

    /// Creates a socket that listens at the path. Its file has its final mode before anyone can connect, and never a
    /// wider one: 0600, or 0666 if other users may call; the server then checks each peer's user as reported by the
    /// kernel.
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
        // The file gets the socket's mode minus the umask. Changing the umask instead would affect the whole process:
        // other threads create files and start programs.
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

    /// Sets the mode of the socket's file if it is still the one bound here.
    func setMode(isForOthers: Bool) {
        if state == .own { chmod(path, Self.mode(isForOthers)) }
    }

    private static func mode(_ isForOthers: Bool) -> mode_t { isForOthers ? 0o666 : 0o600 }

    /// The current state of the path.
    var state: State {
        var info = stat()
        guard lstat(path, &info) == 0 else { return .missing }
        return info.st_dev == device && info.st_ino == inode ? .own : .foreign
    }

    /// Calls `listen` again after the file was removed. Removes nothing.
    /// - Throws: an error if another server has claimed the path or the folder is no longer safe.
    func listenAgain(isForOthers: Bool) throws -> Int32 {
        _ = try SocketFolder.prepare(for: path)
        // Whatever removed the socket may have removed the lock file too.
        if !Self.isFile(lock, at: path + ".lock") {
            let fresh = try Self.takeLock(path)
            close(lock)
            lock = fresh
        }
        return try listen(isForOthers: isForOthers)
    }

    /// Removes the socket if it is still the one bound here, and releases the lock.
    func release() {
        if inode != 0, state == .own { unlink(path) }
        releaseLock()
    }

    private func releaseLock() {
        // Remove the lock file while the lock is held; see the type's documentation.
        if Self.isFile(lock, at: path + ".lock") { unlink(path + ".lock") }
        close(lock)
    }
}
