internal import Glibc

/// One server-sent event, or a line that is none. The buffers are valid during the callback only.
public struct SSEEvent {
    /// The event's name; empty where it has none.
    public let name: UnsafeRawBufferPointer
    /// The data; several `data:` lines joined by LF.
    public let data: UnsafeRawBufferPointer
    /// The line is no field at all (`data` is the line): some vendors send a bare JSON error in the middle of a stream.
    public let isStray: Bool
}

/// A stream that cannot be read as server-sent events.
public struct SSEError: Error, Sendable, Equatable, CustomStringConvertible {
    /// What is wrong.
    public let description: String
}

/// Cuts a byte stream into server-sent events, however the stream is sliced.
///
/// Takes LF, CRLF and lone CR, comments, unknown fields, a byte order mark, and a last event without its blank line.
/// An event that lies in one slice, which is the rule, is handed out in place. Source: the WHATWG HTML standard,
/// "Server-sent events".
public struct SSEParser {
    /// Buffers up to this size are kept from event to event.
    private static let keptBytes = 64 << 10

    private let maximumEventBytes: Int
    /// The beginning of a line whose end has not come.
    private var line: [UInt8] = []
    /// The event's data so far, where it does not lie in the current slice.
    private var data: [UInt8] = []
    private var name: [UInt8] = []
    private var hasData = false
    /// The last slice ended with a CR: an LF that follows belongs to it.
    private var skipsLineFeed = false
    private var isFirstLine = true
    private var isTooLarge = false

    /// The bytes of an event that is not complete.
    public var keptBytes: Int { line.count + data.count + name.count }

    /// A parser that refuses events over `maximumEventBytes`, names and unfinished lines included.
    public init(maximumEventBytes: Int = 8 << 20) { self.maximumEventBytes = maximumEventBytes }

    /// Takes the next bytes and reports the events that they complete.
    /// - Throws: `SSEError` where an event exceeds the limit. The stream is of no use then.
    public mutating func consume(
        _ bytes: UnsafeRawBufferPointer, _ body: (SSEEvent) -> Void
    ) throws(SSEError) {
        guard let base = bytes.baseAddress else { return }
        let count = bytes.count
        var position = 0
        // Data of the current event that lies in this slice.
        var inPlace: UnsafeRawBufferPointer?
        // The first LF at or after `position`, or `count`: looked for once, not once a line of a stream that uses CR.
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
        // What lies in this slice is gone after this call.
        if let kept = inPlace { data.append(contentsOf: kept) }
        guard !isTooLarge, keptBytes <= maximumEventBytes else {
            throw SSEError(description: "an event exceeds \(maximumEventBytes) bytes")
        }
    }

    /// Reports a last event that lacks its blank line. The stream is over.
    public mutating func finish(_ body: (SSEEvent) -> Void) {
        guard !isTooLarge else { return }
        var inPlace: UnsafeRawBufferPointer?
        if !line.isEmpty { handleOwnLine(&inPlace, body) }
        dispatch(&inPlace, body)
    }

    /// Handles a line that came in several slices.
    private mutating func handleOwnLine(_ inPlace: inout UnsafeRawBufferPointer?, _ body: (SSEEvent) -> Void) {
        var whole: [UInt8] = []
        swap(&whole, &line)
        whole.withUnsafeBytes { handle($0, &inPlace, isStable: false, body) }
        whole.removeAll(keepingCapacity: whole.capacity <= Self.keptBytes)
        line = whole
    }

    /// - Parameter isStable: whether the line outlives this call, so that its data need not be copied yet.
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
        // An event without data is dropped, and its name with it.
        if !name.isEmpty { name.removeAll(keepingCapacity: name.capacity <= Self.keptBytes) }
    }

    /// The value where the line is the field `name`: behind the colon and one optional space.
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
