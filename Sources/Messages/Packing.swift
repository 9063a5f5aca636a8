internal import CGenwireProto
internal import CProtobufC

/// Turns values into message bytes and back. Holds one arena; belongs to one loop or thread.
///
/// The generated types have no mirror in Swift: they exist between `unpack` and the value, or between the value and
/// `pack`, and nowhere else. They do not leave this target.
public final class MessageCoder {
    let arena = Arena()

    /// A coder with its own arena.
    public init() {}

    /// Packs a message built in the arena. `body` is given the size and a function that writes that many bytes.
    @inline(__always)
    func pack<T, R>(
        _ message: UnsafeMutablePointer<T>, _ body: (Int, (UnsafeMutableRawPointer) -> Void) -> R
    ) -> R {
        message.withMemoryRebound(to: ProtobufCMessage.self, capacity: 1) { base in
            body(protobuf_c_message_get_packed_size(base)) { out in
                _ = protobuf_c_message_pack(base, out.assumingMemoryBound(to: UInt8.self))
            }
        }
    }

    /// Packs a message built in the arena into an array.
    func packed<T>(_ message: UnsafeMutablePointer<T>) -> [UInt8] {
        pack(message) { size, fill in
            [UInt8](unsafeUninitializedCapacity: size) { buffer, count in
                if let base = buffer.baseAddress, size > 0 { fill(base) }
                count = size
            }
        }
    }
}

/// Where packed bytes go: `size` of them, written by the second argument.
public typealias PackedMessage<R> = (_ size: Int, _ fill: (UnsafeMutableRawPointer) -> Void) -> R
