/// The ttrpc frame header: ten bytes before every message.
///
/// ```
/// length u32 BE | stream id u32 BE | type u8 | flags u8 | data…
/// ```
/// `length` excludes the header. Source: `PROTOCOL.md` of containerd/ttrpc 1.2.
package struct FrameHeader: Sendable, Equatable {
    /// The header's size in bytes.
    package static let size = 10
    /// The maximum data length in ttrpc, in bytes. It keeps the first byte of every frame zero, which distinguishes
    /// ttrpc from HTTP/2.
    package static let maximumLength = 4 << 20

    /// Frame types. Unknown types are ignored on odd stream ids, as the protocol requires.
    package enum Kind {
        /// Client to server: opens a stream; the data is a `Request` envelope.
        package static let request: UInt8 = 1
        /// Server to client: ends a stream; the data is a `Response` envelope.
        package static let response: UInt8 = 2
        /// Either direction, on streaming calls only: the data is a message without an envelope.
        package static let data: UInt8 = 3
    }

    /// Flag bits.
    package enum Flags {
        /// The sender will send no more on this stream.
        package static let remoteClosed: UInt8 = 1
        /// The sender of a request will send more messages.
        package static let remoteOpen: UInt8 = 2
        /// The frame contains no message, as opposed to an empty one.
        package static let noData: UInt8 = 4
    }

    /// The length of the data after the header, in bytes.
    package var length: Int
    /// The stream's id. Odd, because only clients open streams.
    package var streamID: UInt32
    /// The frame type, one of `Kind` or unknown.
    package var kind: UInt8
    /// The flag bits of `Flags`.
    package var flags: UInt8

    /// Creates a header from its fields.
    package init(length: Int, streamID: UInt32, kind: UInt8, flags: UInt8) {
        self.length = length
        self.streamID = streamID
        self.kind = kind
        self.flags = flags
    }

    /// Reads the first ten bytes of `bytes`.
    @inline(__always)
    init(reading bytes: UnsafeRawBufferPointer) {
        length = Int(UInt32(bigEndian: bytes.loadUnaligned(fromByteOffset: 0, as: UInt32.self)))
        streamID = UInt32(bigEndian: bytes.loadUnaligned(fromByteOffset: 4, as: UInt32.self))
        kind = bytes[8]
        flags = bytes[9]
    }

    /// Writes the header into the first ten bytes of `bytes`.
    @inline(__always)
    func write(to bytes: UnsafeMutableRawBufferPointer) {
        bytes.storeBytes(of: UInt32(truncatingIfNeeded: length).bigEndian, toByteOffset: 0, as: UInt32.self)
        bytes.storeBytes(of: streamID.bigEndian, toByteOffset: 4, as: UInt32.self)
        bytes[8] = kind
        bytes[9] = flags
    }
}
