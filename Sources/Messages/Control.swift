internal import CGenwireProto
internal import CProtobufC

/// The response of `Control.Hello`.
public struct ServerInfo: Sendable, Equatable {
    /// The server program's name.
    public var server: String
    /// The server's version.
    public var version: String
    /// Features beyond plain ttrpc, for example `cancel`.
    public var features: [String]
    /// Maximum message size in bytes.
    public var maxMessageBytes: Int64
    /// Maximum number of calls in progress per connection.
    public var maxStreams: Int64

    /// Creates the response of a server.
    public init(server: String, version: String, features: [String], maxMessageBytes: Int64, maxStreams: Int64) {
        self.server = server
        self.version = version
        self.features = features
        self.maxMessageBytes = maxMessageBytes
        self.maxStreams = maxStreams
    }
}

extension ServerInfo: MappedValue {
    static var empty: ServerInfo {
        ServerInfo(server: "", version: "", features: [], maxMessageBytes: 0, maxStreams: 0)
    }

    static func initialise(_ wire: UnsafeMutablePointer<Gw__HelloResponse>) { gw__hello_response__init(wire) }

    static func map<P: FieldPass>(
        _ pass: P, _ wire: UnsafeMutablePointer<Gw__HelloResponse>, _ value: inout ServerInfo
    ) throws(P.Failure) {
        try pass.text(&wire.pointee.server, &value.server, "server")
        try pass.text(&wire.pointee.version, &value.version, "version")
        try pass.texts(&wire.pointee.n_features, &wire.pointee.features, &value.features, "features")
        pass.number(&wire.pointee.max_message_bytes, &value.maxMessageBytes)
        pass.number(&wire.pointee.max_streams, &value.maxStreams)
    }
}

/// A `CancelRequest`.
struct Cancellation: MappedValue {
    var callID: String

    static var empty: Cancellation { Cancellation(callID: "") }

    static func initialise(_ wire: UnsafeMutablePointer<Gw__CancelRequest>) { gw__cancel_request__init(wire) }

    static func map<P: FieldPass>(
        _ pass: P, _ wire: UnsafeMutablePointer<Gw__CancelRequest>, _ value: inout Cancellation
    ) throws(P.Failure) {
        try pass.text(&wire.pointee.call_id, &value.callID, "call_id", atMost: RequestBounds.name)
    }
}

/// A `CancelResponse`.
struct CancellationOutcome: MappedValue {
    var found: Bool

    static var empty: CancellationOutcome { CancellationOutcome(found: false) }

    static func initialise(_ wire: UnsafeMutablePointer<Gw__CancelResponse>) { gw__cancel_response__init(wire) }

    static func map<P: FieldPass>(
        _ pass: P, _ wire: UnsafeMutablePointer<Gw__CancelResponse>, _ value: inout CancellationOutcome
    ) throws(P.Failure) {
        pass.flag(&wire.pointee.found, &value.found)
    }
}

extension MessageCoder {
    /// Decodes a `HelloRequest`and returns its token; empty for none. The server ignores the other fields.
    /// - Throws: `MessageError` if the bytes are malformed.
    public func helloRequest(_ bytes: UnsafeRawBufferPointer) throws(MessageError) -> String {
        try withMessage(bytes, { gw__hello_request__init($0) }) { wire throws(MessageError) in
            try wire.pointee.token.text("token", atMost: RequestBounds.token)
        }
    }

    /// Decodes a `HelloResponse`.
    /// - Throws: `MessageError` if the bytes are malformed.
    public func serverInfo(_ bytes: UnsafeRawBufferPointer) throws(MessageError) -> ServerInfo {
        try read(ServerInfo.self, bytes)
    }

    /// Encodes a `HelloResponse`.
    public func encode<R>(_ info: ServerInfo, into body: PackedMessage<R>) -> R { pack(info, body) }

    /// Decodes a `CancelRequest`and returns the id of the call to cancel.
    /// - Throws: `MessageError` if the bytes are malformed.
    public func cancelRequest(_ bytes: UnsafeRawBufferPointer) throws(MessageError) -> String {
        try read(Cancellation.self, bytes).callID
    }

    /// Encodes a `CancelRequest`.
    public func encodeCancelRequest(callID: String) -> [UInt8] { bytes(Cancellation(callID: callID)) }

    /// Decodes a `CancelResponse`and returns whether a call with the id was in progress.
    /// - Throws: `MessageError` if the bytes are malformed.
    public func cancelled(_ bytes: UnsafeRawBufferPointer) throws(MessageError) -> Bool {
        try read(CancellationOutcome.self, bytes).found
    }

    /// Encodes a `CancelResponse`.
    public func encodeCancelled<R>(found: Bool, into body: PackedMessage<R>) -> R {
        pack(CancellationOutcome(found: found), body)
    }

    /// Encodes the `PingResponse` for an encoded `PingRequest`.
    /// - Throws: `MessageError` if the bytes are malformed.
    public func ping(_ bytes: UnsafeRawBufferPointer) throws(MessageError) -> [UInt8] {
        try withMessage(bytes, { gw__ping_request__init($0) }) { (wire: UnsafeMutablePointer<Gw__PingRequest>) in
            let answer = arena.message(Gw__PingResponse.self) { gw__ping_response__init($0) }
            answer.pointee.payload = wire.pointee.payload
            return packed(answer)
        }
    }
}
