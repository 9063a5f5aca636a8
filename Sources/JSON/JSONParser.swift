internal import CSimdJSON

/// Parses JSON with simdjson. Use one parser per loop or thread: it re-uses its buffers for the next document.
package final class JSONParser {
    /// Buffers over this size, in bytes, are released before the next small document.
    private static let keptCapacity = 1 << 20

    private var handle: OpaquePointer

    /// Creates a parser. Buffers are allocated for the first document.
    package init() { handle = Self.create() }

    deinit { gw_json_parser_free(handle) }

    private static func create() -> OpaquePointer {
        guard let handle = gw_json_parser_create() else { preconditionFailure("out of memory") }
        return handle
    }

    /// Parses a JSON document. The result, and everything derived from it, is invalid after the next call and after the
    /// parser is released: keep the parser in a property, or use `withExtendedLifetime`.
    ///
    /// Lone surrogates (`\ud83d` without its second half, which servers send if they split an emoji over chunks) become
    /// U+FFFD, and integers beyond 64 bits become doubles.
    /// - Throws: `JSONError` if the text is not JSON, not UTF-8, or nested deeper than 1024 levels.
    package func parse(_ bytes: UnsafeRawBufferPointer) throws(JSONError) -> JSONElement {
        if gw_json_capacity(handle) > Self.keptCapacity, bytes.count < Self.keptCapacity / 4 {
            gw_json_parser_free(handle)
            handle = Self.create()
        }
        do {
            return try parseOnce(bytes)
        } catch {
            // Repairing needs a copy, and is attempted only after strict parsing has failed.
            guard let repaired = JSONRepair.repaired(bytes) else { throw error }
            return try repaired.withUnsafeBufferPointer { buffer throws(JSONError) in
                try parseOnce(UnsafeRawBufferPointer(buffer))
            }
        }
    }

    /// Parses a string, with a copy of its bytes.
    /// - Throws: `JSONError`, as for a buffer.
    package func parse(_ text: String) throws(JSONError) -> JSONElement {
        try parse(Array(text.utf8))
    }

    /// Parses UTF-8 bytes.
    /// - Throws: `JSONError`, as for a buffer.
    package func parse(_ bytes: [UInt8]) throws(JSONError) -> JSONElement {
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
