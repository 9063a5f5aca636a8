import Testing

@testable import RPC

@Suite struct FrameDecoderTests {
    private static func frame(_ id: UInt32, _ data: [UInt8], kind: UInt8 = 1, flags: UInt8 = 0) -> [UInt8] {
        var bytes = [UInt8](repeating: 0, count: FrameHeader.size)
        bytes.withUnsafeMutableBytes {
            FrameHeader(length: data.count, streamID: id, kind: kind, flags: flags).write(to: $0)
        }
        return bytes + data
    }

    private static func decode(_ slices: [[UInt8]], limit: Int = 1000) -> [String] {
        var decoder = FrameDecoder(maximumLength: limit)
        var seen: [String] = []
        for slice in slices {
            slice.withUnsafeBytes { bytes in
                decoder.consume(bytes) { event in
                    switch event {
                    case .frame(let header, let data):
                        seen.append(
                            "\(header.streamID):\(header.kind):\(header.flags):\(data.count):\(data.reduce(0) { $0 &+ Int($1) })"
                        )
                    case .oversize(let header): seen.append("oversize \(header.streamID) \(header.length)")
                    }
                    return true
                }
            }
        }
        return seen
    }

    @Test func headerIsTheTenBytesOfTheProtocol() {
        let bytes = Self.frame(0x0102_0304, [9, 9], kind: 3, flags: 5)
        #expect(bytes == [0, 0, 0, 2, 1, 2, 3, 4, 3, 5, 9, 9])
    }

    @Test func anySlicingGivesTheSameFrames() {
        let stream =
            Self.frame(1, [1, 2, 3]) + Self.frame(3, []) + Self.frame(5, [UInt8](repeating: 7, count: 1001))
            + Self.frame(7, [UInt8](repeating: 8, count: 1000), kind: 3, flags: 1) + Self.frame(9, [4])
        let whole = Self.decode([stream])
        #expect(whole == ["1:1:0:3:6", "3:1:0:0:0", "oversize 5 1001", "7:3:1:1000:8000", "9:1:0:1:4"])
        #expect(Self.decode(stream.map { [$0] }) == whole)
        for cut in 0...stream.count {
            #expect(Self.decode([Array(stream[..<cut]), Array(stream[cut...])]) == whole)
        }
    }

    @Test func aHugeClaimIsKnownBeforeItsEnd() {
        var decoder = FrameDecoder(maximumLength: 1000)
        let header: [UInt8] = [0x40, 0, 0, 0, 0, 0, 0, 1, 1, 0]
        header.withUnsafeBytes { decoder.consume($0) { _ in true } }
        #expect(decoder.isMidFrame)
        #expect(decoder.hopelessFrame(beyond: 4000)?.length == 1 << 30)
    }

    @Test func stoppingDropsTheRest() {
        var decoder = FrameDecoder(maximumLength: 1000)
        var count = 0
        (Self.frame(1, [1]) + Self.frame(3, [2])).withUnsafeBytes {
            decoder.consume($0) { _ in
                count += 1
                return false
            }
        }
        #expect(count == 1)
    }
}

@Suite struct EnvelopeTests {
    @Test func requestRoundTrip() throws {
        let bytes = RequestEnvelope.encode(
            service: "a.B", method: "C", payload: [1, 2, 3], timeoutNanoseconds: 5_000_000_000)
        try bytes.withUnsafeBytes { raw in
            let read = try RequestEnvelope(reading: raw)
            #expect(read.service.elementsEqual("a.B".utf8))
            #expect(read.method.elementsEqual("C".utf8))
            #expect(Array(read.payload) == [1, 2, 3])
            #expect(read.timeoutNanoseconds == 5_000_000_000)
        }
    }

    /// A truncated envelope is either a shorter valid one or rejected; decoding never reads beyond its end.
    @Test func truncationNeverReadsBeyondTheEnd() {
        let bytes = RequestEnvelope.encode(
            service: "genwire.v1.Generation", method: "Chat", payload: [UInt8](repeating: 1, count: 300),
            timeoutNanoseconds: 77)
        for cut in 0..<bytes.count {
            Array(bytes[..<cut]).withUnsafeBytes { raw in
                if let read = try? RequestEnvelope(reading: raw) { #expect(read.payload.count <= 300) }
            }
        }
    }

    @Test(arguments: [
        [0xFF], [0x08, 0x80], [0x0A, 0x05, 0x61], [0x00], [0x0B],
        [0x1A, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0x01],
        [0x08, 0x01], [0x2A, 0x02, 0x0A, 0x05],
    ])
    func malformedEnvelopesAreRefused(_ bytes: [Int]) {
        _ = bytes.map { UInt8($0) }.withUnsafeBytes { raw in
            #expect(throws: Failure.self) { try RequestEnvelope(reading: raw) }
        }
    }

    @Test func unknownFieldsAreSkipped() throws {
        let bytes: [UInt8] = [0x0A, 1, 0x61, 0x78, 5, 0x7D, 1, 2, 3, 4, 0x79, 1, 2, 3, 4, 5, 6, 7, 8, 0x12, 1, 0x62]
        try bytes.withUnsafeBytes { raw in
            let read = try RequestEnvelope(reading: raw)
            #expect(read.method.elementsEqual("b".utf8))
        }
    }

    @Test func statusWithDetailsRoundTrip() throws {
        let status = Status(8, "slow down", details: [Status.Detail(typeURL: "type/x", value: [1, 0, 2])])
        try ResponseEnvelope.encode(status).withUnsafeBytes { raw in
            let read = try #require(ResponseEnvelope.read(raw))
            #expect(read.status == status)
            #expect(read.payload.isEmpty)
        }
    }
}

@Suite struct AddressTests {
    @Test func goodAddresses() throws {
        #expect(try Address("unix:/tmp/x.sock") == .unix(path: "/tmp/x.sock"))
        #expect(try Address("tcp:127.0.0.1:80") == .tcp(host: "127.0.0.1", port: 80))
        #expect(try Address("tcp:[::1]:80") == .tcp(host: "::1", port: 80))
        #expect(try Address("tcp:[::1]:80").description == "tcp:[::1]:80")
    }

    @Test(arguments: [
        "", "unix:", "http://x", "tcp:1", "tcp::5", "tcp:h:70000", "unix:" + String(repeating: "a", count: 108),
    ])
    func badAddressesSayWhatIsWrong(_ text: String) {
        #expect(throws: AddressError.self) { try Address(text) }
    }
}
