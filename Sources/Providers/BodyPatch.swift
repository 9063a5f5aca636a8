internal import Config
internal import Generation
internal import JSON

/// A section's `extra_body` or a caller's `extra_json`, applied to a request as a JSON merge patch (RFC 7396): objects
/// are merged, `null` removes a member, everything else replaces.
struct BodyPatch: Sendable {
    private let patch: JSONValue

    /// The patch of a section; `nil` if it has none.
    /// - Throws: `.invalidRequest` if the node is not valid JSON.
    init?(_ node: ConfigNode?) throws(GenerationError) {
        guard let node else { return nil }
        do {
            patch = try JSONValue(parsing: node.jsonText())
        } catch {
            throw GenerationError(.invalidRequest, "extra_body is not valid: \(error)")
        }
    }

    /// The fields that a caller sets through the contract alone: what is billed and how the response is read depends
    /// on them.
    private static let reserved = ["model", "stream"]

    /// The patch of a caller.
    /// - Throws: `.invalidRequest` if `json` is not an object, is nested too deep, or changes a reserved field.
    init(extraJSON json: String) throws(GenerationError) {
        var checker = JSONTextChecker()
        patch = try checker.value(json, field: "options.extra_json")
        // Some servers read the names of fields in any case, and fold `ſ` to `s`.
        let names = Set((patch.members ?? []).lazy.filter { $0.key.utf8.count < 16 }.map { $0.key.uppercased() })
        if let name = Self.reserved.first(where: { names.contains($0.uppercased()) }) {
            throw GenerationError(.invalidRequest, "options.extra_json cannot change '\(name)'")
        }
    }

    /// Applies the patch to `body`, which must be well-formed JSON. Members that the patch does not change are copied
    /// without being parsed.
    func apply(to body: [UInt8]) -> [UInt8] {
        var writer = JSONWriter(capacity: body.count + 256)
        body.withUnsafeBufferPointer { Self.write($0, patch, to: &writer) }
        return writer.bytes
    }

    /// Reads `target` in one pass, however deep the patch is.
    /// - Parameter target: text that begins with JSON; `nil` for none.
    /// - Returns: the length of that JSON, in bytes.
    @discardableResult
    private static func write(
        _ target: UnsafeBufferPointer<UInt8>?, _ patch: JSONValue, to writer: inout JSONWriter
    ) -> Int {
        guard case .object(let changes) = patch else {
            patch.write(to: &writer)
            return target.map { JSONMembers.lengthOfValue($0) } ?? 0
        }
        // By name, since both may have many members.
        let values = Dictionary(changes.map { ($0.key, $0.value) }, uniquingKeysWith: { _, last in last })
        var applied: Set<String> = []
        var length = 0
        writer.beginObject()
        if let target {
            length = JSONMembers.scan(target) { key, rest in
                let isFirst = applied.insert(key).inserted
                let change = values[key]
                // A repeated name must not repeat the change.
                if let change, isFirst, !change.isNull {
                    writer.key(key)
                    return write(rest, change, to: &writer)
                }
                let length = JSONMembers.lengthOfValue(rest)
                if change == nil {
                    writer.key(key)
                    writer.raw(UnsafeBufferPointer(rebasing: rest[..<length]))
                }
                return length
            }
        }
        for change in changes where !change.value.isNull && applied.insert(change.key).inserted {
            writer.key(change.key)
            write(nil, values[change.key] ?? .null, to: &writer)
        }
        writer.endObject()
        return length
    }
}
