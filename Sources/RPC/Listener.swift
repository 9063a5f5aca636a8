internal import EventLoop
internal import Glibc

/// One listening socket. Accepts connections on its loop and passes each to `accept`.
final class Listener: ReadinessHandler {
    /// The bound address; if port 0 was requested, it contains the port that the kernel chose.
    let address: Address
    /// Whether other machines can reach the address.
    let servesNetwork: Bool
    private var descriptor: Int32
    private var file: SocketFile?
    private var servesOthers: Bool
    private var registration: Registration?
    private var loop: EventLoop?
    private let accept: (Int32) -> Void
    private let warn: (String) -> Void
    private lazy var fileWatch = LoopTimer { [unowned self] in checkFile() }
    /// The last warning about the socket file, so that it is not repeated.
    private var fileWarning: String?
    /// The maximum number of connections waiting to be accepted; the kernel may allow fewer.
    static let backlog: Int32 = 4096
    /// How often the listener checks that the socket file still exists.
    private static let checkInterval = TimeAmount.seconds(2)
    /// A reserved descriptor, closed briefly when the process runs out of descriptors: it allows the listener to refuse
    /// a waiting connection, which would otherwise keep waking the loop.
    private var spare = open("/dev/null", O_RDONLY | O_CLOEXEC)

    /// Binds and listens. Accepts no connection before `start`.
    /// - Parameters:
    ///   - servesNetwork: whether tokens authenticate callers on the network; if not, only loopback addresses are
    ///     accepted.
    ///   - servesOthers: whether other users may connect to a Unix socket.
    ///   - warn: receives warnings for the administrator about a Unix socket's file; called on the loop.
    init(
        _ address: Address, servesNetwork: Bool, servesOthers: Bool, warn: @escaping (String) -> Void,
        accept: @escaping (Int32) -> Void
    ) throws {
        self.accept = accept
        self.warn = warn
        self.servesOthers = servesOthers
        switch address {
        case .unix(let path):
            let file = try SocketFile(claiming: path)
            do {
                descriptor = try file.listen(isForOthers: servesOthers)
            } catch {
                file.release()
                throw error
            }
            if let warning = file.warning { warn(warning) }
            self.file = file
            self.address = address
            self.servesNetwork = false
        case .tcp(let host, _):
            do {
                (descriptor, self.servesNetwork) = try address.withSocketAddresses { family, socketAddress, length in
                    let descriptor = try Self.bindTCP(
                        address, family, socketAddress, length, servesNetwork: servesNetwork)
                    guard listen(descriptor, Self.backlog) == 0 else {
                        let error = SystemError("listen")
                        close(descriptor)
                        throw error
                    }
                    return (descriptor, !Self.isLoopback(socketAddress))
                }
            } catch let error as SystemError {
                throw AddressError("\(address): \(error.reason)")
            }
            self.address = .tcp(host: host, port: Self.boundPort(descriptor))
        }
    }

    /// Creates a socket that is bound but does not listen yet.
    /// - Throws: `AddressError` if other machines can reach the address without tokens, `SystemError` if a system call
    ///   fails.
    static func bindTCP(
        _ address: Address, _ family: Int32, _ socketAddress: UnsafePointer<sockaddr>, _ length: socklen_t,
        servesNetwork: Bool
    ) throws -> Int32 {
        guard servesNetwork || isLoopback(socketAddress) else {
            throw AddressError(
                "\(address): other machines can reach this address, which requires tokens to authenticate callers; "
                    + "set server.tokens, or listen on 127.0.0.1, ::1 or a Unix socket")
        }
        let descriptor = socket(family, Transport.socketType, 0)
        guard descriptor >= 0 else { throw SystemError("socket") }
        var one: Int32 = 1
        setsockopt(descriptor, SOL_SOCKET, SO_REUSEADDR, &one, socklen_t(MemoryLayout<Int32>.size))
        Transport.detectVanishedPeers(descriptor)
        guard bind(descriptor, socketAddress, length) == 0 else {
            let error = SystemError("bind")
            close(descriptor)
            throw error
        }
        return descriptor
    }

