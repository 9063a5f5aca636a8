/// How a call ended (`google.rpc.Status`): a gRPC code, a message for people, and details for programs.
package struct Status: Error, Sendable, Equatable, CustomStringConvertible {
    /// The gRPC status codes. Source: `google/rpc/code.proto`.
    package enum Code {
        /// Success.
        package static let ok: Int32 = 0
        /// The caller cancelled the call or disconnected.
        package static let cancelled: Int32 = 1
        /// No other code applies.
        package static let unknown: Int32 = 2
        /// The request is invalid; a retry fails the same way.
        package static let invalidArgument: Int32 = 3
        /// The call did not end before its deadline.
        package static let deadlineExceeded: Int32 = 4
        /// The caller is authenticated but not permitted to do this.
        package static let permissionDenied: Int32 = 7
        /// What the request refers to does not exist.
        package static let notFound: Int32 = 5
        /// A limit is reached.
        package static let resourceExhausted: Int32 = 8
        /// The server has no such method.
        package static let unimplemented: Int32 = 12
        /// A bug in the server or in the peer.
        package static let `internal`: Int32 = 13
        /// Temporarily unavailable; a retry may succeed.
        package static let unavailable: Int32 = 14
        /// The caller is not authenticated.
        package static let unauthenticated: Int32 = 16
    }

    /// A typed detail, encoded as a `google.protobuf.Any`.
    package struct Detail: Sendable, Equatable {
        /// For example `type.googleapis.com/genwire.v1.ErrorDetail`.
        package var typeURL: String
        /// The encoded Protobuf message.
        package var value: [UInt8]

        /// Creates a detail of the message type `typeURL`.
        package init(typeURL: String, value: [UInt8]) {
            self.typeURL = typeURL
            self.value = value
        }
    }

    /// A gRPC code, usually one of `Code`; other values are kept as received.
    package var code: Int32
    /// What happened and what to do.
    package var message: String
    /// Details for programs; empty by default.
    package var details: [Detail]

    /// Creates a status with a gRPC code and a message.
    package init(_ code: Int32, _ message: String, details: [Detail] = []) {
        self.code = code
        self.message = message
        self.details = details
    }

    /// Success.
    package static let ok = Status(Code.ok, "")

    /// Whether this is success.
    package var isOK: Bool { code == Code.ok }

    /// Code and message.
    package var description: String { "status \(code): \(message)" }

    func encoded() -> [UInt8] {
        var out: [UInt8] = []
        if code != 0 {
            Protobuf.append(varint: 1 << 3, to: &out)
            Protobuf.append(varint: UInt64(bitPattern: Int64(code)), to: &out)
        }
        if !message.isEmpty { Protobuf.append(field: 2, message.utf8, to: &out) }
        for detail in details {
            var any: [UInt8] = []
            Protobuf.append(field: 1, detail.typeURL.utf8, to: &any)
            Protobuf.append(field: 2, detail.value, to: &any)
            Protobuf.append(field: 3, any, to: &out)
        }
        return out
    }

    init?(reading bytes: UnsafeRawBufferPointer) {
        self = .ok
        var reader = ProtobufReader(bytes)
        while let (field, value) = reader.next() {
            switch (field, value) {
            case (1, .varint(let value)): code = Int32(truncatingIfNeeded: value)
            case (2, .bytes(let slice)): message = String(decoding: slice, as: UTF8.self)
            case (3, .bytes(let slice)):
                var detail = Detail(typeURL: "", value: [])
                var inner = ProtobufReader(slice)
                while let (field, value) = inner.next() {
                    switch (field, value) {
                    case (1, .bytes(let slice)): detail.typeURL = String(decoding: slice, as: UTF8.self)
                    case (2, .bytes(let slice)): detail.value = [UInt8](slice)
                    default: break
                    }
                }
                if inner.isMalformed { return nil }
                details.append(detail)
            default: break
            }
        }
        if reader.isMalformed { return nil }
    }
}
