package import EventLoop
internal import Generation
internal import Providers
internal import Synchronization

/// What was used since the start, one row per provider and model: the first observer. Safe from any thread.
package final class UsageLedger: ObserverSource {
    /// One provider's model.
    package struct Key: Sendable, Hashable {
        /// The provider.
        package let provider: String
        /// The model's name in the configuration, or `provider/model_name` as the caller wrote it. Names of callers
        /// beyond `UsageLedger.dynamicCapacity` share one row, `UsageLedger.others`.
        package let model: String
    }

    /// How an attempt ended.
    package enum Outcome: Sendable {
        /// With an answer.
        case succeeded
        /// With an error.
        case failed
        /// By the caller, before its end.
        case cancelled
    }

    /// The sums of one row. Every attempt counts as a request.
    package struct Row: Sendable, Equatable {
        /// Attempts, failed and cancelled ones included.
        package var requests: Int64 = 0
        /// Attempts that brought an answer.
        package var successfulRequests: Int64 = 0
        /// Attempts that ended with an error.
        package var failedRequests: Int64 = 0
        /// Attempts that their caller cancelled or left.
        package var cancelledRequests: Int64 = 0
        /// Tokens of the prompts: the provider's count, or our estimate where a stream broke off without one.
        package var inputTokens: Int64 = 0
        /// Tokens of the answers: the provider's count, or our estimate where a stream broke off without one.
        package var outputTokens: Int64 = 0
        /// The time of the successful attempts, in nanoseconds.
        package var latencyNanoseconds: UInt64 = 0

        /// The mean time of a successful attempt, in seconds.
        package var averageLatencySeconds: Double {
            successfulRequests == 0 ? 0 : Double(latencyNanoseconds) / 1e9 / Double(successfulRequests)
        }
        /// The share of failures among the attempts that were not cancelled, 0 to 1.
        package var errorRate: Double {
            let ended = requests - cancelledRequests
            return ended == 0 ? 0 : Double(failedRequests) / Double(ended)
        }
    }

    /// How many models that only callers named have rows of their own.
    package static let dynamicCapacity = 256
    /// The `Key.model` of all others. No model can have this name.
    package static let others = "*"

    private struct State {
        /// The sums of each row, one for each loop that added to it.
        var rows: [Key: [RowSums]] = [:]
        var dynamicCount = 0
    }

    private let state = Locked(State())

    /// An empty ledger.
    init() {}

    package func observer(on loop: EventLoop) -> (any Observer)? { LedgerPage(self) }

    fileprivate func hasRow(_ key: Key) -> Bool { state.withLock { $0.rows[key] != nil } }

    /// Where one page adds up a model's attempts. Models of the configuration always have a row; the number of rows for
    /// names that callers made up is bounded, and those beyond share one.
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

    /// All rows, ordered by provider and model. A call that ends meanwhile may be in some of a row's numbers only.
    package func snapshot() -> [(key: Key, row: Row)] {
        state.withLock { $0.rows }.sorted { ($0.key.provider, $0.key.model) < ($1.key.provider, $1.key.model) }
            .map { (key: $0.key, row: $0.value.reduce(into: Row()) { $1.add(to: &$0) }) }
    }
}

/// One loop's part of the ledger: only its loop adds to it, so that no call takes a lock once its model has a row.
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
            add(attempt.model, usage: attempt.usage, outcome, nanoseconds: attempt.nanoseconds)
        }
    }

    /// Adds one attempt at `model`.
    func add(_ model: ConfiguredModel, usage: Usage, _ outcome: UsageLedger.Outcome, nanoseconds: UInt64) {
        row(model).add(usage, outcome, nanoseconds: nanoseconds)
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

/// The sums of one row and one loop. One loop adds, so plain loads and stores do; any thread may read.
private final class RowSums: Sendable {
    private let requests = Atomic<Int64>(0)
    private let successfulRequests = Atomic<Int64>(0)
    private let failedRequests = Atomic<Int64>(0)
    private let cancelledRequests = Atomic<Int64>(0)
    private let inputTokens = Atomic<Int64>(0)
    private let outputTokens = Atomic<Int64>(0)
    private let latencyNanoseconds = Atomic<Int64>(0)

    func add(_ usage: Usage, _ outcome: UsageLedger.Outcome, nanoseconds: UInt64) {
        Self.add(1, to: requests)
        switch outcome {
        case .succeeded:
            Self.add(1, to: successfulRequests)
            Self.add(Int64(clamping: nanoseconds), to: latencyNanoseconds)
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
        row.latencyNanoseconds += UInt64(latencyNanoseconds.load(ordering: .acquiring))
    }

    private static func add(_ value: Int64, to sum: borrowing Atomic<Int64>) {
        sum.store(sum.load(ordering: .relaxed) &+ value, ordering: .releasing)
    }
}
