import EventLoop
import Foundation
import Glibc
import TestSupport

/// A ttrpc server on loopback that handles each request as the test's script says, written from docs/wire.md
/// independently of the code under test.
final class ScriptedServer: Sendable {
    /// A request as received.
    struct Request: Sendable {
        var streamID: UInt32 = 0
        var service = ""
        var method = ""
        var payload: [UInt8] = []
        var metadata: [String: String] = [:]
    }

    /// The connection on which a script responds.
    struct Connection: Sendable {
        let descriptor: Int32

        /// Sends the successful response of a unary call.
        func respond(_ request: Request, _ payload: [UInt8]) {
            frame(request, kind: 2, flags: 0, Wire.field(2, payload))
        }

        /// Ends the call with an error.
        func fail(_ request: Request, code: Int32, _ message: String, detail: [UInt8]? = nil) {
            var status = Wire.field(1, UInt64(code)) + Wire.field(2, Array(message.utf8))
            if let detail {
                let type = Array("type.googleapis.com/genwire.v1.ErrorDetail".utf8)
                status += Wire.field(3, Wire.field(1, type) + Wire.field(2, detail))
            }
            frame(request, kind: 2, flags: 0, Wire.field(1, status))
        }

        /// Sends one message of a stream.
        func send(_ request: Request, _ message: [UInt8]) { frame(request, kind: 3, flags: 0, message) }

        /// Ends a stream successfully.
        func finish(_ request: Request) { frame(request, kind: 3, flags: 1 | 4, []) }

        /// Closes the connection.
        func hangUp() { shutdown(descriptor, Int32(SHUT_RDWR)) }

        func raw(_ bytes: [UInt8]) {
            var sent = 0
            while sent < bytes.count {
                let count = bytes[sent...].withUnsafeBytes {
                    Glibc.send(descriptor, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL))
                }
                guard count > 0 else { return }
                sent += count
            }
        }

        private func frame(_ request: Request, kind: UInt8, flags: UInt8, _ data: [UInt8]) {
            raw(Wire.bigEndian(UInt32(data.count)) + Wire.bigEndian(request.streamID) + [kind, flags] + data)
        }
    }

    let address: String
    private let listener: Int32
    private let current = Locked<Int32>(-1)
    private let ended = DispatchSemaphore(value: 0)

    init(_ script: @escaping @Sendable (Request, Connection) -> Void) {
        let (listener, port) = loopbackListener(backlog: 16)
        self.listener = listener
        address = "tcp:127.0.0.1:\(port)"
        Thread { [self] in
            while true {
                let descriptor = accept(listener, nil, nil)
                guard descriptor >= 0 else { break }
                current.withLock { $0 = descriptor }
                let connection = Connection(descriptor: descriptor)
                while let request = Self.request(descriptor) { script(request, connection) }
                current.withLock { $0 = -1 }
                close(descriptor)
            }
            ended.signal()
        }.start()
    }

    /// Closes the connection and waits for the thread.
    func stop() {
        shutdown(listener, Int32(SHUT_RDWR))
        current.withLock { if $0 >= 0 { shutdown($0, Int32(SHUT_RDWR)) } }
        ended.wait()
        close(listener)
    }

    private static func request(_ descriptor: Int32) -> Request? {
        guard let header = read(descriptor, 10) else { return nil }
        let length = header[..<4].reduce(0) { $0 << 8 | Int($1) }
        guard let data = read(descriptor, length) else { return nil }
        var request = Request(streamID: header[4..<8].reduce(0) { $0 << 8 | UInt32($1) })
        for (field, value) in Wire.fields(data) {
            switch field {
            case 1: request.service = String(decoding: value, as: UTF8.self)
            case 2: request.method = String(decoding: value, as: UTF8.self)
            case 3: request.payload = value
            case 5:
                let pair = Dictionary(Wire.fields(value), uniquingKeysWith: { first, _ in first })
                request.metadata[String(decoding: pair[1] ?? [], as: UTF8.self)] =
                    String(decoding: pair[2] ?? [], as: UTF8.self)
            default: break
            }
        }
        return request
    }

    private static func read(_ descriptor: Int32, _ count: Int) -> [UInt8]? {
        var bytes = [UInt8](repeating: 0, count: count)
        var done = 0
        while done < count {
            let got = bytes[done...].withUnsafeMutableBytes { Glibc.read(descriptor, $0.baseAddress, $0.count) }
            guard got > 0 else { return nil }
            done += got
        }
        return bytes
    }
}

/// The part of Protobuf's wire format that the envelope needs.
enum Wire {
    static func bigEndian(_ value: UInt32) -> [UInt8] {
        (0..<4).map { UInt8(truncatingIfNeeded: value >> (24 - 8 * $0)) }
    }

    static func varint(_ value: UInt64) -> [UInt8] {
        value < 0x80 ? [UInt8(value)] : [UInt8(truncatingIfNeeded: value) | 0x80] + varint(value >> 7)
    }

    static func field(_ number: UInt64, _ value: UInt64) -> [UInt8] { varint(number << 3) + varint(value) }

    static func field(_ number: UInt64, _ value: [UInt8]) -> [UInt8] {
        varint(number << 3 | 2) + varint(UInt64(value.count)) + value
    }

    /// The fields of a message; the values of numbers are omitted.
    static func fields(_ bytes: [UInt8]) -> [(UInt64, [UInt8])] {
        var rest = bytes[...]
        func varint() -> UInt64 {
            var (value, shift) = (UInt64(0), UInt64(0))
            while let byte = rest.popFirst() {
                value |= UInt64(byte & 0x7F) << shift
                shift += 7
                if byte < 0x80 { break }
            }
            return value
        }
        var fields: [(UInt64, [UInt8])] = []
        while !rest.isEmpty {
            let tag = varint()
            let value = varint()
            guard tag & 7 == 2 else {
                fields.append((tag >> 3, []))
                continue
            }
            fields.append((tag >> 3, Array(rest.prefix(Int(value)))))
            rest = rest.dropFirst(Int(value))
        }
        return fields
    }
}
