internal import Limits

/// The `ttrpc.Request` envelope, decoded in place: its slices point into the frame and are valid as long as the frame.
///
/// ```
/// Request { string service=1; string method=2; bytes payload=3; int64 timeout_nano=4; repeated KeyValue metadata=5; }
/// ```
struct RequestEnvelope {
    var service = UnsafeRawBufferPointer(start: nil, count: 0)
    var method = UnsafeRawBufferPointer(start: nil, count: 0)
    var payload = UnsafeRawBufferPointer(start: nil, count: 0)
    var timeoutNanoseconds: Int64 = 0
    var metadata: [(key: String, value: String)] = []

    private static let maximumPairs = 64
    private static let unreadable = Failure(.malformed, "the request envelope is not valid Protobuf")

    /// - Throws: `Failure` if the bytes are not a valid envelope, or contain more metadata than allowed.
    init(reading bytes: UnsafeRawBufferPointer) throws(Failure) {
        var reader = ProtobufReader(bytes)
        var metadataBytes = 0
        while let (field, value) = reader.next() {
            switch (field, value) {
            case (1, .bytes(let slice)): service = slice
            case (2, .bytes(let slice)): method = slice
            case (3, .bytes(let slice)): payload = slice
            case (4, .varint(let value)): timeoutNanoseconds = Int64(bitPattern: value)
            case (5, .bytes(let slice)):
                metadataBytes += slice.count
                guard metadata.count < Self.maximumPairs, metadataBytes <= ServerLimits.maxMetadataBytes else {
                    throw Failure(
                        .requestTooLarge,
                        "the metadata exceeds the limit of \(Self.maximumPairs) pairs and "
                            + "\(ServerLimits.maxMetadataBytes) bytes")
                }
                guard let pair = Self.pair(slice) else { throw Self.unreadable }
                metadata.append(pair)
            case (1...5, _): throw Self.unreadable
            default: break
            }
        }
        if reader.isMalformed { throw Self.unreadable }
    }

    private static func pair(_ bytes: UnsafeRawBufferPointer) -> (key: String, value: String)? {
        var pair = (key: "", value: "")
        var reader = ProtobufReader(bytes)
        while let (field, value) = reader.next() {
            switch (field, value) {
            case (1, .bytes(let slice)): pair.key = String(decoding: slice, as: UTF8.self)
            case (2, .bytes(let slice)): pair.value = String(decoding: slice, as: UTF8.self)
            default: break
            }
        }
        return reader.isMalformed ? nil : pair
    }

    /// Encodes a request envelope.
    static func encode(
        service: String, method: String, payload: [UInt8], timeoutNanoseconds: Int64,
        metadata: [(key: String, value: String)] = []
    ) -> [UInt8] {
        var out: [UInt8] = []
        out.reserveCapacity(service.utf8.count + method.utf8.count + payload.count + 32)
        Protobuf.append(field: 1, service.utf8, to: &out)
        Protobuf.append(field: 2, method.utf8, to: &out)
        Protobuf.append(field: 3, payload, to: &out)
        if timeoutNanoseconds > 0 {
            Protobuf.append(varint: 4 << 3, to: &out)
            Protobuf.append(varint: UInt64(timeoutNanoseconds), to: &out)
        }
        for (key, value) in metadata {
            var pair: [UInt8] = []
            Protobuf.append(field: 1, key.utf8, to: &pair)
            Protobuf.append(field: 2, value.utf8, to: &pair)
            Protobuf.append(field: 5, pair, to: &out)
        }
        return out
    }
}

/// The `ttrpc.Response` envelope.
///
/// ```
/// Response { google.rpc.Status status=1; bytes payload=2; }
/// ```
enum ResponseEnvelope {
    /// An explicit empty status before the payload: a zero-byte response hangs old clients (containerd/ttrpc#126).
    private static let emptyStatus: (UInt8, UInt8) = (0x0A, 0x00)

    /// Returns the size of the envelope of a successful response with `payloadSize` bytes of payload.
    static func successSize(_ payloadSize: Int) -> Int {
        2 + 1 + Protobuf.varintSize(UInt64(payloadSize)) + payloadSize
    }

    /// Writes everything before the payload and returns the payload's offset.
    static func writeSuccessHead(_ payloadSize: Int, to out: UnsafeMutableRawBufferPointer, at offset: Int) -> Int {
        out[offset] = emptyStatus.0
        out[offset + 1] = emptyStatus.1
        out[offset + 2] = 2 << 3 | 2
        return offset + 3 + Protobuf.write(varint: UInt64(payloadSize), to: out, at: offset + 3)
    }

    /// Encodes an envelope with an error status.
    static func encode(_ status: Status) -> [UInt8] {
        var out: [UInt8] = []
        Protobuf.append(field: 1, status.encoded(), to: &out)
        return out
    }

    /// Decodes an envelope into its status and its payload, a slice of `bytes`. `nil` if it is malformed.
    static func read(_ bytes: UnsafeRawBufferPointer) -> (status: Status, payload: UnsafeRawBufferPointer)? {
        var status = Status.ok
        var payload = UnsafeRawBufferPointer(start: nil, count: 0)
        var reader = ProtobufReader(bytes)
        while let (field, value) = reader.next() {
            switch (field, value) {
            case (1, .bytes(let slice)):
                guard let read = Status(reading: slice) else { return nil }
                status = read
            case (2, .bytes(let slice)): payload = slice
            default: break
            }
        }
        return reader.isMalformed ? nil : (status, payload)
    }
}
