/// How a call ended: a gRPC code, words for a person, and details for a program (`google.rpc.Status`).
public struct Status: Error, Sendable, Equatable, CustomStringConvertible {
    /// The gRPC status codes. Source: `google/rpc/code.proto`.
    public enum Code {
        /// Success.
        public static let ok: Int32 = 0
        /// The caller gave up.
        public static let cancelled: Int32 = 1
        /// Nothing better fits.
        public static let unknown: Int32 = 2
        /// The request is wrong.
        public static let invalidArgument: Int32 = 3
        /// The deadline passed.
        public static let deadlineExceeded: Int32 = 4
        /// The caller may not do this.
        public static let permissionDenied: Int32 = 7
        /// No such thing.
        public static let notFound: Int32 = 5
        /// A limit is reached.
        public static let resourceExhausted: Int32 = 8
        /// No such method.
        public static let unimplemented: Int32 = 12
        /// A defect, here or at the peer.
        public static let `internal`: Int32 = 13
        /// Not now; another try may succeed.
        public static let unavailable: Int32 = 14
        /// The caller is not known.
        public static let unauthenticated: Int32 = 16
    }

    /// One `google.protobuf.Any`.
    public struct Detail: Sendable, Equatable {
        /// For example `type.googleapis.com/genwire.v1.ErrorDetail`.
        public var typeURL: String
        /// The encoded message.
        public var value: [UInt8]

        /// A detail of a type.
        public init(typeURL: String, value: [UInt8]) {
            self.typeURL = typeURL
            self.value = value
        }
    }

    /// See `Code`.
    public var code: Int32
    /// What happened and what to do.
    public var message: String
    /// Typed details.
    public var details: [Detail]

    /// A status.
    public init(_ code: Int32, _ message: String, details: [Detail] = []) {
        self.code = code
        self.message = message
        self.details = details
    }

    /// Success.
    public static let ok = Status(Code.ok, "")

    /// Whether this is success.
    public var isOK: Bool { code == Code.ok }

    /// Code and message.
    public var description: String { "status \(code): \(message)" }

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
