internal import Glibc

/// Checks the folder of a socket file: which other users could replace the socket.
///
/// A client that connects to a replaced socket sends its prompts to another program. The folder must therefore belong
/// to the server's user or to root, and no folder in the path may be world-writable, unless its sticky bit protects
/// the files of others. Permissions that an administrator may have set on purpose, such as a group that may write,
/// cause a warning.
struct SocketFolder {
    /// The maximum number of folders and links in a path; more are an error.
    private static let maximumSteps = 64

    private let address: String
    private var warning: String?
    private var steps = 0

    /// Returns the folder of a path; `.` if the path has none.
    static func folder(of path: String) -> String {
        guard let slash = path.utf8.lastIndex(of: UInt8(ascii: "/")) else { return "." }
        return slash == path.startIndex ? "/" : String(path[..<slash])
    }

    /// Whether `path` is the default socket and its folder, which `prepare` creates, does not exist yet.
    static func mustCreateDefault(for path: String) -> Bool {
        let folder = folder(of: path)
        guard folder == DefaultAddress.temporaryFolder, (try? DefaultAddress.own()) == .unix(path: path) else {
            return false
        }
        var info = stat()
        return lstat(folder, &info) != 0 && errno == ENOENT
    }

    /// Checks the folder of a socket; creates the default folder under `/tmp` if it does not exist.
    /// - Returns: a warning; `nil` if only the server's user and root can replace the socket.
    /// - Throws: `AddressError` if any user can, or if the folder belongs to another user.
    static func prepare(for path: String) throws(AddressError) -> String? {
        let folder = folder(of: path)
        var check = SocketFolder(address: "unix:\(path)")
        if (try? DefaultAddress.own()) == .unix(path: path) {
            if mustCreateDefault(for: path) { mkdir(folder, 0o700) }
            try check.requireOwn(folder)
        }
        try check.visit(folder.hasPrefix("/") ? folder : currentFolder + "/" + folder, isLast: true)
        return check.warning
    }

    private init(address: String) { self.address = address }

    /// Returns the owner of `folder` if root gave it to that user: all parent folders belong to root, and nobody else
    /// may write in any of them. Otherwise `nil`.
    static func ownerByRoot(of folder: String) -> UInt32? {
        var owner: UInt32 = 0
        for prefix in prefixes(of: folder) {
            var info = stat()
            guard owner == 0, lstat(prefix, &info) == 0, info.isFolder, info.st_mode & 0o022 == 0 else { return nil }
            owner = info.st_uid
        }
        return owner
    }

    /// Returns all prefixes of a path, for example `/`, `/a` and `/a/b` for `/a/b`.
    private static func prefixes(of path: String) -> [String] {
        var result = ["/"]
        var prefix = ""
        for name in path.split(separator: "/") {
            prefix += "/" + name
            result.append(prefix)
        }
        return result
    }

    // MARK: - The default folder

    private func requireOwn(_ folder: String) throws(AddressError) {
        let isTemporary = folder == DefaultAddress.temporaryFolder
        let advice =
            isTemporary
            ? "remove it, set XDG_RUNTIME_DIR to a folder that you own, or set another socket in server.listen"
            : "set XDG_RUNTIME_DIR to a folder that you own, unset it, or set another socket in server.listen"
        var info = stat()
        // A symbolic link below /tmp could point anywhere its creator chose; the user sets the runtime folder itself.
        guard (isTemporary ? lstat(folder, &info) : stat(folder, &info)) == 0 else {
            throw error("\(folder): \(String(cString: strerror(errno))); \(advice)")
        }
        guard info.isFolder else { throw error("\(folder) is not a folder; \(advice)") }
        guard info.st_uid == geteuid() else {
            throw error(
                "the folder \(folder) belongs to user \(info.st_uid), but this server runs as user \(geteuid()); "
                    + "\(advice)")
        }
        guard info.st_mode & (isTemporary ? 0o077 : 0o022) == 0 else {
            throw error(
                "the folder \(folder) is accessible to other users (mode \(info.octalMode)); check its contents, then "
                    + "run chmod 700 \(folder)")
        }
    }

    // MARK: - Other folders

    /// Checks every folder from the root to `path`, and the targets of symbolic links.
    private mutating func visit(_ path: String, isLast: Bool) throws(AddressError) {
        let prefixes = Self.prefixes(of: path)
        for (index, prefix) in prefixes.enumerated() {
            let isLast = isLast && index == prefixes.count - 1
            steps += 1
            guard steps <= Self.maximumSteps else { throw error("too many folders and links in the path") }
            var info = stat()
            guard lstat(prefix, &info) == 0 else {
                guard errno == ENOENT else { throw error("\(prefix): \(String(cString: strerror(errno)))") }
                throw error("the folder does not exist; create it first, for example with mkdir -p \(path)")
            }
            try check(prefix, info, isLast: isLast)
            if info.st_mode & S_IFMT == S_IFLNK {
                let target = try target(of: prefix)
                let parent = prefix.lastIndex(of: "/").map { prefix[...$0] } ?? "/"
                try visit(target.hasPrefix("/") ? target : parent + target, isLast: isLast)
            }
        }
    }

    private mutating func check(_ path: String, _ info: stat, isLast: Bool) throws(AddressError) {
        let isSticky = info.st_mode & S_ISVTX != 0
        if info.st_uid != 0, info.st_uid != geteuid() {
            guard !isLast else {
                throw error(
                    "\(path) belongs to user \(info.st_uid), who could replace the socket; change its owner or "
                        + "choose another folder")
            }
            warn("user \(info.st_uid) owns \(path) and could replace the socket")
        }
        guard info.st_mode & S_IFMT != S_IFLNK else { return }
        guard info.isFolder else { throw error("\(path) is not a folder") }
        guard info.st_mode & S_IWOTH == 0 || isSticky else {
            throw error(
                "every user may write in \(path) (mode \(info.octalMode)) and could replace the socket; run "
                    + "chmod o-w \(path), or choose another folder")
        }
        if info.st_mode & S_IWGRP != 0, info.st_gid != 0, !isSticky {
            warn("group \(info.st_gid) may write in \(path) and could replace the socket")
        }
    }

    private func target(of link: String) throws(AddressError) -> String {
        var buffer = [CChar](repeating: 0, count: Int(PATH_MAX))
        let count = readlink(link, &buffer, buffer.count - 1)
        guard count > 0 else { throw error("\(link): \(String(cString: strerror(errno)))") }
        return String(decoding: buffer[..<count].map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }

    /// Keeps the first warning, which is about the folder nearest to the root.
    private mutating func warn(_ text: String) { warning = warning ?? "\(address): \(text)" }

    private func error(_ text: String) -> AddressError { AddressError("\(address): \(text)") }

    private static var currentFolder: String {
        guard let name = getcwd(nil, 0) else { return "/" }
        defer { free(name) }
        return String(cString: name)
    }
}

extension stat {
    fileprivate var isFolder: Bool { st_mode & S_IFMT == S_IFDIR }
    fileprivate var octalMode: String { "0" + String(st_mode & 0o7777, radix: 8) }
}
