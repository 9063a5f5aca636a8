internal import CGenwireProto
internal import CProtobufC

/// A pass over the fields of a message, in one direction. A message's `map` names each field once, with its place in
/// the generated struct and in the Swift value; `Reader` copies from the struct to the value, `Writer` from the value
/// to the struct.
///
/// Both are structs and every `map` is generic, so the optimiser specialises each `map` into two plain functions.
protocol FieldPass {
    /// `MessageError` for `Reader`; `Never` for `Writer`, which cannot fail.
    associatedtype Failure: Error

    /// Copies a string.
    /// - Parameters:
    ///   - field: the field's path, for errors.
    ///   - limit: maximum number of bytes accepted.
    func text(
        _ wire: inout ProtobufCBinaryData, _ value: inout String, _ field: StaticString, atMost limit: Int
    ) throws(Failure)
    /// Copies a string with a fixed set of values; an unknown one is an error.
    func word<V: RawRepresentable<String>>(
        _ wire: inout ProtobufCBinaryData, _ value: inout V, _ field: StaticString
    ) throws(Failure)
    /// Copies a string with a fixed set of values; `nil` if it is empty or unknown.
    func word<V: RawRepresentable<String>>(
        _ wire: inout ProtobufCBinaryData, _ value: inout V?, _ field: StaticString
    ) throws(Failure)
    /// Copies bytes.
    func bytes(_ wire: inout ProtobufCBinaryData, _ value: inout [UInt8])
    /// Copies an integer, clamped to the range of the destination.
    func number<W: FixedWidthInteger, V: FixedWidthInteger>(_ wire: inout W, _ value: inout V)
    /// Copies an integer; 0 on the wire means `nil`.
    func number<W: FixedWidthInteger, V: FixedWidthInteger>(_ wire: inout W, zeroAsNil value: inout V?)
    /// Copies a floating-point number.
    func number(_ wire: inout Double, _ value: inout Double)
    /// Copies a Boolean.
    func flag(_ wire: inout protobuf_c_boolean, _ value: inout Bool)
    /// Copies an enum; a value that this release does not know is decoded as `unknown`.
    func choice<V: WireEnum>(_ wire: inout V.Wire, _ value: inout V, unknown: V)
    /// Copies an enum; decoding a value that this release does not know throws an error with the message `problem`.
    func choice<V: WireEnum>(_ wire: inout V.Wire, _ value: inout V, problem: StaticString) throws(Failure)

    /// Copies the only member of a oneof named `…_opt`; `set` is the case of a oneof whose member is set.
    func optional<C: Equatable, W: FixedWidthInteger, V: FixedWidthInteger>(
        _ wireCase: inout C, _ set: C, _ wire: inout W, _ value: inout V?)
    /// Copies the only member of a oneof named `…_opt`.
    func optional<C: Equatable>(_ wireCase: inout C, _ set: C, _ wire: inout Double, _ value: inout Double?)
    /// Copies the only member of a oneof named `…_opt`.
    func optional<C: Equatable>(_ wireCase: inout C, _ set: C, _ wire: inout protobuf_c_boolean, _ value: inout Bool?)

    /// Copies a nested message. Decoding leaves the value unchanged if the message is absent.
    func message<V: WireValue>(_ wire: inout UnsafeMutablePointer<V.Wire>?, _ value: inout V) throws(Failure)
    /// Copies a nested message; it is encoded only if it differs from `absent`.
    func message<V: WireValue & Equatable>(
        _ wire: inout UnsafeMutablePointer<V.Wire>?, _ value: inout V, absent: V
    ) throws(Failure)
    /// Copies a nested message; `nil` if it is absent.
    func message<V: WireValue>(_ wire: inout UnsafeMutablePointer<V.Wire>?, _ value: inout V?) throws(Failure)
    /// Copies a repeated message field.
    func list<V: WireValue>(
        _ count: inout Int, _ wire: inout UnsafeMutablePointer<UnsafeMutablePointer<V.Wire>?>?, _ values: inout [V]
    ) throws(Failure)
    /// Copies a repeated string field.
    /// - Parameters:
    ///   - limit: maximum number of bytes accepted per text.
    ///   - countLimit: maximum number of texts accepted.
    func texts(
        _ count: inout Int, _ wire: inout UnsafeMutablePointer<ProtobufCBinaryData>?, _ values: inout [String],
        _ field: StaticString, atMost limit: Int, count countLimit: Int
    ) throws(Failure)

