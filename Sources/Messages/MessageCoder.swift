internal import CGenwireProto
internal import CProtobufC

/// Turns values into message bytes and back. Holds one arena; belongs to one loop or thread.
///
/// The generated types have no mirror in Swift: they exist between `unpack` and the value, or between the value and
/// `pack`, and nowhere else. They do not leave this target. Each message has a file with its value, its fields and the
/// functions of this class that read, pack and describe it.
public final class MessageCoder {
    let arena = Arena()

    /// A coder with its own arena.
    public init() {}

    /// Reads a message of the generated type and gives its memory back.
    /// - Throws: `MessageError` if the bytes are malformed.
    func withMessage<Wire, R>(
        _ bytes: UnsafeRawBufferPointer, _ initialise: (UnsafeMutablePointer<Wire>) -> Void,
        _ body: (UnsafeMutablePointer<Wire>) throws(MessageError) -> R
    ) throws(MessageError) -> R {
        let descriptor = Self.descriptor(initialise)
        guard let message: UnsafeMutablePointer<Wire> = arena.unpack(bytes, descriptor) else {
            throw MessageError("the bytes are not a readable \(String(cString: descriptor.pointee.short_name))")
        }
        defer { arena.reset() }
        return try body(message)
    }

    /// Reads the message of a value.
    func read<V: WireValue>(_ type: V.Type, _ bytes: UnsafeRawBufferPointer) throws(MessageError) -> V {
        try withMessage(bytes, V.initialise) { wire throws(MessageError) in try V.read(wire, Reader()) }
    }

    /// Packs the message of a value.
    func pack<V: WireValue, R>(_ value: V, _ body: PackedMessage<R>) -> R {
        arena.reset()
        return pack(Writer(arena: arena).message(of: value), body)
    }

    /// The packed message of a value.
    func bytes<V: WireValue>(_ value: V) -> [UInt8] {
        arena.reset()
        return packed(Writer(arena: arena).message(of: value))
    }

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

    /// The description of a generated type, which its empty message points to.
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

/// Where packed bytes go: `size` of them, written by the second argument.
public typealias PackedMessage<R> = (_ size: Int, _ fill: (UnsafeMutableRawPointer) -> Void) -> R
