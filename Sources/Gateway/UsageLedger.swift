package import EventLoop
internal import Generation
internal import Providers
internal import Synchronization

/// Usage since the start, one row per provider and model. Safe from any thread.
package final class UsageLedger: ObserverSource {
    /// The provider and model of a row.
    package struct Key: Sendable, Hashable {
        /// The provider's name.
        package let provider: String
        /// The model's name in the configuration, or `provider/model_name` as the caller wrote it. Once there are
        /// `UsageLedger.dynamicCapacity` such names, further ones share the row `UsageLedger.others`.
        package let model: String
    }

    /// The result of an attempt.
    package enum Outcome: Sendable {
        /// The model returned a complete response.
        case succeeded
        /// The attempt failed.
        case failed
        /// The call was cancelled.
        case cancelled
    }

    /// The sums of one row. Every attempt counts as a request.
    package struct Row: Sendable, Equatable {
        /// Attempts, failed and cancelled ones included.
        package var requests: Int64 = 0
        /// Attempts that returned a complete response.
        package var successfulRequests: Int64 = 0
        /// Attempts that failed.
        package var failedRequests: Int64 = 0
        /// Attempts whose caller cancelled the call or disconnected.
        package var cancelledRequests: Int64 = 0
        /// Prompt tokens, as reported by the provider or estimated for streams that were interrupted.
        package var inputTokens: Int64 = 0
        /// Response tokens, as reported by the provider or estimated for streams that were interrupted.
        package var outputTokens: Int64 = 0
        /// Total duration of the successful attempts.
        package var latency = TimeAmount.zero

        /// Mean duration of a successful attempt, in seconds; 0 if there is none.
        package var averageLatencySeconds: Double {
            successfulRequests == 0 ? 0 : latency.seconds / Double(successfulRequests)
        }
        /// Fraction of failures among the attempts that were not cancelled, 0 to 1.
        package var errorRate: Double {
            let ended = requests - cancelledRequests
            return ended == 0 ? 0 : Double(failedRequests) / Double(ended)
        }
    }

    /// Maximum number of rows for models that are not configured.
    package static let dynamicCapacity = 256
    /// The `Key.model` of the row that further models share. No model can have this name.
    package static let others = "*"

    private struct State {
        /// The sums of each row, one entry per loop that has added to it.
        var rows: [Key: [RowSums]] = [:]
        var dynamicCount = 0
    }

    private let state = Locked(State())

    init() {}

    package func observer(on loop: EventLoop) -> (any Observer)? { LedgerPage(self) }

    fileprivate func hasRow(_ key: Key) -> Bool { state.withLock { $0.rows[key] != nil } }

    /// Adds sums for one page to the row of `key`. Configured models always have a row; other models share a row once
    /// there are `dynamicCapacity` of them.
    fileprivate func row(for key: Key, isConfigured: Bool) -> (key: Key, sums: RowSums) {
        state.withLock { state in
            var key = key
            if !isConfigured, state.rows[key] == nil {
                if state.dynamicCount < Self.dynamicCapacity {
                    state.dynamicCount += 1
                } else {
                    key = Key(provider: key.provider, model: Self.others)
                }
            }
            let sums = RowSums()
            state.rows[key, default: []].append(sums)
            return (key, sums)
        }
    }

    /// Returns all rows, ordered by provider and model. A call that ends concurrently may be included in only some of a
    /// row's numbers.
    package func snapshot() -> [(key: Key, row: Row)] {
        state.withLock { $0.rows }.sorted { ($0.key.provider, $0.key.model) < ($1.key.provider, $1.key.model) }
            .map { (key: $0.key, row: $0.value.reduce(into: Row()) { $1.add(to: &$0) }) }
    }
}

/// One loop's part of the ledger. Confined to its loop, so that adding needs no lock once a model has a row.
final class LedgerPage: Observer {
    private let ledger: UsageLedger
    private var rows: [UsageLedger.Key: RowSums] = [:]

    init(_ ledger: UsageLedger) { self.ledger = ledger }

    func ended(_ record: borrowing CallRecord) {
        for attempt in record.attempts where !attempt.isRepeated {
            let outcome: UsageLedger.Outcome =
                switch attempt.kind {
                case nil: .succeeded
                case .cancelled: .cancelled
                default: .failed
                }
            add(attempt.model, usage: attempt.usage, outcome, duration: attempt.duration)
        }
    }

    /// Adds one attempt at `model`.
    func add(_ model: ConfiguredModel, usage: Usage, _ outcome: UsageLedger.Outcome, duration: TimeAmount) {
        row(model).add(usage, outcome, duration: duration)
    }

    private func row(_ model: ConfiguredModel) -> RowSums {
        let wanted = UsageLedger.Key(provider: model.providerName, model: model.name)
        if let known = rows[wanted] { return known }
        let others = UsageLedger.Key(provider: model.providerName, model: UsageLedger.others)
        if !model.isConfigured, let shared = rows[others], !ledger.hasRow(wanted) { return shared }
        let (key, sums) = ledger.row(for: wanted, isConfigured: model.isConfigured)
        rows[key] = sums
        return sums
    }
}

/// The sums of one row on one loop. Only that loop writes, so plain loads and stores suffice; any thread may read.
private final class RowSums: Sendable {
    private let requests = Atomic<Int64>(0)
    private let successfulRequests = Atomic<Int64>(0)
    private let failedRequests = Atomic<Int64>(0)
    private let cancelledRequests = Atomic<Int64>(0)
    private let inputTokens = Atomic<Int64>(0)
    private let outputTokens = Atomic<Int64>(0)
    private let latencyNanoseconds = Atomic<Int64>(0)

    func add(_ usage: Usage, _ outcome: UsageLedger.Outcome, duration: TimeAmount) {
        Self.add(1, to: requests)
        switch outcome {
        case .succeeded:
            Self.add(1, to: successfulRequests)
            Self.add(Int64(clamping: duration.nanoseconds), to: latencyNanoseconds)
        case .failed: Self.add(1, to: failedRequests)
        case .cancelled: Self.add(1, to: cancelledRequests)
        }
        Self.add(Int64(usage.inputTokens), to: inputTokens)
        Self.add(Int64(usage.outputTokens), to: outputTokens)
    }

    func add(to row: inout UsageLedger.Row) {
        row.requests += requests.load(ordering: .acquiring)
        row.successfulRequests += successfulRequests.load(ordering: .acquiring)
        row.failedRequests += failedRequests.load(ordering: .acquiring)
        row.cancelledRequests += cancelledRequests.load(ordering: .acquiring)
        row.inputTokens += inputTokens.load(ordering: .acquiring)
        row.outputTokens += outputTokens.load(ordering: .acquiring)
        row.latency = row.latency + .nanoseconds(UInt64(latencyNanoseconds.load(ordering: .acquiring)))
    }

    private static func add(_ value: Int64, to sum: borrowing Atomic<Int64>) {
        sum.store(sum.load(ordering: .relaxed) &+ value, ordering: .releasing)
    }
}
