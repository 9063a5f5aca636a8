internal import CGenwireProto
internal import CProtobufC
internal import Glibc

/// The memory of one message while it is read or built: a bump allocator with a budget, emptied in one step.
///
/// protobuf-c asks for every field's memory separately and never says how much will come; a hostile 4 MiB message of
/// tiny fields costs it 45 times its size. Here such a message runs into the budget and reading it fails.
///
/// One arena a loop is enough, since a message is turned into values, or packed, before the loop does anything else.
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
    /// The most pieces that a message is read into; each costs a call.
    private static let maximumPieces = 131_072

    init() {
        cursor = first
        left = Self.blockSize
    }

    /// Whether it holds more than its first block.
    var hasExtraMemory: Bool { !more.isEmpty }

    deinit {
        first.deallocate()
        for block in more { block.deallocate() }
    }

    /// Forgets everything that was allocated.
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

    /// `nil` if the budget is exhausted.
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

    // MARK: - Building

    /// Uninitialised memory for `count` values. Building has no budget, so there is always some.
    func array<T>(_ type: T.Type, count: Int) -> UnsafeMutablePointer<T> {
        guard let memory = allocate(MemoryLayout<T>.stride * count) else {
            preconditionFailure("an arena without a budget ran out")
        }
        return memory.bindMemory(to: type, capacity: count)
    }

    /// One message, initialised by its own `__init` function.
    func message<T>(_ type: T.Type, _ initialise: (UnsafeMutablePointer<T>) -> Void) -> UnsafeMutablePointer<T> {
        let pointer = array(type, count: 1)
        initialise(pointer)
        return pointer
    }

    /// A copy of a text's bytes.
    func bytes(_ text: String) -> ProtobufCBinaryData {
        guard !text.isEmpty else { return ProtobufCBinaryData() }
        var text = text
        return text.withUTF8 { copy(UnsafeRawBufferPointer($0)) }
    }

    /// A copy of bytes.
    func bytes(_ bytes: [UInt8]) -> ProtobufCBinaryData {
        bytes.isEmpty ? ProtobufCBinaryData() : bytes.withUnsafeBytes { copy($0) }
    }

    private func copy(_ bytes: UnsafeRawBufferPointer) -> ProtobufCBinaryData {
        let memory = array(UInt8.self, count: bytes.count)
        if let base = bytes.baseAddress { memcpy(memory, base, bytes.count) }
        return ProtobufCBinaryData(len: bytes.count, data: memory)
    }

    /// The pointer array of a repeated message field.
    func pointers<Element, T>(
        _ elements: [Element], _ make: (Element) -> UnsafeMutablePointer<T>
    ) -> UnsafeMutablePointer<UnsafeMutablePointer<T>?>? {
        guard !elements.isEmpty else { return nil }
        let pointers = array(UnsafeMutablePointer<T>?.self, count: elements.count)
        for (index, element) in elements.enumerated() { (pointers + index).initialize(to: make(element)) }
        return pointers
    }

    /// The array of a repeated text field.
    func texts(_ texts: [String]) -> UnsafeMutablePointer<ProtobufCBinaryData>? {
        guard !texts.isEmpty else { return nil }
        let array = array(ProtobufCBinaryData.self, count: texts.count)
        for (index, text) in texts.enumerated() { (array + index).initialize(to: bytes(text)) }
        return array
    }

    /// The array of a repeated number field.
    func numbers(_ numbers: [Float]) -> UnsafeMutablePointer<Float>? {
        guard !numbers.isEmpty else { return nil }
        let array = array(Float.self, count: numbers.count)
        numbers.withUnsafeBufferPointer { source in
            guard let base = source.baseAddress else { return }
            array.initialize(from: base, count: source.count)
        }
        return array
    }

    // MARK: - Reading

    /// Lets protobuf-c read a message of the type `T`, which `descriptor` describes, into the arena. The result lives
    /// until the next `reset`; nothing is freed on its own.
    ///
    /// `nil`, with nothing kept, if the bytes are not such a message or contain far more fields than allowed.
    func unpack<T>(
        _ bytes: UnsafeRawBufferPointer, _ descriptor: UnsafePointer<ProtobufCMessageDescriptor>
    ) -> UnsafeMutablePointer<T>? {
        // An honest message needs a few times its own size; the fixed part covers many small messages.
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

/// A message that cannot be read, and why.
public struct MessageError: Error, Sendable, Equatable, CustomStringConvertible {
    /// What is wrong with it.
    public let description: String

    init(_ description: String) { self.description = description }
}

extension ProtobufCBinaryData {
    /// The text that the bytes spell.
    /// - Parameter limit: the most bytes.
    /// - Throws: `MessageError` if they are not UTF-8 or exceed the limit. NUL is text like any other.
    func text(_ field: StaticString, atMost limit: Int = .max) throws(MessageError) -> String {
        guard len > 0 else { return "" }
        guard len <= limit else { throw MessageError("\(field) has \(len) bytes; at most \(limit) are allowed") }
        guard let text = String(validating: UnsafeBufferPointer(start: data, count: len), as: UTF8.self) else {
            throw MessageError("\(field) is not valid UTF-8")
        }
        return text
    }

    /// A copy of the bytes.
    var array: [UInt8] { len > 0 ? [UInt8](UnsafeBufferPointer(start: data, count: len)) : [] }
}
