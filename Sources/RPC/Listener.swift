internal import EventLoop
internal import Glibc

/// One listening socket. Accepts on its loop and hands each connection to `accept`.
final class Listener: ReadinessHandler {
    /// The address as bound: the port is the real one where 0 was asked for.
    let address: Address
    /// Whether other machines reach it.
    let servesNetwork: Bool
    private let descriptor: Int32
    private var file: SocketFile?
    private var registration: Registration?
    private var loop: EventLoop?
    private let accept: (Int32) -> Void
    /// Given up for a moment when descriptors run out, so that a waiting connection can be refused instead of
    /// waking the loop for ever.
    private var spare = open("/dev/null", O_RDONLY | O_CLOEXEC)

    /// Binds and listens; nothing is accepted before `start`.
    /// - Parameters:
    ///   - servesNetwork: whether callers on the network can be told apart, so that an address that they reach may be
    ///     listened on.
    ///   - servesOthers: whether a Unix socket is for other users too.
    init(_ address: Address, servesNetwork: Bool, servesOthers: Bool, accept: @escaping (Int32) -> Void) throws {
        self.accept = accept
        switch address {
        case .unix(let path):
            var file = try SocketFile(claiming: path)
            let descriptor = socket(AF_UNIX, Self.socketType, 0)
            do {
                guard descriptor >= 0 else { throw AddressError("\(address): \(SystemError("socket"))") }
                try file.bind(descriptor, isForOthers: servesOthers)
                guard listen(descriptor, 4096) == 0 else { throw AddressError("\(address): \(SystemError("listen"))") }
            } catch {
                if descriptor >= 0 { close(descriptor) }
                file.release()
                throw error
            }
            self.file = file
            self.descriptor = descriptor
            self.address = address
            self.servesNetwork = false
        case .tcp(let host, _):
            do {
                (descriptor, self.servesNetwork) = try address.withSocketAddresses { family, socketAddress, length in
                    let descriptor = try Self.bindTCP(
                        address, family, socketAddress, length, servesNetwork: servesNetwork)
                    guard listen(descriptor, 4096) == 0 else {
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

    /// A socket that is bound and does not listen yet.
    /// - Throws: `AddressError` where other machines reach the address and may not, `SystemError` for the kernel's no.
    static func bindTCP(
        _ address: Address, _ family: Int32, _ socketAddress: UnsafePointer<sockaddr>, _ length: socklen_t,
        servesNetwork: Bool
    ) throws -> Int32 {
        guard servesNetwork || isLoopback(socketAddress) else {
            throw AddressError(
                "\(address): other machines reach this address, and without tokens their callers cannot be told "
                    + "apart; set server.tokens, or listen on 127.0.0.1, ::1 or a Unix socket")
        }
        let descriptor = socket(family, socketType, 0)
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

    private static let socketType =
        Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue) | Int32(SOCK_NONBLOCK.rawValue)

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
            // The port has the same place in both families.
            return UInt16(bigEndian: raw.load(as: sockaddr_in.self).sin_port)
        }
    }

    /// Begins to accept, on `loop`.
    func start(on loop: EventLoop) throws {
        registration = try loop.register(descriptor, .readable, self)
        self.loop = loop
    }

    func ready(_ readiness: Readiness) {
        // A batch an event, so that a storm of connections does not hold up the connections that are there.
        for _ in 0..<64 {
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

    /// Opens a Unix socket to other users, or closes it to them; what each of them may do is the policy's to say.
    func serve(others: Bool) { file?.setMode(isForOthers: others) }

    /// Accepts no more and removes the socket file.
    func stop() {
        if let registration { loop?.deregister(registration) }
        registration = nil
        close(descriptor)
        if spare >= 0 { close(spare) }
        spare = -1
        file?.release()
        file = nil
    }
}
