internal import Config
internal import Generation
internal import JSON

/// A section's `extra_body`, applied to every request as a JSON merge patch (RFC 7396): objects are merged, `null`
/// takes a member out, everything else replaces.
struct BodyPatch: Sendable {
    private let patch: JSONValue

    /// The patch of a section; `nil` where it has none.
    /// - Throws: `.invalidRequest` where the node is no JSON.
    init?(_ node: ConfigNode?) throws(GenerationError) {
        guard let node else { return nil }
        do {
            patch = try JSONValue(parsing: node.jsonText())
        } catch {
            throw GenerationError(.invalidRequest, "extra_body is not usable: \(error)")
        }
    }

    /// `body` with the patch applied. Only sections with `extra_body` pay for reading their own body.
    func apply(to body: [UInt8]) -> [UInt8] {
        guard let value = try? JSONValue(parsing: body) else { return body }
        var writer = JSONWriter(capacity: body.count + 256)
        Self.merge(value, patch).write(to: &writer)
        return writer.bytes
    }

    private static func merge(_ target: JSONValue, _ patch: JSONValue) -> JSONValue {
        guard case .object(let changes) = patch else { return patch }
        var members = target.members ?? []
        for change in changes {
            let index = members.firstIndex { $0.key == change.key }
            if change.value.isNull {
                if let index { members.remove(at: index) }
            } else if let index {
                members[index].value = merge(members[index].value, change.value)
            } else {
                members.append((key: change.key, value: merge(.null, change.value)))
            }
        }
        return .object(members)
    }
}
