internal import CGenwireProto
internal import CProtobufC
internal import Glibc

/// The memory of one message while it is decoded or encoded: a bump allocator with a budget, reset in one step.
///
/// protobuf-c allocates the memory of every field separately, without a limit: a hostile 4 MiB message of tiny fields
/// needs 45 times its size. Decoding such a message fails as soon as it exceeds the budget.
///
/// One arena per loop is enough, because a message is decoded or encoded before the loop does anything else.
final class Arena {
    private static let blockSize = 32 << 10
    private static let alignment = 16

    private let first = UnsafeMutableRawPointer.allocate(byteCount: blockSize, alignment: alignment)
    private var more: [UnsafeMutableRawPointer] = []
    private var cursor: UnsafeMutableRawPointer
    private var left: Int
    private var spent = 0
    private var budget = Int.max
    private var pieces = 0
    /// Maximum number of allocations when decoding one message.
    private static let maximumPieces = 131_072

    init() {
        cursor = first
        left = Self.blockSize
    }

    /// Whether blocks beyond the first one are allocated.
    var hasExtraMemory: Bool { !more.isEmpty }

    deinit {
        first.deallocate()
        for block in more { block.deallocate() }
    }

    /// Invalidates every allocation and frees all blocks but the first.
    func reset(budget: Int = Int.max) {
        if !more.isEmpty {
            for block in more { block.deallocate() }
            more.removeAll(keepingCapacity: true)
        }
        cursor = first
        left = Self.blockSize
        spent = 0
        pieces = 0
        self.budget = budget
    }

    /// Returns uninitialised memory, `nil` if the budget is exhausted.
    func allocate(_ size: Int) -> UnsafeMutableRawPointer? {
        let rounded = (max(size, 1) + Self.alignment - 1) & ~(Self.alignment - 1)
        guard rounded <= budget - spent else { return nil }
        spent += rounded
        if rounded > left {
            let block = max(Self.blockSize, rounded)
            cursor = UnsafeMutableRawPointer.allocate(byteCount: block, alignment: Self.alignment)
            more.append(cursor)
            left = block
        }
        defer {
            cursor += rounded
            left -= rounded
        }
        return cursor
    }

    // MARK: - Encoding

    /// Returns uninitialised memory for `count` values. Encoding has no budget, so this never fails.
    func array<T>(_ type: T.Type, count: Int) -> UnsafeMutablePointer<T> {
        guard let memory = allocate(MemoryLayout<T>.stride * count) else {
            preconditionFailure("an arena without a budget ran out")
        }
        return memory.bindMemory(to: type, capacity: count)
    }

    /// Allocates a message and initialises it with its generated `__init` function.
    func message<T>(_ type: T.Type, _ initialise: (UnsafeMutablePointer<T>) -> Void) -> UnsafeMutablePointer<T> {
        let pointer = array(type, count: 1)
        initialise(pointer)
        return pointer
    }

    /// Copies the text's UTF-8 bytes into the arena.
    func bytes(_ text: String) -> ProtobufCBinaryData {
        guard !text.isEmpty else { return ProtobufCBinaryData() }
        var text = text
        return text.withUTF8 { copy(UnsafeRawBufferPointer($0)) }
    }

    /// Copies bytes into the arena.
    func bytes(_ bytes: [UInt8]) -> ProtobufCBinaryData {
        bytes.isEmpty ? ProtobufCBinaryData() : bytes.withUnsafeBytes { copy($0) }
    }

    private func copy(_ bytes: UnsafeRawBufferPointer) -> ProtobufCBinaryData {
        let memory = array(UInt8.self, count: bytes.count)
        if let base = bytes.baseAddress { memcpy(memory, base, bytes.count) }
        return ProtobufCBinaryData(len: bytes.count, data: memory)
    }

    /// Allocates the pointer array of a repeated message field.
    func pointers<Element, T>(
        _ elements: [Element], _ make: (Element) -> UnsafeMutablePointer<T>
    ) -> UnsafeMutablePointer<UnsafeMutablePointer<T>?>? {
        guard !elements.isEmpty else { return nil }
        let pointers = array(UnsafeMutablePointer<T>?.self, count: elements.count)
        for (index, element) in elements.enumerated() { (pointers + index).initialize(to: make(element)) }
        return pointers
    }

    /// Allocates the array of a repeated string field; `nil` for an empty one.
    func texts(_ texts: [String]) -> UnsafeMutablePointer<ProtobufCBinaryData>? {
        guard !texts.isEmpty else { return nil }
        let array = array(ProtobufCBinaryData.self, count: texts.count)
        for (index, text) in texts.enumerated() { (array + index).initialize(to: bytes(text)) }
        return array
    }

    /// Allocates the array of a repeated number field; `nil` for an empty one.
    func numbers(_ numbers: [Float]) -> UnsafeMutablePointer<Float>? {
        guard !numbers.isEmpty else { return nil }
        let array = array(Float.self, count: numbers.count)
        numbers.withUnsafeBufferPointer { source in
            guard let base = source.baseAddress else { return }
            array.initialize(from: base, count: source.count)
        }
        return array
    }

    // MARK: - Decoding

    /// Decodes a message of the type `T`, which `descriptor` describes, into the arena. The result is valid until the
    /// next `reset`; its fields are not freed separately.
    ///
    /// Returns `nil`, with the arena empty, if the bytes are malformed or need more memory or allocations than allowed.
    func unpack<T>(
        _ bytes: UnsafeRawBufferPointer, _ descriptor: UnsafePointer<ProtobufCMessageDescriptor>
    ) -> UnsafeMutablePointer<T>? {
        // A legitimate message needs a few times its own size; the fixed part covers many small messages.
        reset(budget: (8 << 20) + bytes.count * 4)
        var allocator = ProtobufCAllocator(
            alloc: { context, size in
                guard let context else { return nil }
                let arena = Unmanaged<Arena>.fromOpaque(context).takeUnretainedValue()
                arena.pieces += 1
                return arena.pieces <= Arena.maximumPieces ? arena.allocate(size) : nil
            },
            free: { _, _ in },
            allocator_data: Unmanaged.passUnretained(self).toOpaque())
        let message = protobuf_c_message_unpack(
            descriptor, &allocator, bytes.count, bytes.baseAddress?.assumingMemoryBound(to: UInt8.self))
        if message == nil { reset() }
        return message.map { UnsafeMutableRawPointer($0).assumingMemoryBound(to: T.self) }
    }
}

/// An error of decoding a message, for example malformed bytes or a field that exceeds its limit.
public struct MessageError: Error, Sendable, Equatable, CustomStringConvertible {
    /// What is wrong, with the field's path if one field is the cause.
    public let description: String

    init(_ description: String) { self.description = description }
}

extension ProtobufCBinaryData {
    /// Decodes the bytes as UTF-8.
    /// - Parameter limit: maximum number of bytes accepted.
    /// - Throws: `MessageError` if they are not UTF-8 or exceed the limit. NUL bytes are accepted.
    func text(_ field: StaticString, atMost limit: Int = .max) throws(MessageError) -> String {
        guard len > 0 else { return "" }
        guard len <= limit else { throw MessageError("\(field) has \(len) bytes; at most \(limit) are allowed") }
        guard let text = String(validating: UnsafeBufferPointer(start: data, count: len), as: UTF8.self) else {
            throw MessageError("\(field) is not valid UTF-8")
        }
        return text
    }

    /// The bytes, copied out of the arena.
    var array: [UInt8] { len > 0 ? [UInt8](UnsafeBufferPointer(start: data, count: len)) : [] }
}