    /// Copies a packed repeated number field.
    func numbers(_ count: inout Int, _ wire: inout UnsafeMutablePointer<Float>?, _ values: inout [Float])

    /// Runs a check when decoding, for example of a count before its elements are decoded; `Writer` ignores it.
    func check(_ body: () throws(MessageError) -> Void) throws(Failure)
}

extension FieldPass {
    /// Copies a string of any length.
    func text(_ wire: inout ProtobufCBinaryData, _ value: inout String, _ field: StaticString) throws(Failure) {
        try text(&wire, &value, field, atMost: .max)
    }

    /// Copies a repeated string field without limits.
    func texts(
        _ count: inout Int, _ wire: inout UnsafeMutablePointer<ProtobufCBinaryData>?, _ values: inout [String],
        _ field: StaticString
    ) throws(Failure) {
        try texts(&count, &wire, &values, field, atMost: .max, count: .max)
    }
}

/// A value that is encoded as one message.
protocol WireValue {
    /// The generated type, which begins with a `ProtobufCMessage`.
    associatedtype Wire
    /// Makes the message empty, with the generated `__init` function.
    static func initialise(_ wire: UnsafeMutablePointer<Wire>)
    /// Decodes the value of a message.
    static func read(_ wire: UnsafeMutablePointer<Wire>, _ reader: Reader) throws(MessageError) -> Self
    /// Fills an empty message with the value.
    func write(_ wire: UnsafeMutablePointer<Wire>, _ writer: Writer)
}

/// A value whose fields are mapped once, for both directions.
protocol MappedValue: WireValue {
    /// The value that decoding starts from.
    static var empty: Self { get }
    /// Applies the pass to each field of the message.
    static func map<P: FieldPass>(
        _ pass: P, _ wire: UnsafeMutablePointer<Wire>, _ value: inout Self
    ) throws(P.Failure)
}

extension MappedValue {
    static func read(_ wire: UnsafeMutablePointer<Wire>, _ reader: Reader) throws(MessageError) -> Self {
        var value = empty
        try map(reader, wire, &value)
        return value
    }

    func write(_ wire: UnsafeMutablePointer<Wire>, _ writer: Writer) {
        var value = self
        Self.map(writer, wire, &value)
    }
}

/// An enum of the contract. Only encoding names the cases: decoding searches `allCases`.
protocol WireEnum: CaseIterable {
    associatedtype Wire: Equatable
    var wire: Wire { get }
}

extension WireEnum {
    /// Decodes an enum; `nil` for a value that this release does not know.
    init?(wire: Wire) {
        guard let found = Self.allCases.first(where: { $0.wire == wire }) else { return nil }
        self = found
    }
}

// MARK: - Decoding

/// Copies fields from a message to its value.
struct Reader: FieldPass {
    typealias Failure = MessageError

    func text(
        _ wire: inout ProtobufCBinaryData, _ value: inout String, _ field: StaticString, atMost limit: Int
    ) throws(MessageError) {
        value = try wire.text(field, atMost: limit)
    }

    func word<V: RawRepresentable<String>>(
        _ wire: inout ProtobufCBinaryData, _ value: inout V, _ field: StaticString
    ) throws(MessageError) {
        let name = try wire.text(field)
        guard let found = V(rawValue: name) else { throw MessageError("\(field) '\(name.prefix(100))' is unknown") }
        value = found
    }

