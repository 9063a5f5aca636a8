/// A contiguous buffer of output bytes: appended at the tail, consumed from the head.
///
/// An empty buffer frees its memory unless it is small, so an idle connection uses almost no memory.
package struct OutputBuffer: ~Copyable {
    private static let smallCapacity = 1024

    private var base: UnsafeMutableRawPointer?
    private var capacity = 0
    private var head = 0
    private var tail = 0

    /// Creates an empty buffer without allocating memory.
    package init() {}

    deinit { base?.deallocate() }

    /// The number of waiting bytes.
    package var count: Int { tail - head }

    /// Whether no bytes are waiting.
    package var isEmpty: Bool { tail == head }

    /// The waiting bytes. Valid until the next mutation.
    package var readable: UnsafeRawBufferPointer {
        guard let base else { return UnsafeRawBufferPointer(start: nil, count: 0) }
        return UnsafeRawBufferPointer(start: base + head, count: count)
    }

    /// Appends `count` uninitialized bytes and returns them for writing. Valid until the next mutation.
    package mutating func append(count: Int) -> UnsafeMutableRawBufferPointer {
        if tail + count > capacity { makeRoom(for: count) }
        // `base` is nil only for a zero-length append to a buffer without memory.
        guard let base else { return UnsafeMutableRawBufferPointer(start: nil, count: 0) }
        let start = base + tail
        tail += count
        return UnsafeMutableRawBufferPointer(start: start, count: count)
    }

    /// Appends a copy of `bytes`.
    package mutating func append(_ bytes: UnsafeRawBufferPointer) {
        guard !bytes.isEmpty else { return }
        append(count: bytes.count).copyMemory(from: bytes)
    }

    /// Removes `count` bytes from the head.
    package mutating func consume(_ count: Int) {
        precondition(count <= self.count, "more bytes consumed than available")
        head += count
        guard head == tail else { return }
        head = 0
        tail = 0
        if capacity > Self.smallCapacity {
            base?.deallocate()
            base = nil
            capacity = 0
        }
    }

    /// Removes all bytes and frees the memory.
    package mutating func removeAll() {
        base?.deallocate()
        base = nil
        capacity = 0
        head = 0
        tail = 0
    }

    private mutating func makeRoom(for added: Int) {
        let needed = count + added
        if needed <= capacity, head >= capacity / 2 {
            // Enough bytes are free at the head that moving is cheaper than growing.
            base?.copyMemory(from: readable.baseAddress ?? UnsafeRawPointer(base!), byteCount: count)
        } else {
            let newCapacity = max(256, needed + needed / 2)
            let new = UnsafeMutableRawPointer.allocate(byteCount: newCapacity, alignment: 16)
            if let base {
                new.copyMemory(from: base + head, byteCount: count)
                base.deallocate()
            }
            base = new
            capacity = newCapacity
        }
        tail -= head
        head = 0
    }
}
