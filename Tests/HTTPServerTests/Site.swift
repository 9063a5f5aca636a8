import EventLoop
import Foundation
import Glibc
import HTTPServer
import TestSupport

/// A server with a handler, for one test.
final class Site: Sendable {
    typealias Handler = @Sendable (HTTPServerRequest, HTTPExchange) -> Void

    private final class Delegate: HTTPServerDelegate {
        let handler: Handler
        let ends: Locked<[HTTPExchange.End]>

        init(_ handler: @escaping Handler, _ ends: Locked<[HTTPExchange.End]>) {
            self.handler = handler
            self.ends = ends
        }

        func server(_ server: HTTPServer, didReceive request: HTTPServerRequest, _ exchange: HTTPExchange) {
            handler(request, exchange)
        }

        func server(_ server: HTTPServer, didEnd exchange: HTTPExchange, _ end: HTTPExchange.End) {
            ends.withLock { $0.append(end) }
        }
    }

    private struct Running {
        let server: HTTPServer
        let delegate: Delegate
    }

    let loop: EventLoop
    let port: UInt16
    private let running: LoopBound<Running>
    private let endsSoFar: Locked<[HTTPExchange.End]>

    private init(
        _ limits: HTTPServerLimits, _ place: HTTPServer.Place, _ handler: @escaping Handler
    ) async throws {
        let loop = try EventLoop(label: "http-server-test")
        let ends = Locked<[HTTPExchange.End]>([])
        (running, port) = try await loop.perform {
            let delegate = Delegate(handler, ends)
            let server = HTTPServer(loop: loop, limits: limits, delegate: delegate)
            return Result { () throws -> (LoopBound<Running>, UInt16) in
                let port = try server.start(place)
                return (LoopBound(Running(server: server, delegate: delegate), on: loop), port)
            }
        }.get()
        self.loop = loop
        endsSoFar = ends
    }

    static func with(
        limits: HTTPServerLimits = .patient(), at place: HTTPServer.Place = .loopback(port: 0),
        _ handler: @escaping Handler, _ body: (Site) async throws -> Void
    ) async throws {
        let site = try await Site(limits, place, handler)
        let result: Result<Void, any Error>
        do { result = .success(try await body(site)) } catch { result = .failure(error) }
        await site.stop()
        await site.loop.shutdown()
        try result.get()
    }

    /// How the exchanges so far ended.
    var ends: [HTTPExchange.End] { endsSoFar.withLock { $0 } }
    var connectionCount: Int { get async { await loop.perform { [self] in running.value.server.connectionCount } } }
    var exchangeCount: Int { get async { await loop.perform { [self] in running.value.server.exchangeCount } } }
    func stop() async { await loop.perform { [self] in running.value.server.stop() } }
    func connect() throws -> Client { try Client(port: port) }
}

/// A client's raw socket.
final class Client {
    private let descriptor: Int32
    private var isOpen = true
    /// All bytes received so far.
    private(set) var text = ""
    private(set) var isAtEnd = false

    init(port: UInt16, receiveBuffer: Int32? = nil) throws {
        descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        if var size = receiveBuffer { setsockopt(descriptor, SOL_SOCKET, SO_RCVBUF, &size, 4) }
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = port.bigEndian
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        try connect(&address)
    }

    init(path: String) throws {
        descriptor = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0)
        var address = unixAddress(path)
        try connect(&address)
    }

    private func connect<Address>(_ address: inout Address) throws {
        let size = socklen_t(MemoryLayout<Address>.size)
        let result = withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { Glibc.connect(descriptor, $0, size) }
        }
        guard result == 0 else { throw SystemError("connect") }
    }

    deinit { close() }

    func close() {
        if isOpen { Glibc.close(descriptor) }
        isOpen = false
    }

    /// Sends all bytes; returns `false` if the server has closed the connection.
    @discardableResult
    func send(_ text: String) -> Bool {
        var rest = Array(text.utf8)[...]
        while !rest.isEmpty {
            let count = rest.withUnsafeBytes { Glibc.send(descriptor, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL)) }
            guard count > 0 else { return false }
            rest = rest.dropFirst(count)
        }
        return true
    }

    /// Receives the available bytes; returns their number.
    @discardableResult
    func take(atMost limit: Int = 1 << 16) -> Int {
        var buffer = [UInt8](repeating: 0, count: limit)
        let count = recv(descriptor, &buffer, limit, Int32(MSG_DONTWAIT))
        if count == 0 || (count < 0 && errno != EAGAIN) { isAtEnd = true }
        guard count > 0 else { return 0 }
        text += String(decoding: buffer[..<count], as: UTF8.self)
        return count
    }

    /// Waits until the received bytes contain `mark` the given number of times.
    func receive(_ mark: String, times: Int = 1) async throws -> Bool {
        try await eventually {
            take()
            return text.components(separatedBy: mark).count > times || isAtEnd
        } && text.components(separatedBy: mark).count > times
    }

    /// Waits until the server closes the connection.
    func receiveAll() async throws -> Bool {
        try await eventually {
            take()
            return isAtEnd
        }
    }
}

/// Opens a listening Unix socket.
func unixListener(_ path: String) throws -> Int32 {
    let descriptor = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
    var address = unixAddress(path)
    let result = withUnsafePointer(to: &address) { pointer in
        pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
            bind(descriptor, $0, socklen_t(MemoryLayout<sockaddr_un>.size))
        }
    }
    guard result == 0, listen(descriptor, 16) == 0 else { throw SystemError("bind") }
    return descriptor
}

private func unixAddress(_ path: String) -> sockaddr_un {
    var address = sockaddr_un()
    address.sun_family = sa_family_t(AF_UNIX)
    withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: path.utf8) }
    return address
}

/// A body that a test provides piece by piece. Confined to the loop, except for `reads`.
final class Pieces: HTTPBodySource {
    enum Piece {
        case text(String)
        case wait, end, cut
        /// The same bytes, without end.
        case endless
    }

    private var pieces: [Piece]
    private let exchange: HTTPExchange
    private let bytes: Locked<Int>

    init(_ pieces: [Piece], _ exchange: HTTPExchange, bytes: Locked<Int> = Locked(0)) {
        self.pieces = pieces
        self.exchange = exchange
        self.bytes = bytes
    }

    func go(on pieces: [Piece]) {
        self.pieces = pieces
        exchange.resume()
    }

    func read(into buffer: UnsafeMutableRawBufferPointer) -> HTTPBodyPart {
        guard let piece = pieces.first else { return .end }
        switch piece {
        case .endless:
            _ = buffer.initializeMemory(as: UInt8.self, repeating: UInt8(ascii: "x"))
            bytes.withLock { $0 += buffer.count }
            return .bytes(buffer.count)
        case .wait: return .pending
        case .end: return .end
        case .cut: return .cut
        case .text(let text):
            pieces.removeFirst()
            buffer.copyBytes(from: text.utf8)
            return .bytes(text.utf8.count)
        }
    }
}

extension HTTPServerLimits {
    /// Limits without timeouts, which a busy machine would exceed.
    static func patient(
        connections: UInt32 = 64, connectionBytes: Int = 32 << 10, bodyBytes: Int = 1 << 20
    ) -> HTTPServerLimits {
        HTTPServerLimits(
            connections: connections, connectionBytes: connectionBytes, bodyBytes: bodyBytes, idleSeconds: nil,
            requestSeconds: nil)
    }
}
