internal import Glibc

/// A server-sent event, or a line that is not part of one. The buffers are valid only during the callback.
package struct SSEEvent {
    /// The value of the `event:` field; empty if there is none.
    package let name: UnsafeRawBufferPointer
    /// The values of the `data:` lines, joined by LF.
    package let data: UnsafeRawBufferPointer
    /// Whether `data` is a line that is not a field: some vendors send a bare JSON error in the middle of a stream.
    package let isStray: Bool
}

/// Thrown if an event exceeds the size limit.
package struct SSEError: Error, Sendable, Equatable, CustomStringConvertible {
    /// The limit that was exceeded.
    package let description: String
}

/// Parses a byte stream into server-sent events, however it is split into slices.
///
/// Accepts LF, CRLF and lone CR, comments, unknown fields, a byte order mark, and a last event without its blank line.
/// An event within a single slice, the usual case, is passed on without a copy. Implements "Server-sent events" of the
/// WHATWG HTML standard.
package struct SSEParser {
    /// Buffers up to this size, in bytes, are re-used for the next event.
    private static let keptBytes = 64 << 10

    private let maximumEventBytes: Int
    /// The beginning of an unfinished line.
    private var line: [UInt8] = []
    /// The data of the current event from earlier slices.
    private var data: [UInt8] = []
    private var name: [UInt8] = []
    private var hasData = false
    /// The previous line ended with a CR: an LF that follows belongs to it.
    private var skipsLineFeed = false
    private var isFirstLine = true
    private var isTooLarge = false

    /// Buffered bytes of the unfinished event.
    package var keptBytes: Int { line.count + data.count + name.count }

    /// Creates a parser for events of up to `maximumEventBytes` bytes (default 8 MiB), including their name and
    /// unfinished lines.
    package init(maximumEventBytes: Int = 8 << 20) { self.maximumEventBytes = maximumEventBytes }

    /// Parses the next bytes and calls `body` for each event that they complete.
    /// - Throws: `SSEError` if an event exceeds the limit. The parser must not be used afterwards.
    package mutating func consume(
        _ bytes: UnsafeRawBufferPointer, _ body: (SSEEvent) -> Void
    ) throws(SSEError) {
        guard let base = bytes.baseAddress else { return }
        let count = bytes.count
        var position = 0
        // Data of the current event within this slice.
        var inPlace: UnsafeRawBufferPointer?
        // The first LF at or after `position`, or `count`. Searched once, not once per line of a stream that uses CR.
        var feed = -1
        while position < count, !isTooLarge {
            if skipsLineFeed {
                skipsLineFeed = false
                if bytes[position] == 0x0A {
                    position += 1
                    continue
                }
            }
            if feed < position {
                feed = memchr(base + position, 0x0A, count - position).map { UnsafeRawPointer($0) - base } ?? count
            }
            let carriage = memchr(base + position, 0x0D, feed - position).map { UnsafeRawPointer($0) - base }
            let end = carriage ?? feed
            let piece = UnsafeRawBufferPointer(rebasing: bytes[position..<end])
            guard end < count else {
                line.append(contentsOf: piece)
                break
            }
            position = end + 1
            if carriage != nil { skipsLineFeed = true }
            if line.isEmpty {
                handle(piece, &inPlace, isStable: true, body)
            } else {
                line.append(contentsOf: piece)
                handleOwnLine(&inPlace, body)
            }
        }
        // The slice is not valid after this call.
        if let kept = inPlace { data.append(contentsOf: kept) }
        guard !isTooLarge, keptBytes <= maximumEventBytes else {
            throw SSEError(description: "an event exceeds \(maximumEventBytes) bytes")
        }
    }

    /// Ends the stream: calls `body` for a last event without its blank line.
    package mutating func finish(_ body: (SSEEvent) -> Void) {
        guard !isTooLarge else { return }
        var inPlace: UnsafeRawBufferPointer?
        if !line.isEmpty { handleOwnLine(&inPlace, body) }
        dispatch(&inPlace, body)
    }

    /// Handles a line that spans several slices.
    private mutating func handleOwnLine(_ inPlace: inout UnsafeRawBufferPointer?, _ body: (SSEEvent) -> Void) {
        var whole: [UInt8] = []
        swap(&whole, &line)
        whole.withUnsafeBytes { handle($0, &inPlace, isStable: false, body) }
        whole.removeAll(keepingCapacity: whole.capacity <= Self.keptBytes)
        line = whole
    }

    /// - Parameter isStable: whether the line remains valid until the end of `consume`, so that its data need not be
    ///   copied yet.
    private mutating func handle(
        _ rawLine: UnsafeRawBufferPointer, _ inPlace: inout UnsafeRawBufferPointer?, isStable: Bool,
        _ body: (SSEEvent) -> Void
    ) {
        var line = rawLine
        if isFirstLine {
            isFirstLine = false
            if line.starts(with: [0xEF, 0xBB, 0xBF]) { line = UnsafeRawBufferPointer(rebasing: line.dropFirst(3)) }
        }
        guard let first = line.first else { return dispatch(&inPlace, body) }
        if first == UInt8(ascii: "d"), let value = Self.value(of: "data", in: line) {
            append(value, &inPlace, isStable: isStable)
        } else if first == UInt8(ascii: "e"), let value = Self.value(of: "event", in: line) {
            name.removeAll(keepingCapacity: true)
            name.append(contentsOf: value)
        } else if first != UInt8(ascii: ":"), !Self.isLetter(first) {
            body(SSEEvent(name: UnsafeRawBufferPointer(start: nil, count: 0), data: line, isStray: true))
        }
    }

    private mutating func append(
        _ value: UnsafeRawBufferPointer, _ inPlace: inout UnsafeRawBufferPointer?, isStable: Bool
    ) {
        guard value.count + data.count + (inPlace?.count ?? 0) <= maximumEventBytes else {
            isTooLarge = true
            return
        }
        if hasData {
            if let earlier = inPlace { data.append(contentsOf: earlier) }
            inPlace = nil
            data.append(0x0A)
            data.append(contentsOf: value)
        } else if isStable {
            inPlace = value
        } else {
            data.append(contentsOf: value)
        }
        hasData = true
    }

    private mutating func dispatch(_ inPlace: inout UnsafeRawBufferPointer?, _ body: (SSEEvent) -> Void) {
        if hasData {
            hasData = false
            name.withUnsafeBytes { name in
                if let inPlace, data.isEmpty {
                    body(SSEEvent(name: name, data: inPlace, isStray: false))
                } else {
                    data.withUnsafeBytes { body(SSEEvent(name: name, data: $0, isStray: false)) }
                }
            }
            inPlace = nil
            if !data.isEmpty { data.removeAll(keepingCapacity: data.capacity <= Self.keptBytes) }
        }
        // The standard drops an event without data, including its name.
        if !name.isEmpty { name.removeAll(keepingCapacity: name.capacity <= Self.keptBytes) }
    }

    /// The value of the field `name`, after the colon and one optional space; `nil` if the line is not that field.
    @inline(__always)
    private static func value(of name: StaticString, in line: UnsafeRawBufferPointer) -> UnsafeRawBufferPointer? {
        let length = name.utf8CodeUnitCount
        guard line.count >= length, let base = line.baseAddress, memcmp(base, name.utf8Start, length) == 0 else {
            return nil
        }
        // A field without a colon has an empty value.
        if line.count == length { return UnsafeRawBufferPointer(rebasing: line[length...]) }
        guard line[length] == UInt8(ascii: ":") else { return nil }
        let start = line.count > length + 1 && line[length + 1] == 0x20 ? length + 2 : length + 1
        return UnsafeRawBufferPointer(rebasing: line[start...])
    }

    private static func isLetter(_ byte: UInt8) -> Bool { (byte | 0x20) >= 0x61 && (byte | 0x20) <= 0x7A }
}
