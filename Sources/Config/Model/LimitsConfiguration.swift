public import Limits

/// The `limits` section: resource limits on callers. The server uses the same type.
public typealias LimitsConfiguration = ServerLimits

/// The section `limits`.
extension ServerLimits: Keyed {
    static let standard = ServerLimits()

    static let keys: [Key<ServerLimits>] = [
        Key(
            "max_connections", \.maxConnections, .integer(in: 1...1_000_000), unit: "connections", reload: .restart,
            "Maximum number of open client connections; further ones are closed at once."),
        Key(
            "max_streams_per_connection", \.maxStreamsPerConnection, .integer(in: 1...1_000_000), unit: "calls",
            reload: .restart, "Maximum number of calls in progress per connection."),
        Key(
            "max_message_bytes", \.maxMessageBytes, .integer(in: 1024...(4 << 20)), unit: "bytes", reload: .restart,
            // A peer refuses more.
            "Maximum size of a frame's data, including the envelope; ttrpc's own limit is 4 MiB."),
        Key(
            "max_buffered_bytes_per_connection", \.maxBufferedBytesPerConnection, .integer(in: 4096...(1 << 32)),
            unit: "bytes", reload: .restart, "Maximum size of unsent responses per connection."),
        Key(
            "max_request_bytes_per_connection", \.maxRequestBytesPerConnection, .integer(in: 65536...(1 << 40)),
            unit: "bytes", reload: .restart, "Maximum memory for requests in progress per connection."),
        Key(
            "max_request_bytes", \.maxRequestBytes, .integer(in: 65536...(1 << 40)), unit: "bytes", reload: .restart,
            "Maximum memory for requests in progress on all connections."),
        Key(
            "max_buffered_bytes", \.maxBufferedBytes, .integer(in: 65536...(1 << 40)), unit: "bytes", reload: .restart,
            "Maximum size of unsent responses on all connections; beyond it, slow clients are disconnected."),
    ]
}
