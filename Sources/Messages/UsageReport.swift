internal import CGenwireProto
internal import CProtobufC

/// One row of `GetUsage`.
public struct UsageReport: Sendable, Equatable {
    /// The provider.
    public var provider = ""
    /// The configured model's name, `provider/model_name` as callers wrote it, or `*` for the rest of those.
    public var model = ""
    /// Attempts.
    public var requests: Int64 = 0
    /// Successful attempts.
    public var successfulRequests: Int64 = 0
    /// Attempts that ended with an error.
    public var failedRequests: Int64 = 0
    /// Attempts that their caller cancelled or left.
    public var cancelledRequests: Int64 = 0
    /// Tokens of the prompts.
    public var inputTokens: Int64 = 0
    /// Tokens of the responses.
    public var outputTokens: Int64 = 0
    /// The mean time of a successful attempt, in seconds.
    public var averageLatencySeconds = 0.0
    /// The share of failed attempts, 0 to 1.
    public var errorRate = 0.0

    /// An empty row.
    public init() {}
}

extension UsageReport: MappedValue {
    static var empty: UsageReport { UsageReport() }

    static func initialise(_ wire: UnsafeMutablePointer<Gw__UsageRow>) { gw__usage_row__init(wire) }

    static func map<P: FieldPass>(
        _ pass: P, _ wire: UnsafeMutablePointer<Gw__UsageRow>, _ value: inout UsageReport
    ) throws(P.Failure) {
        try pass.text(&wire.pointee.provider, &value.provider, "provider")
        try pass.text(&wire.pointee.model, &value.model, "model")
        pass.number(&wire.pointee.requests, &value.requests)
        pass.number(&wire.pointee.successful_requests, &value.successfulRequests)
        pass.number(&wire.pointee.failed_requests, &value.failedRequests)
        pass.number(&wire.pointee.cancelled_requests, &value.cancelledRequests)
        pass.number(&wire.pointee.input_tokens, &value.inputTokens)
        pass.number(&wire.pointee.output_tokens, &value.outputTokens)
        pass.number(&wire.pointee.average_latency_seconds, &value.averageLatencySeconds)
        pass.number(&wire.pointee.error_rate, &value.errorRate)
    }
}

/// A `GetUsageResponse`.
struct UsageReports: MappedValue {
    var rows: [UsageReport]

    static var empty: UsageReports { UsageReports(rows: []) }

    static func initialise(_ wire: UnsafeMutablePointer<Gw__GetUsageResponse>) { gw__get_usage_response__init(wire) }

    static func map<P: FieldPass>(
        _ pass: P, _ wire: UnsafeMutablePointer<Gw__GetUsageResponse>, _ value: inout UsageReports
    ) throws(P.Failure) {
        try pass.list(&wire.pointee.n_rows, &wire.pointee.rows, &value.rows)
    }
}

extension MessageCoder {
    /// Reads a `GetUsageResponse`.
    /// - Throws: `MessageError` if the bytes are malformed.
    public func usageReports(_ bytes: UnsafeRawBufferPointer) throws(MessageError) -> [UsageReport] {
        try read(UsageReports.self, bytes).rows
    }

    /// Packs a `GetUsageResponse`.
    public func encode<R>(_ rows: [UsageReport], into body: PackedMessage<R>) -> R {
        pack(UsageReports(rows: rows), body)
    }

    /// Tells `visitor` the fields of a `GetUsageResponse`.
    package func describe(_ rows: [UsageReport], to visitor: inout some MessageVisitor) {
        describe(fieldsOf: UsageReports(rows: rows), to: &visitor)
    }
}
