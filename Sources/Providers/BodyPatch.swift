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
        if let name = Self.reserved.first(where: { patch[$0] != nil }) {
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

    /// - Parameter target: JSON text; `nil` for none.
    private static func write(_ target: UnsafeBufferPointer<UInt8>?, _ patch: JSONValue, to writer: inout JSONWriter) {
        guard case .object(let changes) = patch else { return patch.write(to: &writer) }
        writer.beginObject()
        var applied: Set<String> = []
        if let target {
            JSONMembers.forEach(of: target) { key, value in
                applied.insert(key)
                guard let change = patch[key] else {
                    writer.key(key)
                    return writer.raw(value)
                }
                guard !change.isNull else { return }
                writer.key(key)
                write(value, change, to: &writer)
            }
        }
        for change in changes where !change.value.isNull && applied.insert(change.key).inserted {
            writer.key(change.key)
            write(nil, patch[change.key] ?? .null, to: &writer)
        }
        writer.endObject()
    }
}
