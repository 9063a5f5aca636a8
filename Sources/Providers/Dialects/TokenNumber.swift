internal import JSON

extension JSONElement {
    /// A number of tokens; `nil` where this is no whole number. Brought into a range that an answer can have, so that
    /// sums over many answers never overflow, whatever a server says.
    var tokens: Int? { int.map { min(max($0, 0), Int(Int32.max)) } }
}