    func word<V: RawRepresentable<String>>(
        _ wire: inout ProtobufCBinaryData, _ value: inout V?, _ field: StaticString
    ) throws(MessageError) {
        value = V(rawValue: try wire.text(field))
    }

    func bytes(_ wire: inout ProtobufCBinaryData, _ value: inout [UInt8]) { value = wire.array }

    func number<W: FixedWidthInteger, V: FixedWidthInteger>(_ wire: inout W, _ value: inout V) {
        value = V(clamping: wire)
    }

    func number<W: FixedWidthInteger, V: FixedWidthInteger>(_ wire: inout W, zeroAsNil value: inout V?) {
        value = wire == 0 ? nil : V(clamping: wire)
    }

    func number(_ wire: inout Double, _ value: inout Double) { value = wire }

    func flag(_ wire: inout protobuf_c_boolean, _ value: inout Bool) { value = wire != 0 }

    func choice<V: WireEnum>(_ wire: inout V.Wire, _ value: inout V, unknown: V) { value = V(wire: wire) ?? unknown }

    func choice<V: WireEnum>(
        _ wire: inout V.Wire, _ value: inout V, problem: StaticString
    ) throws(MessageError) {
        guard let found = V(wire: wire) else { throw MessageError("\(problem)") }
        value = found
    }

    func optional<C: Equatable, W: FixedWidthInteger, V: FixedWidthInteger>(
        _ wireCase: inout C, _ set: C, _ wire: inout W, _ value: inout V?
    ) {
        value = wireCase == set ? V(clamping: wire) : nil
    }

    func optional<C: Equatable>(_ wireCase: inout C, _ set: C, _ wire: inout Double, _ value: inout Double?) {
        value = wireCase == set ? wire : nil
    }

    func optional<C: Equatable>(_ wireCase: inout C, _ set: C, _ wire: inout protobuf_c_boolean, _ value: inout Bool?) {
        value = wireCase == set ? wire != 0 : nil
    }

    func message<V: WireValue>(
        _ wire: inout UnsafeMutablePointer<V.Wire>?, _ value: inout V
    ) throws(MessageError) {
        if let wire { value = try V.read(wire, self) }
    }

    func message<V: WireValue & Equatable>(
        _ wire: inout UnsafeMutablePointer<V.Wire>?, _ value: inout V, absent: V
    ) throws(MessageError) {
        value = if let wire { try V.read(wire, self) } else { absent }
    }

    func message<V: WireValue>(
        _ wire: inout UnsafeMutablePointer<V.Wire>?, _ value: inout V?
    ) throws(MessageError) {
        value = if let wire { try V.read(wire, self) } else { nil }
    }

    func list<V: WireValue>(
        _ count: inout Int, _ wire: inout UnsafeMutablePointer<UnsafeMutablePointer<V.Wire>?>?, _ values: inout [V]
    ) throws(MessageError) {
        values.removeAll()
        guard let wire else { return }
        values.reserveCapacity(count)
        for index in 0..<count {
            if let element = wire[index] { values.append(try V.read(element, self)) }
        }
    }

    func texts(
        _ count: inout Int, _ wire: inout UnsafeMutablePointer<ProtobufCBinaryData>?, _ values: inout [String],
        _ field: StaticString, atMost limit: Int, count countLimit: Int
    ) throws(MessageError) {
        try RequestBounds.check(count, of: field, atMost: countLimit)
        values.removeAll()
        guard let wire else { return }
        values.reserveCapacity(count)
        for index in 0..<count { values.append(try wire[index].text(field, atMost: limit)) }
    }

    func numbers(_ count: inout Int, _ wire: inout UnsafeMutablePointer<Float>?, _ values: inout [Float]) {
        values = Array(UnsafeBufferPointer(start: wire, count: wire == nil ? 0 : count))
    }

    func check(_ body: () throws(MessageError) -> Void) throws(MessageError) { try body() }
}

// MARK: - Encoding

/// Copies fields from a value to its message, which is allocated in the arena.
struct Writer: FieldPass {
    typealias Failure = Never

