import Testing

@testable import RPC

/// The rules of ttrpc streams, without a socket.
@Suite struct StreamTableTests {
    private typealias Kind = FrameHeader.Kind
    private typealias Flags = FrameHeader.Flags
    private typealias Table = StreamTable<String>

    private static func request(_ id: UInt32) -> FrameHeader {
        FrameHeader(length: 10, streamID: id, kind: Kind.request, flags: 0)
    }

    private static func data(_ id: UInt32, length: Int = 0, flags: UInt8 = Flags.remoteClosed) -> FrameHeader {
        FrameHeader(length: length, streamID: id, kind: Kind.data, flags: flags)
    }

    /// The meaning of each frame, as text.
    private func expect(
        _ table: inout Table, _ headers: [FrameHeader], _ words: [String],
        sourceLocation: SourceLocation = #_sourceLocation
    ) {
        let steps = headers.map { word(table.receive($0)) }
        #expect(steps == words, sourceLocation: sourceLocation)
    }

    private func word(_ step: Table.Step) -> String {
        switch step {
        case .request: "request"
        case .close: "close"
        case .unexpectedData(let stream): "unexpected data on \(stream)"
        case .ignored: "ignored"
        case .violation(let violation): violation.message
        }
    }

    private static let reused = "StreamID cannot be re-used and must increment"
    private static let even = "StreamID must be odd for client initiated streams"
    private static let inactive = "StreamID is no longer active"

    @Test func idsIncreaseAndMayLeaveGaps() {
        var table = Table()
        expect(&table, [1, 3, 9, UInt32.max].map(Self.request), .init(repeating: "request", count: 4))
        #expect(table.violationCount == 0 && table.count == 0)
    }

    /// An id counts as used even if its call was refused.
    @Test func noIDComesTwiceOrBackwards() {
        var table = Table()
        expect(&table, [Self.request(5)], ["request"])
        for id: UInt32 in [5, 3, 1] { expect(&table, [Self.request(id)], [Self.reused]) }
        #expect(table.violationCount == 3)
        expect(&table, [Self.request(7)], ["request"])
    }

    @Test func evenIDsAreTheServers() {
        var table = Table()
        for kind: UInt8 in [Kind.request, Kind.response, Kind.data, 9] {
            for id: UInt32 in [0, 2] {
                let header = FrameHeader(length: 0, streamID: id, kind: kind, flags: 0)
                expect(&table, [header], [Self.even])
            }
        }
        // They change no state.
        expect(&table, [Self.request(1)], ["request"])
        #expect(table.violationCount == 8)
    }

    @Test func unknownTypesAreIgnored() {
        var table = Table()
        for kind: UInt8 in [0, Kind.response, 4, 255] {
            for id: UInt32 in [1, 3] {
                expect(&table, [FrameHeader(length: 3, streamID: id, kind: kind, flags: 0)], ["ignored"])
            }
        }
        #expect(table.violationCount == 0)
    }

    @Test func aStreamsClientMaySayThatItSendsNoMore() {
        var table = Table()
        _ = table.receive(Self.request(1))
        table.insert("stream", id: 1, isServerStreaming: true)
        for flags in [Flags.remoteClosed, Flags.remoteClosed | Flags.noData] {
            expect(&table, [Self.data(1, flags: flags)], ["close"])
        }
        #expect(table.count == 1 && table.violationCount == 0)
    }

    @Test func dataBeyondTheRequestIsItsCallsEnd() {
        var table = Table()
        for (id, isStream) in [(UInt32(1), true), (3, false)] {
            _ = table.receive(Self.request(id))
            table.insert("\(id)", id: id, isServerStreaming: isStream)
        }
        for header in [
            Self.data(1, length: 4), Self.data(1, flags: 0), Self.data(1, length: 4, flags: 0),
            Self.data(1, flags: Flags.noData),
        ] {
            expect(&table, [header], ["unexpected data on 1"])
        }
        // A unary call accepts nothing after its request.
        for header in [Self.data(3), Self.data(3, length: 1)] {
            expect(&table, [header], ["unexpected data on 3"])
        }
        // The connection stays open, and the stream stays active until its call has ended.
        #expect(table.violationCount == 0 && table.count == 2)
    }

    @Test func dataForNoStreamIsAViolation() {
        var table = Table()
        // Never requested, requested and refused, ended.
        expect(&table, [Self.data(1)], [Self.inactive])
        _ = table.receive(Self.request(1))
        expect(&table, [Self.data(1)], [Self.inactive])
        _ = table.receive(Self.request(3))
        table.insert("stream", id: 3, isServerStreaming: true)
        table.remove(3)
        expect(&table, [Self.data(3)], [Self.inactive])
        #expect(table.violationCount == 3)
    }

    @Test func whatHasEndedIsForgotten() {
        var table = Table()
        for id in stride(from: UInt32(1), to: 2001, by: 2) {
            _ = table.receive(Self.request(id))
            table.insert("\(id)", id: id, isServerStreaming: false)
            if id > 3 { table.remove(id) }
        }
        #expect(table.count == 2 && table.streams.sorted() == ["1", "3"])
        table.remove(99)
        #expect(table.count == 2)
        expect(&table, [Self.request(1999)], [Self.reused])
    }
}
