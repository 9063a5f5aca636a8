internal import Generation

/// Normalizes a vendor's tool call pieces: indexes from 0 without gaps, ids that are unique and not empty, and id and
/// name in the first piece of each call.
///
/// Servers leave out the index or the id, begin at 1, repeat the id in every piece, or start a new call under an old
/// index, with another id or none; all of this has been observed.
struct ToolCallAssembler {
    private struct Entry {
        var vendorID: String
        var id: String
        var name = ""
        /// Arguments that arrived before the name.
        var held = ""
        /// Our index, from the announcement on: callers see no gap, however late a name comes.
        var number: Int?
        var hasArguments = false
        var balance = JSONBalance()
    }

    private var entries: [Entry] = []
    // Where the newest call of a vendor's index and id is.
    private var byIndex: [Int: Int] = [:]
    private var byID: [String: Int] = [:]
    private var ids: Set<String> = []
    /// The calls without a name so far.
    private var nameless: Set<Int> = []
    private var announced = 0
    /// The bytes held here.
    private(set) var keptBytes = 0

    /// The number of calls, including those without a name.
    var count: Int { entries.count }

    /// The piece to deliver, or `nil` while the call's name is not known.
    mutating func piece(index: Int?, id: String, name: String, arguments: String) -> ToolCallDelta? {
        let position =
            find(index: index, id: id, name: name, hasMore: !arguments.isEmpty) ?? begin(index: index, id: id)
        if !arguments.isEmpty {
            entries[position].hasArguments = true
            entries[position].balance.add(arguments)
        }
        if let number = entries[position].number {
            guard !arguments.isEmpty else { return nil }
            return ToolCallDelta(index: number, id: "", name: "", argumentsJSONDelta: arguments)
        }
        guard !name.isEmpty else {
            entries[position].held += arguments
            keptBytes += arguments.utf8.count
            return nil
        }
        entries[position].name = name
        keptBytes += name.utf8.count
        return announce(position, more: arguments)
    }

    /// Calls that never got a name: delivered without one, so that nothing is lost.
    mutating func remaining() -> [ToolCallDelta] { nameless.sorted().map { announce($0, more: "") } }

    /// The calls at the end of an answer that ended as it should. Returns what is still to be delivered: those without
    /// a name, and an empty object for each call without arguments.
    mutating func finish() -> [ToolCallDelta] { remaining() + withoutArguments(entries.indices) }

    /// A call that was truncated by the end of its response.
    struct CutCall: Equatable {
        /// Which call of the answer; `nil` if it was never delivered.
        var index: Int?
        var name: String
    }

    /// The calls at the end of an answer that was cut short: those with half an object for arguments are cut off, and
    /// so are the newest one without any arguments and those whose name never came.
    mutating func finishCutShort() -> (pieces: [ToolCallDelta], cut: [CutCall]) {
        var cut: [CutCall] = []
        var whole: [Int] = []
        for (position, entry) in entries.enumerated() {
            let isLast = position == entries.count - 1
            if entry.number != nil, entry.hasArguments ? entry.balance.isWhole : !isLast {
                whole.append(position)
            } else {
                cut.append(CutCall(index: entry.number, name: entry.name))
            }
        }
        return (withoutArguments(whole), cut)
    }

    private mutating func withoutArguments(_ positions: some Sequence<Int>) -> [ToolCallDelta] {
        var deltas: [ToolCallDelta] = []
        for position in positions where !entries[position].hasArguments {
            guard let number = entries[position].number else { continue }
            entries[position].hasArguments = true
            deltas.append(ToolCallDelta(index: number, id: "", name: "", argumentsJSONDelta: "{}"))
        }
        return deltas
    }

    private mutating func announce(_ position: Int, more: String) -> ToolCallDelta {
        nameless.remove(position)
        let entry = entries[position]
        entries[position].held = ""
        entries[position].number = announced
        defer { announced += 1 }
        return ToolCallDelta(
            index: announced, id: entry.id, name: entry.name, argumentsJSONDelta: entry.held + more)
    }

    private func find(index: Int?, id: String, name: String, hasMore: Bool) -> Int? {
        if let index {
            guard let position = byIndex[index] else { return nil }
            let entry = entries[position]
            // The same index with another id is another call.
            if !id.isEmpty, !entry.vendorID.isEmpty, id != entry.vendorID { return nil }
            // So is one without an id that begins when the arguments before are whole.
            if id.isEmpty, !name.isEmpty, hasMore || name != entry.name, entry.balance.isWhole { return nil }
            return position
        }
        if !id.isEmpty { return byID[id] }
        return name.isEmpty && !entries.isEmpty ? entries.count - 1 : nil
    }

    private mutating func begin(index: Int?, id: String) -> Int {
        let position = entries.count
        let own = !id.isEmpty && ids.insert(id).inserted ? id : Self.makeID()
        ids.insert(own)
        entries.append(Entry(vendorID: id, id: own))
        if let index { byIndex[index] = position }
        if !id.isEmpty { byID[id] = position }
        nameless.insert(position)
        keptBytes += 256 + id.utf8.count
        return position
    }

    /// An id for a call to which the vendor gave none.
    static func makeID() -> String { "call_" + randomName() }

    /// 24 letters and digits, 120 bits of one random number: enough to make collisions practically impossible.
    static func randomName() -> String {
        let alphabet: StaticString = "abcdefghijklmnopqrstuvwxyz234567"
        let number = UInt128.random(in: 0 ... .max)
        return String(unsafeUninitializedCapacity: 24) { name in
            for position in 0..<24 {
                let digit = Int(truncatingIfNeeded: number >> UInt128(5 * position)) & 31
                name[position] = alphabet.utf8Start[digit]
            }
            return 24
        }
    }
}