    let arena: Arena

    /// Allocates and fills the message of a value.
    func message<V: WireValue>(of value: V) -> UnsafeMutablePointer<V.Wire> {
        let wire = arena.message(V.Wire.self) { V.initialise($0) }
        value.write(wire, self)
        return wire
    }

    func text(_ wire: inout ProtobufCBinaryData, _ value: inout String, _ field: StaticString, atMost limit: Int) {
        wire = arena.bytes(value)
    }

    func word<V: RawRepresentable<String>>(
        _ wire: inout ProtobufCBinaryData, _ value: inout V, _ field: StaticString
    ) {
        wire = arena.bytes(value.rawValue)
    }

    func word<V: RawRepresentable<String>>(
        _ wire: inout ProtobufCBinaryData, _ value: inout V?, _ field: StaticString
    ) {
        wire = arena.bytes(value?.rawValue ?? "")
    }

    func bytes(_ wire: inout ProtobufCBinaryData, _ value: inout [UInt8]) { wire = arena.bytes(value) }

    func number<W: FixedWidthInteger, V: FixedWidthInteger>(_ wire: inout W, _ value: inout V) {
        wire = W(clamping: value)
    }

    func number<W: FixedWidthInteger, V: FixedWidthInteger>(_ wire: inout W, zeroAsNil value: inout V?) {
        wire = W(clamping: value ?? 0)
    }

    func number(_ wire: inout Double, _ value: inout Double) { wire = value }

    func flag(_ wire: inout protobuf_c_boolean, _ value: inout Bool) { wire = value ? 1 : 0 }

    func choice<V: WireEnum>(_ wire: inout V.Wire, _ value: inout V, unknown: V) { wire = value.wire }

    func choice<V: WireEnum>(_ wire: inout V.Wire, _ value: inout V, problem: StaticString) { wire = value.wire }

    func optional<C: Equatable, W: FixedWidthInteger, V: FixedWidthInteger>(
        _ wireCase: inout C, _ set: C, _ wire: inout W, _ value: inout V?
    ) {
        guard let value else { return }
        wireCase = set
        wire = W(clamping: value)
    }

    func optional<C: Equatable>(_ wireCase: inout C, _ set: C, _ wire: inout Double, _ value: inout Double?) {
        guard let value else { return }
        wireCase = set
        wire = value
    }

    func optional<C: Equatable>(_ wireCase: inout C, _ set: C, _ wire: inout protobuf_c_boolean, _ value: inout Bool?) {
        guard let value else { return }
        wireCase = set
        wire = value ? 1 : 0
    }

    func message<V: WireValue>(_ wire: inout UnsafeMutablePointer<V.Wire>?, _ value: inout V) {
        wire = message(of: value)
    }

    func message<V: WireValue & Equatable>(
        _ wire: inout UnsafeMutablePointer<V.Wire>?, _ value: inout V, absent: V
    ) {
        if value != absent { wire = message(of: value) }
    }

    func message<V: WireValue>(_ wire: inout UnsafeMutablePointer<V.Wire>?, _ value: inout V?) {
        if let value { wire = message(of: value) }
    }

    func list<V: WireValue>(
        _ count: inout Int, _ wire: inout UnsafeMutablePointer<UnsafeMutablePointer<V.Wire>?>?, _ values: inout [V]
    ) {
        count = values.count
        wire = arena.pointers(values) { message(of: $0) }
    }

    func texts(
        _ count: inout Int, _ wire: inout UnsafeMutablePointer<ProtobufCBinaryData>?, _ values: inout [String],
        _ field: StaticString, atMost limit: Int, count countLimit: Int
    ) {
        count = values.count
        wire = arena.texts(values)
    }

    func numbers(_ count: inout Int, _ wire: inout UnsafeMutablePointer<Float>?, _ values: inout [Float]) {
        count = values.count
        wire = arena.numbers(values)
    }

    func check(_ body: () throws(MessageError) -> Void) {}
}
