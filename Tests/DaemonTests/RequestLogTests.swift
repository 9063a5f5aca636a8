import Config
import EventLoop
import Foundation
import Generation
import Glibc
import Logging
import Providers
import Testing

@testable import Daemon
@testable import Gateway

/// The contents of a line in the request log, and what callers cannot forge.
@Suite struct RequestLogTests {
    private static func record(model: String = "fast", callID: String = "") -> CallRecord {
        CallRecord(
            id: CallRecord.ID(loop: 2, number: 41), callID: callID, caller: .token("ci"), operation: .streamChat,
            requestedModel: model, startedAt: Instant(nanoseconds: 1_000_000_000), requestBytes: 99)
    }

    private static func line(_ record: CallRecord, isJSON: Bool) async throws -> String {
        try await withPipe { output in
            let form = LogForm(label: "genwired", isJSON: isJSON, showsTime: false)
            let writer = LogWriter(form, descriptor: output.write)
            let loop = try EventLoop(label: "log-test")
            await loop.perform {
                let log = LineRequestLog(form, writer, loop)
                log.ended(record)
                log.flush()
            }
            writer.finish(seconds: 60)
            await loop.shutdown()
            return output.readAll()
        }
    }

    private static func object(_ line: String) throws -> [String: Any] {
        try #require(try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any])
    }

    private struct Output: Sendable {
        let read: Int32
        let write: Int32

        /// Closes the write end and reads what is available.
        func readAll() -> String {
            close(write)
            return readToTheEnd()
        }

        func readToTheEnd() -> String {
            var all: [UInt8] = []
            var chunk = [UInt8](repeating: 0, count: 64 << 10)
            while case let count = Glibc.read(read, &chunk, chunk.count), count > 0 { all += chunk[..<count] }
            return String(decoding: all, as: UTF8.self)
        }
    }

    private static func withPipe<T>(_ body: (Output) async throws -> T) async throws -> T {
        var ends: [Int32] = [0, 0]
        try #require(pipe(&ends) == 0)
        defer { close(ends[0]) }
        return try await body(Output(read: ends[0], write: ends[1]))
    }

    private static func finished() throws -> CallRecord {
        let text = "models: {fast: {provider: groq, config: {model_name: m, api_key: sk-planted}}}"
        let configuration = try Configuration.parse(
            Array(text.utf8), file: "f", environment: [:], knownProviders: ["groq"])
        let model = try Gateway(configuration).catalog.models[0]
        var record = record(callID: "job-7")
        record.target = model
        var usage = Usage()
        usage.inputTokens = 3
        usage.outputTokens = 4
        usage.source = .estimated
        record.add(GenerationError(.network, "secret words"), at: model, httpStatus: 0, duration: .nanoseconds(5))
        record.add(
            GenerationError(.streamInterrupted, "more words"), at: model, httpStatus: 200, duration: .nanoseconds(7),
            usage: usage)
        record.firstContentAt = Instant(nanoseconds: 1_001_002_000)
        record.upstreamTime = .nanoseconds(1_500_000)
        record.answerBytes = 17
        record.endedAt = Instant(nanoseconds: 1_012_000_000)
        record.outcome = .failure(.streamInterrupted)
        return record
    }