    private static func isLoopback(_ address: UnsafePointer<sockaddr>) -> Bool {
        let raw = UnsafeRawPointer(address)
        switch Int32(address.pointee.sa_family) {
        case AF_INET:
            return UInt32(bigEndian: raw.load(as: sockaddr_in.self).sin_addr.s_addr) >> 24 == 127
        case AF_INET6:
            let bytes = withUnsafeBytes(of: raw.load(as: sockaddr_in6.self).sin6_addr) { Array($0) }
            return bytes.dropLast().allSatisfy { $0 == 0 } && bytes.last == 1
        default:
            return false
        }
    }

    private static func boundPort(_ descriptor: Int32) -> UInt16 {
        var storage = sockaddr_storage()
        var length = socklen_t(MemoryLayout<sockaddr_storage>.size)
        return withUnsafeMutablePointer(to: &storage) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { _ = getsockname(descriptor, $0, &length) }
            let raw = UnsafeRawPointer(pointer)
            // The port has the same offset in both address families.
            return UInt16(bigEndian: raw.load(as: sockaddr_in.self).sin_port)
        }
    }

    /// Starts accepting on `loop`.
    func start(on loop: EventLoop) throws {
        registration = try loop.register(descriptor, .readable, self)
        self.loop = loop
        if file != nil { loop.schedule(fileWatch, after: Self.checkInterval) }
    }

    func ready(_ readiness: Readiness) {
        // One batch per event, so that a burst of new connections does not delay the existing ones.
        acceptWaiting(atMost: 64)
    }

    private func acceptWaiting(atMost count: Int) {
        for _ in 0..<count {
            let connected = Transport.accept(descriptor)
            if connected >= 0 {
                accept(connected)
                continue
            }
            if errno == EMFILE || errno == ENFILE { refuseOne() }
            return
        }
    }

    private func refuseOne() {
        if spare >= 0 { close(spare) }
        let connected = Transport.accept(descriptor)
        if connected >= 0 { close(connected) }
        spare = open("/dev/null", O_RDONLY | O_CLOEXEC)
    }

    /// Allows or denies other users access to a Unix socket's file. The policy decides which of them may call.
    func serve(others: Bool) {
        servesOthers = others
        file?.setMode(isForOthers: others)
    }

    // MARK: - The socket file

    /// Checks that the socket's file still exists: a socket without its file still listens, but is unreachable.
    private func checkFile() {
        guard let file, let loop else { return }
        defer { loop.schedule(fileWatch, after: Self.checkInterval) }
        switch file.state {
        case .own: fileWarning = nil
        case .foreign:
            warnOnce(
                "\(address): another program replaced the socket file, so new connections do not reach this server; "
                    + "stop that program or remove its file, and the socket is created again")
        case .missing:
            do {
                try listenAgain(file, loop)
                warn("\(address): the socket file was removed; it has been created again")
            } catch {
                warnOnce("\(address): the socket file was removed and cannot be created again: \(error)")
            }
        }
    }

    private func listenAgain(_ file: SocketFile, _ loop: EventLoop) throws {
        let fresh = try file.listenAgain(isForOthers: servesOthers)
        let freshRegistration: Registration
        do {
            freshRegistration = try loop.register(fresh, .readable, self)
        } catch {
            close(fresh)
            unlink(file.path)
            throw error
        }
        // Accept those that connected before the file was removed. The kernel queues one more than the backlog.
        acceptWaiting(atMost: Int(Self.backlog) + 1)
        if let registration { loop.deregister(registration) }
        close(descriptor)
        (descriptor, registration) = (fresh, freshRegistration)
    }

    private func warnOnce(_ text: String) {
        guard text != fileWarning else { return }
        fileWarning = text
        warn(text)
    }

    /// Stops accepting and removes the socket file.
    func stop() {
        if file != nil { loop?.cancel(fileWatch) }
        if let registration { loop?.deregister(registration) }
        registration = nil
        // Before closing the socket: until then no other file can have its inode number.
        file?.release()
        file = nil
        close(descriptor)
        if spare >= 0 { close(spare) }
        spare = -1
    }
}
