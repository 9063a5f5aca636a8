/// A key of the `limits` section: the one place of its name, its range and its default.
struct LimitKey {
    /// The key in the file.
    let name: String
    /// The values that the file may give.
    let range: ClosedRange<Int>
    /// The value where the file gives none.
    let standard: Int
    /// Where the configuration has it.
    let field: any WritableKeyPath<LimitsConfiguration, Int> & Sendable

    /// The connections of callers at a time.
    static let maxConnections = LimitKey(
        name: "max_connections", range: 1...1_000_000, standard: 4096, field: \.maxConnections)
    /// The calls at a time on one connection.
    static let maxStreamsPerConnection = LimitKey(
        name: "max_streams_per_connection", range: 1...1_000_000, standard: 1024, field: \.maxStreamsPerConnection)
    /// The bytes of one message. ttrpc itself allows 4 MiB, so that a peer would refuse more (`FrameHeader`).
    static let maxMessageBytes = LimitKey(
        name: "max_message_bytes", range: 1024...(4 << 20), standard: 4 << 20, field: \.maxMessageBytes)
    /// The bytes that wait for a slow reader on one connection.
    static let maxBufferedBytesPerConnection = LimitKey(
        name: "max_buffered_bytes_per_connection", range: 4096...(1 << 32), standard: 8 << 20,
        field: \.maxBufferedBytesPerConnection)
    /// The bytes of memory of requests in progress on one connection.
    static let maxRequestBytesPerConnection = LimitKey(
        name: "max_request_bytes_per_connection", range: 65536...(1 << 40), standard: 64 << 20,
        field: \.maxRequestBytesPerConnection)
    /// The bytes of memory of requests in progress on all connections.
    static let maxRequestBytes = LimitKey(
        name: "max_request_bytes", range: 65536...(1 << 40), standard: 512 << 20, field: \.maxRequestBytes)

    /// The bytes that wait for slow readers on all connections.
    static let maxBufferedBytes = LimitKey(
        name: "max_buffered_bytes", range: 65536...(1 << 40), standard: 512 << 20, field: \.maxBufferedBytes)

    /// All of them, in the order in which errors list them.
    static let all = [
        maxConnections, maxStreamsPerConnection, maxMessageBytes, maxBufferedBytesPerConnection,
        maxRequestBytesPerConnection, maxRequestBytes, maxBufferedBytes,
    ]
}

extension Cursor {
    func limits() -> LimitsConfiguration {
        var limits = LimitsConfiguration()
        guard let section = section(keys: LimitKey.all.map(\.name)) else { return limits }
        for key in LimitKey.all {
            limits[keyPath: key.field] = section[key.name]?.integer(in: key.range) ?? key.standard
        }
        return limits
    }
}
