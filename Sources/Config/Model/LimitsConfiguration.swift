public import Limits

/// The `limits` section: what callers may take. The server goes by the same value.
public typealias LimitsConfiguration = ServerLimits

/// The section `limits`.
extension ServerLimits: Keyed {
    static let standard = ServerLimits()

    static let keys: [Key<ServerLimits>] = [
        Key(
            "max_connections", \.maxConnections, .integer(in: 1...1_000_000), unit: "connections", reload: .restart,
            "Connections of callers at a time; one more is closed at once."),
        Key(
            "max_streams_per_connection", \.maxStreamsPerConnection, .integer(in: 1...1_000_000), unit: "calls",
            reload: .restart, "Calls in progress on one connection."),
        Key(
            "max_message_bytes", \.maxMessageBytes, .integer(in: 1024...(4 << 20)), unit: "bytes", reload: .restart,
            // A peer refuses more.
            "The data of one frame, envelope included; ttrpc itself allows 4 MiB."),
        Key(
            "max_buffered_bytes_per_connection", \.maxBufferedBytesPerConnection, .integer(in: 4096...(1 << 32)),
            unit: "bytes", reload: .restart, "Answers that wait for the client of one connection."),
        Key(
            "max_request_bytes_per_connection", \.maxRequestBytesPerConnection, .integer(in: 65536...(1 << 40)),
            unit: "bytes", reload: .restart, "Memory that requests in progress on one connection hold."),
        Key(
            "max_request_bytes", \.maxRequestBytes, .integer(in: 65536...(1 << 40)), unit: "bytes", reload: .restart,
            "Memory that requests in progress on all connections hold."),
        Key(
            "max_buffered_bytes", \.maxBufferedBytes, .integer(in: 65536...(1 << 40)), unit: "bytes", reload: .restart,
            "Answers that wait for slow clients on all connections; those are closed beyond it."),
    ]
}
