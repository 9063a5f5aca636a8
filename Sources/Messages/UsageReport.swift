internal import CGenwireProto
internal import CProtobufC

/// One row of `GetUsage`: what one model was used for since the server started.
public struct UsageReport: Sendable, Equatable {
    /// The provider's name.
    public var provider = ""
    /// The configured model's name, or `provider/model_name` as callers wrote it; `*` sums all further such names.
    public var model = ""
    /// Number of attempts.
    public var requests: Int64 = 0
    /// Number of successful attempts.
    public var successfulRequests: Int64 = 0
    /// Number of attempts that ended with an error.
    public var failedRequests: Int64 = 0
    /// Number of attempts whose caller cancelled the call or disconnected.
    public var cancelledRequests: Int64 = 0
    /// Sum of the input tokens.
    public var inputTokens: Int64 = 0
    /// Sum of the output tokens.
    public var outputTokens: Int64 = 0
    /// Mean duration of a successful attempt in seconds.
    public var averageLatencySeconds = 0.0
    /// The share of failures among the attempts that were not cancelled, 0 to 1.
    public var errorRate = 0.0

    /// Creates a row without attempts.
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
    /// Decodes a `GetUsageResponse`.
    /// - Throws: `MessageError` if the bytes are malformed.
    public func usageReports(_ bytes: UnsafeRawBufferPointer) throws(MessageError) -> [UsageReport] {
        try read(UsageReports.self, bytes).rows
    }

    /// Encodes a `GetUsageResponse`.
    public func encode<R>(_ rows: [UsageReport], into body: PackedMessage<R>) -> R {
        pack(UsageReports(rows: rows), body)
    }

    /// Describes to `visitor` the fields of a `GetUsageResponse`.
    package func describe(_ rows: [UsageReport], to visitor: inout some MessageVisitor) {
        describe(fieldsOf: UsageReports(rows: rows), to: &visitor)
    }
}
