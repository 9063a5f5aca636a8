internal import EventLoop
internal import Gateway
internal import Generation
internal import Logging
internal import Providers

/// The request log: one line per call at level `info`, with the caller, the model, timing, token usage and the result.
/// Never contains prompts, responses or secrets; values that callers choose are truncated.
final class RequestLog: ObserverSource {
    /// Values that callers choose are truncated to this many bytes.
    private static let maximumValueBytes = 128
    /// Approximate maximum length of a line, in bytes.
    static let maximumLineBytes = 4 << 10
    /// How long a drain waits for the lines to be written, in seconds.
    private static let finishSeconds = 2.0

    private let logger: Logger
    /// Writes lines directly to standard error; `nil` if the logger has another handler.
    private let writer: LogWriter?

    init(_ logger: Logger) {
        self.logger = logger
        writer = (logger.handler as? StandardErrorLog).map { LogWriter($0.form) }
    }

    /// Reads the log level once per loop; it does not change while the daemon runs.
    func observer(on loop: EventLoop) -> (any Observer)? {
        guard logger.logLevel <= .info else { return nil }
        guard let writer, let log = logger.handler as? StandardErrorLog else { return LoggerRequestLog(logger) }
        return LineRequestLog(log.form, writer, loop)
    }

    /// Waits until the lines are written, for at most `finishSeconds`.
    func finish() { writer?.finish(seconds: Self.finishSeconds) }

    /// The value of a key in a line.
    enum Value {
        case number(Int)
        case time(TimeAmount)
        /// A value chosen by the gateway: letters, digits, dots and underscores.
        case plain(String)
        /// A value chosen by a caller or a configuration; may contain any character.
        case untrusted(String)
    }

    /// The message of each line.
    static let message = "call"

    /// Calls `add` with the keys and values of a line, in order.
    static func describe(_ record: borrowing CallRecord, _ add: (StaticString, Value) -> Void) {
        func untrusted(_ text: String) -> Value { .untrusted(text.truncated(toBytes: maximumValueBytes)) }
        add("id", .plain(record.id.description))
        if !record.callID.isEmpty { add("call_id", untrusted(record.callID)) }
        add("caller", untrusted(record.caller.description))
        add("operation", .plain(record.operation.rawValue))
        add("model", untrusted(record.requestedModel.isEmpty ? Catalog.defaultName : record.requestedModel))
        if let target = record.target {
            add("target", untrusted(target.name))
            add("provider", .plain(target.providerName))
        }
        add("attempts", .number(record.attemptCount))
        if let attempt = record.attempts.last {
            add("http_status", .number(attempt.httpStatus))
            if attempt.usage.source != .absent {
                add("input_tokens", .number(attempt.usage.inputTokens))
                add("output_tokens", .number(attempt.usage.outputTokens))
                if attempt.usage.source == .estimated { add("tokens", .plain("estimated")) }
            }
        }
        if let first = record.firstContentAt { add("first_token_ms", .time(first - record.startedAt)) }
        if record.authMicroseconds > 0 { add("auth_ms", .time(.microseconds(UInt64(record.authMicroseconds)))) }
        add("upstream_ms", .time(record.upstreamTime))
        add("total_ms", .time(record.endedAt - record.startedAt))
        add("request_bytes", .number(record.requestBytes))
        add("answer_bytes", .number(record.answerBytes))
        switch record.outcome {
        case .success: add("outcome", .plain("success"))
        case .failure(let kind):
            add("outcome", .plain("failure"))
            add("error_kind", .plain(kind.rawValue))
        case .cancelled(let cause): add("outcome", .plain(name(cause)))
        }
    }

    private static func name(_ cause: CancelCause) -> String {
        switch cause {
        case .caller: "cancelled"
        case .callerGone: "caller_gone"
        case .deadline: "deadline"
        case .shuttingDown: "shutting_down"
        case .refused: "refused"
        }
    }
}

/// Formats the lines of one loop and passes them to the writer in batches. Confined to its loop.
final class LineRequestLog: Observer {
    /// How long a line is buffered at most.
    private static let delayNanoseconds: UInt64 = 20_000_000
    /// A batch of this size is written at once.
    private static let batchBytes = 64 << 10

    private let form: LogForm
    private let writer: LogWriter
    private let loop: EventLoop
    private var bytes: [UInt8] = []
    private var lines = 0
    private var timer: LoopTimer?

    init(_ form: LogForm, _ writer: LogWriter, _ loop: EventLoop) {
        self.form = form
        self.writer = writer
        self.loop = loop
        bytes.reserveCapacity(Self.batchBytes + RequestLog.maximumLineBytes)
        timer = LoopTimer { [weak self] in self?.flush() }
    }

    func ended(_ record: borrowing CallRecord) {
        // Appending to a local variable is faster than to a property.
        var bytes = bytes
        self.bytes = []
        form.begin("info", RequestLog.message, in: &bytes)
        RequestLog.describe(record) { key, value in
            switch value {
            case .number(let number): form.addNumber(key, number, to: &bytes)
            case .time(let time): form.addMilliseconds(key, nanoseconds: time.nanoseconds, to: &bytes)
            case .plain(let text): form.addPlain(key, text, to: &bytes)
            case .untrusted(let text): form.addUntrusted(key, text, to: &bytes)
            }
        }
        form.end(&bytes)
        self.bytes = bytes
        lines += 1
        guard bytes.count < Self.batchBytes else { return flush() }
        if let timer, !timer.isScheduled { loop.schedule(timer, after: .nanoseconds(Self.delayNanoseconds)) }
    }

    func flush() {
        if let timer { loop.cancel(timer) }
        guard lines > 0 else { return }
        writer.write(bytes, lines: lines)
        // The writer keeps the old buffer.
        bytes = []
        bytes.reserveCapacity(Self.batchBytes + RequestLog.maximumLineBytes)
        lines = 0
    }
}

/// Passes each line to a logger with another handler than `StandardErrorLog`.
private final class LoggerRequestLog: Observer {
    private let logger: Logger

    init(_ logger: Logger) { self.logger = logger }

    func ended(_ record: borrowing CallRecord) {
        var metadata: Logger.Metadata = [:]
        RequestLog.describe(record) { key, value in
            metadata["\(key)"] =
                switch value {
                case .number(let number): "\(number)"
                case .time(let time): "\(Double(time.microseconds) / 1000)"
                case .plain(let text), .untrusted(let text): "\(text)"
                }
        }
        logger.info("\(RequestLog.message)", metadata: metadata)
    }
}
