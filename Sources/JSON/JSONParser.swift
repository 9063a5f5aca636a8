internal import CSimdJSON

/// Reads JSON text with simdjson. Keep one a loop or thread: its buffers are re-used from document to document.
public final class JSONParser {
    /// A parser that once saw a document larger than this many bytes starts anew for the next small one.
    private static let keptCapacity = 1 << 20

    private var handle: OpaquePointer

    /// A parser without memory; it grows with its documents.
    public init() { handle = Self.create() }

    deinit { gw_json_parser_free(handle) }

    private static func create() -> OpaquePointer {
        guard let handle = gw_json_parser_create() else { preconditionFailure("out of memory") }
        return handle
    }

    /// Parses one JSON text. The result, and everything reached from it, is dead after the next call, and when the
    /// parser goes: hold the parser in a property, or use `withExtendedLifetime`.
    ///
    /// Lone surrogates (`\ud83d` without its other half, which servers send when they split an emoji over chunks) become
    /// U+FFFD, and integers beyond 64 bits become doubles.
    /// - Throws: `JSONError` where the text is not JSON, not UTF-8, or nested deeper than 1024 levels.
    public func parse(_ bytes: UnsafeRawBufferPointer) throws(JSONError) -> JSONElement {
        if gw_json_capacity(handle) > Self.keptCapacity, bytes.count < Self.keptCapacity / 4 {
            gw_json_parser_free(handle)
            handle = Self.create()
        }
        do {
            return try parseOnce(bytes)
        } catch {
            // The two repairs cost a copy; they are tried only where the strict reading failed.
            guard let repaired = JSONRepair.repaired(bytes) else { throw error }
            return try repaired.withUnsafeBufferPointer { buffer throws(JSONError) in
                try parseOnce(UnsafeRawBufferPointer(buffer))
            }
        }
    }

    /// Parses text.
    /// - Throws: `JSONError`, as `parse(_:)` over bytes.
    public func parse(_ text: String) throws(JSONError) -> JSONElement {
        try parse(Array(text.utf8))
    }

    /// Parses bytes.
    /// - Throws: `JSONError`, as `parse(_:)` over a buffer.
    public func parse(_ bytes: [UInt8]) throws(JSONError) -> JSONElement {
        try bytes.withUnsafeBufferPointer { buffer throws(JSONError) in try parse(UnsafeRawBufferPointer(buffer)) }
    }

    private func parseOnce(_ bytes: UnsafeRawBufferPointer) throws(JSONError) -> JSONElement {
        guard let base = bytes.baseAddress, !bytes.isEmpty else { throw JSONError("the text is empty") }
        var root = gw_json_element()
        let failure = gw_json_parse(handle, base.assumingMemoryBound(to: UInt8.self), bytes.count, false, &root)
        if let failure { throw JSONError(String(cString: failure)) }
        return JSONElement(raw: root)
    }
}
