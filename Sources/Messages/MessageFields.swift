internal import CGenwireProto
internal import CProtobufC

/// A visitor of a message's fields, for example a JSON writer. It receives the name of each field in the contract and
/// its value, in the order of the field numbers.
package protocol MessageVisitor {
    /// A message begins.
    mutating func beginObject()
    /// The message ends.
    mutating func endObject()
    /// A repeated field begins.
    mutating func beginArray()
    /// The repeated field ends.
    mutating func endArray()
    /// A field's name; its value follows.
    mutating func key(_ name: String)
    /// The value of a string field, or the name of an enum value.
    mutating func string(_ text: String)
    /// The value of a `bytes` field.
    mutating func data(_ bytes: [UInt8])
    /// An integer, or the number of an enum value without a name.
    mutating func int(_ value: some BinaryInteger)
    /// The value of a `double` or `float` field.
    mutating func double(_ value: Double)
    /// The value of a `bool` field.
    mutating func bool(_ value: Bool)
}

extension MessageCoder {
    /// Describes every field of a value's message to `visitor`, without `beginObject` and `endObject` around them.
    func describe<V: WireValue>(fieldsOf value: V, to visitor: inout some MessageVisitor) {
        arena.reset()
        defer { arena.reset() }
        MessageFields.describe(Writer(arena: arena).message(of: value), to: &visitor)
    }
}

/// Visits the fields of messages by protobuf-c's descriptors, so that no field of the contract can be left out.
///
/// Fields without presence are always visited, even if empty; messages and members of a oneof only if they are set.
/// The number of visits is bounded: a decoded message contains at most `Arena.maximumPieces` messages.
enum MessageFields {
    /// Maximum nesting depth of messages. The contract needs a sixth of this; only a mistake in it, a recursive
    /// message, could exceed the limit.
    static let maximumDepth = 32

    /// Describes every field of a message, whose type must begin with a `ProtobufCMessage`, to `visitor`.
    static func describe(_ message: UnsafeMutableRawPointer, to visitor: inout some MessageVisitor, depth: Int = 0) {
        precondition(depth < maximumDepth, "messages nest deeper than \(maximumDepth)")
        let base = UnsafeRawPointer(message)
        guard let descriptor = base.assumingMemoryBound(to: ProtobufCMessage.self).pointee.descriptor else { return }
        let fields = UnsafeBufferPointer(start: descriptor.pointee.fields, count: Int(descriptor.pointee.n_fields))
        for field in fields {
            let place = base + Int(field.offset)
            if field.label == PROTOBUF_C_LABEL_REPEATED {
                let count = base.load(fromByteOffset: Int(field.quantifier_offset), as: Int.self)
                visitor.key(String(cString: field.name))
                visitor.beginArray()
                if count > 0, let first = place.load(as: UnsafeRawPointer?.self) {
                    for index in 0..<count {
                        describeValue(first + index * stride(field.type), field, of: descriptor, to: &visitor, depth)
                    }
                }
                visitor.endArray()
            } else if isPresent(field, in: base) {
                visitor.key(String(cString: field.name))
                describeValue(place, field, of: descriptor, to: &visitor, depth)
            }
        }
    }

    /// The name of an enum value in the contract; `nil` if it has none.
    static func name(_ value: Int32, in descriptor: ProtobufCEnumDescriptor) -> String? {
        let values = UnsafeBufferPointer(start: descriptor.values, count: Int(descriptor.n_values))
        return values.first { $0.value == value }.map { String(cString: $0.name) }
    }

    private static func isPresent(_ field: ProtobufCFieldDescriptor, in message: UnsafeRawPointer) -> Bool {
        if field.flags & UInt32(PROTOBUF_C_FIELD_FLAG_ONEOF.rawValue) != 0 {
            return message.load(fromByteOffset: Int(field.quantifier_offset), as: UInt32.self) == field.id
        }
        guard field.type == PROTOBUF_C_TYPE_MESSAGE else { return true }
        return message.load(fromByteOffset: Int(field.offset), as: UnsafeRawPointer?.self) != nil
    }

    private static func describeValue(
        _ place: UnsafeRawPointer, _ field: ProtobufCFieldDescriptor,
        of message: UnsafePointer<ProtobufCMessageDescriptor>, to visitor: inout some MessageVisitor, _ depth: Int
    ) {
        switch field.type {
        case PROTOBUF_C_TYPE_INT32, PROTOBUF_C_TYPE_SINT32, PROTOBUF_C_TYPE_SFIXED32:
            visitor.int(place.load(as: Int32.self))
        case PROTOBUF_C_TYPE_UINT32, PROTOBUF_C_TYPE_FIXED32: visitor.int(place.load(as: UInt32.self))
        case PROTOBUF_C_TYPE_INT64, PROTOBUF_C_TYPE_SINT64, PROTOBUF_C_TYPE_SFIXED64:
            visitor.int(place.load(as: Int64.self))
        case PROTOBUF_C_TYPE_UINT64, PROTOBUF_C_TYPE_FIXED64: visitor.int(place.load(as: UInt64.self))
        case PROTOBUF_C_TYPE_FLOAT: visitor.double(Double(place.load(as: Float.self)))
        case PROTOBUF_C_TYPE_DOUBLE: visitor.double(place.load(as: Double.self))
        case PROTOBUF_C_TYPE_BOOL: visitor.bool(place.load(as: protobuf_c_boolean.self) != 0)
        case PROTOBUF_C_TYPE_ENUM:
            let value = place.load(as: Int32.self)
            let descriptor = field.descriptor.assumingMemoryBound(to: ProtobufCEnumDescriptor.self)
            if let name = name(value, in: descriptor.pointee) { visitor.string(name) } else { visitor.int(value) }
        case PROTOBUF_C_TYPE_MESSAGE:
            visitor.beginObject()
            if let inner = place.load(as: UnsafeMutableRawPointer?.self) {
                describe(inner, to: &visitor, depth: depth + 1)
            }
            visitor.endObject()
        case PROTOBUF_C_TYPE_BYTES:
            let data = place.load(as: ProtobufCBinaryData.self)
            // The bindings declare every `string` field as bytes (scripts/proto.sh).
            if gw_field_is_bytes(message, field.id) != 0 {
                visitor.data(data.array)
            } else {
                visitor.string(String(decoding: UnsafeBufferPointer(start: data.data, count: data.len), as: UTF8.self))
            }
        default: preconditionFailure("the contract has a field of an unknown type")
        }
    }

    /// The distance between two elements of a repeated field, in bytes.
    private static func stride(_ type: ProtobufCType) -> Int {
        switch type {
        case PROTOBUF_C_TYPE_INT64, PROTOBUF_C_TYPE_SINT64, PROTOBUF_C_TYPE_SFIXED64, PROTOBUF_C_TYPE_UINT64,
            PROTOBUF_C_TYPE_FIXED64, PROTOBUF_C_TYPE_DOUBLE, PROTOBUF_C_TYPE_MESSAGE:
            8
        case PROTOBUF_C_TYPE_BYTES: MemoryLayout<ProtobufCBinaryData>.stride
        default: 4
        }
    }
}
