import Glibc
import Testing

@testable import RPC

/// A caller that writes its frames byte by byte on a blocking socket, so that it can do what no client would.
final class RawCaller {
    private let descriptor: Int32
    private var decoder = FrameDecoder(maximumLength: FrameHeader.maximumLength)
    private var waiting: [(header: FrameHeader, data: [UInt8])] = []
    private var isAtEnd = false

    convenience init(_ address: Address) throws { self.init(try ClientConnection.connect(to: address)) }

    /// Takes ownership of a connected socket.
    init(_ descriptor: Int32) {
        self.descriptor = descriptor
        _ = fcntl(descriptor, F_SETFL, fcntl(descriptor, F_GETFL) & ~O_NONBLOCK)
        var patience = timeval(tv_sec: 120, tv_usec: 0)
        setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &patience, socklen_t(MemoryLayout<timeval>.size))
    }

    deinit { close(descriptor) }

    /// Encodes a request frame.
    static func request(
        _ method: String, _ payload: [UInt8] = [], streamID: UInt32, timeoutNanoseconds: Int64 = 0, token: String? = nil
    ) -> [UInt8] {
        var envelope = RequestEnvelope.encode(
            service: "test.Test", method: method, payload: payload, timeoutNanoseconds: timeoutNanoseconds,
            metadata: token.map { [(key: "authorization", value: "Bearer " + $0)] } ?? [])
        if timeoutNanoseconds < 0 {
            envelope.append(4 << 3)
            Protobuf.append(varint: UInt64(bitPattern: timeoutNanoseconds), to: &envelope)
        }
        var frame = [UInt8](repeating: 0, count: FrameHeader.size)
        frame.withUnsafeMutableBytes {
            FrameHeader(length: envelope.count, streamID: streamID, kind: FrameHeader.Kind.request, flags: 0)
                .write(to: $0)
        }
        return frame + envelope
    }

    /// Writes bytes; ignores errors if the server no longer accepts them.
    func write(_ bytes: some Sequence<UInt8>) {
        let bytes = Array(bytes)
        var sent = 0
        while sent < bytes.count {
            let count = bytes[sent...].withUnsafeBytes {
                send(descriptor, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL))
            }
            guard count > 0 else { return }
            sent += count
        }
    }

    /// Reads the next response; `nil` if the server closed the connection or sent nothing for 30 seconds.
    func response() -> (streamID: UInt32, status: Status)? {
        var buffer = [UInt8](repeating: 0, count: 64 << 10)
        while waiting.isEmpty, !isAtEnd {
            let count = read(descriptor, &buffer, buffer.count)
            guard count > 0 else {
                isAtEnd = true
                break
            }
            buffer.withUnsafeBytes { raw in
                decoder.consume(UnsafeRawBufferPointer(rebasing: raw[..<count])) { event in
                    if case .frame(let header, let data) = event { waiting.append((header, Array(data))) }
                    return true
                }
            }
        }
        guard !waiting.isEmpty else { return nil }
        let (header, data) = waiting.removeFirst()
        guard let (status, _) = data.withUnsafeBytes({ ResponseEnvelope.read($0) }) else { return nil }
        return (header.streamID, status)
    }

    /// Whether the server closes the connection, possibly after further responses.
    func isClosed() -> Bool {
        while response() != nil {}
        return isAtEnd
    }
}
