internal import CGenwireProto
internal import CProtobufC

/// Encodes and decodes messages. Owns one arena and is confined to one loop or thread.
///
/// The generated C types exist only between `unpack` and the Swift value, or between the value and `pack`, and are not
/// visible outside this target. Each message has a file with its value, its field map and the functions of this class
/// that decode, encode and describe it.
public final class MessageCoder {
    let arena = Arena()

    /// Creates a coder with its own arena.
    public init() {}

    /// Calls `body` with a decoded message of the generated type, then frees the message's memory.
    /// - Throws: `MessageError` if the bytes are malformed.
    func withMessage<Wire, R>(
        _ bytes: UnsafeRawBufferPointer, _ initialise: (UnsafeMutablePointer<Wire>) -> Void,
        _ body: (UnsafeMutablePointer<Wire>) throws(MessageError) -> R
    ) throws(MessageError) -> R {
        let descriptor = Self.descriptor(initialise)
        guard let message: UnsafeMutablePointer<Wire> = arena.unpack(bytes, descriptor) else {
            throw MessageError("the bytes are not a valid \(String(cString: descriptor.pointee.short_name))")
        }
        defer { arena.reset() }
        return try body(message)
    }

    /// Decodes a value from its message.
    func read<V: WireValue>(_ type: V.Type, _ bytes: UnsafeRawBufferPointer) throws(MessageError) -> V {
        try withMessage(bytes, V.initialise) { wire throws(MessageError) in try V.read(wire, Reader()) }
    }

    /// Encodes a value as its message.
    func pack<V: WireValue, R>(_ value: V, _ body: PackedMessage<R>) -> R {
        arena.reset()
        return pack(Writer(arena: arena).message(of: value), body)
    }

    /// Encodes a value as its message, into an array.
    func bytes<V: WireValue>(_ value: V) -> [UInt8] {
        arena.reset()
        return packed(Writer(arena: arena).message(of: value))
    }

    /// Encodes a message built in the arena. `body` receives the size and a function that writes that many bytes.
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

    /// Encodes a message built in the arena, into an array.
    func packed<T>(_ message: UnsafeMutablePointer<T>) -> [UInt8] {
        pack(message) { size, fill in
            [UInt8](unsafeUninitializedCapacity: size) { buffer, count in
                if let base = buffer.baseAddress, size > 0 { fill(base) }
                count = size
            }
        }
    }

    /// The protobuf-c descriptor of a generated type, taken from an empty message.
    static func descriptor<Wire>(
        _ initialise: (UnsafeMutablePointer<Wire>) -> Void
    ) -> UnsafePointer<ProtobufCMessageDescriptor> {
        withUnsafeTemporaryAllocation(of: Wire.self, capacity: 1) { buffer in
            guard let pointer = buffer.baseAddress else { preconditionFailure("no memory for one message") }
            initialise(pointer)
            return UnsafeRawPointer(pointer).assumingMemoryBound(to: ProtobufCMessage.self).pointee.descriptor
        }
    }
}

/// Receives an encoded message: its size, and a function that writes that many bytes to the given address.
public typealias PackedMessage<R> = (_ size: Int, _ fill: (UnsafeMutableRawPointer) -> Void) -> R