    @Test func aLineHasWhatOneLooksFor() async throws {
        #expect(
            try await Self.line(Self.finished(), isJSON: false)
                == "info genwired: call id=2.41 call_id=job-7 caller=token:ci operation=StreamChat model=fast "
                + "target=fast provider=groq attempts=2 http_status=200 input_tokens=3 output_tokens=4 tokens=estimated "
                + "first_token_ms=1.002 upstream_ms=1.500 total_ms=12.000 request_bytes=99 answer_bytes=17 "
                + "outcome=failure error_kind=STREAM_INTERRUPTED\n")
        let json = try Self.object(try await Self.line(Self.finished(), isJSON: true))
        #expect(json["message"] as? String == "call" && json["caller"] as? String == "token:ci")
        #expect(json["first_token_ms"] as? Double == 1.002 && json["attempts"] as? Int == 2)
    }

    @Test(arguments: CancelCause.allCases)
    func everyEndHasAName(_ cause: CancelCause) async throws {
        var record = Self.record()
        record.endedAt = record.startedAt
        record.outcome = .cancelled(cause)
        let names: [CancelCause: String] = [
            .caller: "cancelled", .callerGone: "caller_gone", .deadline: "deadline", .shuttingDown: "shutting_down",
            .refused: "refused",
        ]
        let line = try await Self.line(record, isJSON: false)
        #expect(line.hasSuffix(" outcome=\(names[cause] ?? "?")\n") && !line.contains("target="))
    }

    /// Text from a caller stays one short value in one line.
    @Test(arguments: [false, true])
    func callersForgeNothing(_ isJSON: Bool) async throws {
        var record = Self.record(
            model: "x outcome=success\ninfo genwired: call id=9.9 \"\u{7}\\",
            callID: String(repeating: "é", count: 5000))
        record.endedAt = record.startedAt
        let line = try await Self.line(record, isJSON: isJSON)
        #expect(line.utf8.count < 1000 && line.split(separator: "\n").count == 1)
        if isJSON {
            let json = try Self.object(line)
            #expect(json["model"] as? String == record.requestedModel && json["outcome"] as? String == "success")
        } else {
            #expect(line.contains(#" model="x outcome=success\ninfo genwired: call id=9.9 \"\u0007\\" attempts=0 "#))
        }
    }

    /// Without a reader, lines that do not fit are dropped and counted, and no writer waits.
    @Test func aSlowReaderCostsLinesAndNoTime() async throws {
        try await Self.withPipe { output in
            let form = LogForm(label: "genwired", isJSON: false, showsTime: false)
            let writer = LogWriter(form, descriptor: output.write)
            let line = [UInt8](repeating: UInt8(ascii: "x"), count: 999) + [UInt8(ascii: "\n")]
            let lines = 3 * LogWriter.capacity / line.count
            for _ in 0..<lines { writer.write(line, lines: 1) }
            // On threads that may block.
            DispatchQueue.global().async {
                writer.finish(seconds: 60)
                close(output.write)
            }
            let text = await withCheckedContinuation { continuation in
                DispatchQueue.global().async { continuation.resume(returning: output.readToTheEnd()) }
            }
            let found = text.split(separator: "\n")
            let whole = found.filter { $0.count == 999 }.count
            let dropped = found.compactMap { line in
                line.contains("were dropped") ? line.split(separator: "=").last.flatMap { Int($0) } : nil
            }
            #expect(whole >= 1000 && whole < lines)
            #expect(whole + dropped.reduce(0, +) == lines)
        }
    }

    @Test func aQuietLogCostsNothing() async throws {
        let loop = try EventLoop(label: "log-test")
        for (level, isHeard) in [(Logger.Level.debug, true), (.info, true), (.notice, false), (.error, false)] {
            let logger = Logger(label: "x") { StandardErrorLog(label: $0, format: .text, level: level) }
            let hasObserver = await loop.perform { RequestLog(logger).observer(on: loop) != nil }
            #expect(hasObserver == isHeard, "\(level)")
        }
        await loop.shutdown()
    }

    @Test func anotherHandlerGetsTheSamePairs() async throws {
        let keeper = Keeper()
        let loop = try EventLoop(label: "log-test")
        let record = try Self.finished()
        await loop.perform {
            let logger = Logger(label: "x") { _ in Handler(keeper: keeper) }
            RequestLog(logger).observer(on: loop)?.ended(record)
        }
        await loop.shutdown()
        let event = try #require(keeper.events.withLock { $0.first })
        #expect(event.metadata?["caller"] == "token:ci" && event.metadata?["total_ms"] == "12.0")
        #expect(event.metadata?["error_kind"] == "STREAM_INTERRUPTED" && event.level == .info)
    }

    private final class Keeper: Sendable {
        let events = Locked<[LogEvent]>([])
    }

    private struct Handler: LogHandler {
        let keeper: Keeper
        var metadata: Logger.Metadata = [:]
        var logLevel = Logger.Level.info

        subscript(metadataKey key: String) -> Logger.Metadata.Value? {
            get { metadata[key] }
            set { metadata[key] = newValue }
        }

        func log(event: LogEvent) { keeper.events.withLock { $0.append(event) } }
    }
}
