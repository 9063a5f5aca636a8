internal import Generation

/// Turns a vendor's tool call pieces into ours: indexes from 0 without gaps, ids that are never empty or repeated, and
/// id and name in the first piece of each call.
///
/// Servers leave out the index or the id, begin at 1, repeat the id in every piece, or start a new call under an old
/// index; each has been seen.
struct ToolCallAssembler {
    private struct Entry {
        var vendorIndex: Int?
        var vendorID: String
        var id: String
        var name = ""
        /// Arguments that came before the name.
        var held = ""
        var isAnnounced = false
    }

    private var entries: [Entry] = []

    /// Whether any call was seen.
    var hasCalls: Bool { !entries.isEmpty }

    /// The piece to deliver, or `nil` while the call's name is not known.
    mutating func piece(index: Int?, id: String, name: String, arguments: String) -> ToolCallDelta? {
        let position = find(index: index, id: id, name: name) ?? begin(index: index, id: id)
        if !name.isEmpty, !entries[position].isAnnounced { entries[position].name += name }
        guard entries[position].isAnnounced || !entries[position].name.isEmpty else {
            entries[position].held += arguments
            return nil
        }
        if entries[position].isAnnounced {
            guard !arguments.isEmpty else { return nil }
            return ToolCallDelta(index: position, id: "", name: "", argumentsJSONDelta: arguments)
        }
        return announce(position, more: arguments)
    }

    /// Calls whose name never came: delivered without one, so that nothing is lost.
    mutating func remaining() -> [ToolCallDelta] {
        entries.indices.filter { !entries[$0].isAnnounced }.map { announce($0, more: "") }
    }

    private mutating func announce(_ position: Int, more: String) -> ToolCallDelta {
        entries[position].isAnnounced = true
        let entry = entries[position]
        entries[position].held = ""
        return ToolCallDelta(
            index: position, id: entry.id, name: entry.name, argumentsJSONDelta: entry.held + more)
    }

    private func find(index: Int?, id: String, name: String) -> Int? {
        if let index {
            guard let position = entries.lastIndex(where: { $0.vendorIndex == index }) else { return nil }
            let entry = entries[position]
            // The same index with another id is another call.
            if !id.isEmpty, !entry.vendorID.isEmpty, id != entry.vendorID { return nil }
            return position
        }
        if !id.isEmpty { return entries.lastIndex { $0.vendorID == id } }
        return name.isEmpty && !entries.isEmpty ? entries.count - 1 : nil
    }

    private mutating func begin(index: Int?, id: String) -> Int {
        let isFresh = !id.isEmpty && !entries.contains { $0.id == id }
        entries.append(Entry(vendorIndex: index, vendorID: id, id: isFresh ? id : Self.makeID()))
        return entries.count - 1
    }

    /// An id for a call that the vendor gave none.
    static func makeID() -> String { "call_" + randomName() }

    /// 24 letters and digits: more than enough never to meet again.
    static func randomName() -> String {
        let alphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789".utf8)
        return String(decoding: (0..<24).map { _ in alphabet[Int.random(in: 0..<alphabet.count)] }, as: UTF8.self)
    }
}
