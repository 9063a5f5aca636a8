internal import JSON

extension JSONElement {
    /// A number of tokens, clamped to the range of the wire's field; `nil` if this is not an integer. Clamping
    /// keeps sums over many responses from overflowing, whatever a server sends.
    var tokens: Int? { int.map { min(max($0, 0), Int(Int32.max)) } }
}
