internal import EventLoop
internal import Foundation
internal import Glibc

/// A small HTTP server on loopback for one test: one thread per connection, scripted by the test.
public final class TestServer: Sendable {
    private struct State {
        var open: Set<Int32> = []
        var accepted = 0
        var closedByPeer = 0
        var isStopped = false
    }

    /// The port it listens on.
    public let port: UInt16
    private let listener: Int32
    private let state = Locked(State())
    private let threads = DispatchGroup()

    /// Starts a server that calls `handler` on a separate thread for each connection.
    public init(_ handler: @escaping @Sendable (TestConnection) -> Void) {
        (listener, port) = loopbackListener(backlog: 1024)
        threads.enter()
        Self.thread { [self] in
            while true {
                let fd = accept(listener, nil, nil)
                guard fd >= 0 else { break }
                let isStopped = state.withLock { state in
                    if !state.isStopped {
                        state.open.insert(fd)
                        state.accepted += 1
                    }
                    return state.isStopped
                }
                if isStopped {
                    close(fd)
                    break
                }
                var one: Int32 = 1
                setsockopt(fd, Int32(IPPROTO_TCP), TCP_NODELAY, &one, 4)
                threads.enter()
                Self.thread { [self] in
                    let connection = TestConnection(fd)
                    handler(connection)
                    state.withLock { state in
                        state.open.remove(fd)
                        if connection.sawEnd { state.closedByPeer += 1 }
                        close(fd)
                    }
                    threads.leave()
                }
            }
            threads.leave()
        }
    }

    private static func thread(_ body: @escaping @Sendable () -> Void) {
        let thread = Thread(block: body)
        thread.stackSize = 256 << 10
        thread.start()
    }

    /// Returns the URL of a path.
    public func url(_ path: String = "/") -> String { "http://127.0.0.1:\(port)\(path)" }

    /// The number of connections so far.
    public var accepted: Int { state.withLock { $0.accepted } }

    /// The number of connections whose end the handler has seen.
    public var closedByPeer: Int { state.withLock { $0.closedByPeer } }

    /// Closes every connection and waits for the threads.
    public func stop() {
        state.withLock { state in
            state.isStopped = true
            for fd in state.open { shutdown(fd, Int32(SHUT_RDWR)) }
        }
        shutdown(listener, Int32(SHUT_RDWR))
        threads.wait()
        close(listener)
    }
}

/// The server's end of one connection. Confined to its thread.
public final class TestConnection {
    private let fd: Int32
    private var buffer: [UInt8] = []
    private(set) var sawEnd = false
    /// The number of bytes passed to the kernel.
    public private(set) var sent = 0

    init(_ fd: Int32) { self.fd = fd }

    /// Reads the next request's headers and body; returns `nil` if the client closed the connection.
    public func request() -> (head: String, body: [UInt8])? {
        let mark = Array("\r\n\r\n".utf8)
        while true {
            if let end = Self.find(mark, in: buffer) {
                let head = String(decoding: buffer[..<end], as: UTF8.self)
                let length = head.split(separator: "\r\n").first { $0.lowercased().hasPrefix("content-length:") }
                    .flatMap { Int($0.split(separator: ":")[1].trimmingCharacters(in: .whitespaces)) }
                let total = end + 4 + (length ?? 0)
                while buffer.count < total { guard fill() else { return nil } }
                let body = Array(buffer[(end + 4)..<total])
                buffer.removeFirst(total)
                return (head, body)
            }
            guard fill() else { return nil }
        }
    }

    /// Sends all bytes, blocking; returns `false` if the client has disconnected.
    @discardableResult
    public func send(_ bytes: [UInt8]) -> Bool {
        var offset = 0
        while offset < bytes.count {
            let count = bytes.withUnsafeBytes {
                Glibc.send(fd, $0.baseAddress! + offset, $0.count - offset, Int32(MSG_NOSIGNAL))
            }
            guard count > 0 else { return false }
            offset += count
            sent += count
        }
        return true
    }

    /// Sends a text as UTF-8.
    @discardableResult
    public func send(_ text: String) -> Bool { send(Array(text.utf8)) }

    /// Sends a complete response and keeps the connection open.
    public func answer(_ body: String, status: String = "200 OK", headers: String = "") {
        send("HTTP/1.1 \(status)\r\nContent-Length: \(body.utf8.count)\r\n\(headers)\r\n\(body)")
    }

    /// Waits until the client has sent something, without reading it: the connection is reset when the handler ends.
    /// Returns `false` if the client closed the connection instead.
    @discardableResult
    public func waitForBytes() -> Bool {
        var descriptor = pollfd(fd: fd, events: Int16(POLLIN), revents: 0)
        var byte: UInt8 = 0
        guard poll(&descriptor, 1, -1) == 1, recv(fd, &byte, 1, Int32(MSG_PEEK)) == 1 else { return false }
        var reset = linger(l_onoff: 1, l_linger: 0)
        setsockopt(fd, SOL_SOCKET, SO_LINGER, &reset, socklen_t(MemoryLayout<linger>.size))
        return true
    }

    /// Shuts down both directions; a client that reads sees the end from now on.
    public func hangUp() { shutdown(fd, Int32(SHUT_RDWR)) }

    /// Waits until the client closes the connection.
    public func waitForEnd() { while fill() {} }

    private func fill() -> Bool {
        var chunk = [UInt8](repeating: 0, count: 64 << 10)
        let count = read(fd, &chunk, chunk.count)
        guard count > 0 else {
            sawEnd = true
            return false
        }
        buffer.append(contentsOf: chunk[..<count])
        return true
    }

    private static func find(_ mark: [UInt8], in bytes: [UInt8]) -> Int? {
        guard bytes.count >= mark.count else { return nil }
        return (0...(bytes.count - mark.count)).first { bytes[$0..<($0 + mark.count)].elementsEqual(mark) }
    }
}

/// Opens a listening socket on a free loopback port.
public func loopbackListener(backlog: Int32) -> (fd: Int32, port: UInt16) {
    let fd = socket(AF_INET, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
    var length = socklen_t(MemoryLayout<sockaddr_in>.size)
    withUnsafeMutablePointer(to: &address) { pointer in
        pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
            precondition(bind(fd, $0, length) == 0)
            if backlog >= 0 { precondition(listen(fd, backlog) == 0) }
            getsockname(fd, $0, &length)
        }
    }
    return (fd, UInt16(bigEndian: address.sin_port))
}
