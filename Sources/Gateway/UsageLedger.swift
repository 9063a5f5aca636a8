internal import EventLoop
public import Generation
public import Providers

/// What was used since the start, one row per provider and model. Safe from any thread.
public final class UsageLedger: Sendable {
    /// One provider's model.
    public struct Key: Sendable, Hashable {
        /// The provider.
        public let provider: String
        /// The model's name in the configuration, or `provider/model_name` as the caller wrote it. Names of callers
        /// beyond `UsageLedger.dynamicCapacity` share one row, `UsageLedger.others`.
        public let model: String
    }

    /// How an attempt ended.
    public enum Outcome: Sendable {
        /// With an answer.
        case succeeded
        /// With an error.
        case failed
        /// By the caller, before its end.
        case cancelled
    }

    /// The sums of one row. Every attempt counts as a request.
    public struct Row: Sendable, Equatable {
        /// Attempts, failed and cancelled ones included.
        public var requests: Int64 = 0
        /// Attempts that brought an answer.
        public var successfulRequests: Int64 = 0
        /// Attempts that ended with an error.
        public var failedRequests: Int64 = 0
        /// Attempts that their caller cancelled or left.
        public var cancelledRequests: Int64 = 0
        /// Tokens of the prompts: the provider's count, or our estimate where a stream broke off without one.
        public var inputTokens: Int64 = 0
        /// Tokens of the answers: the provider's count, or our estimate where a stream broke off without one.
        public var outputTokens: Int64 = 0
        /// The time of the successful attempts, in nanoseconds.
        public var latencyNanoseconds: UInt64 = 0

        /// The mean time of a successful attempt, in seconds.
        public var averageLatencySeconds: Double {
            successfulRequests == 0 ? 0 : Double(latencyNanoseconds) / 1e9 / Double(successfulRequests)
        }
        /// The share of failures among the attempts that were not cancelled, 0 to 1.
        public var errorRate: Double {
            let ended = requests - cancelledRequests
            return ended == 0 ? 0 : Double(failedRequests) / Double(ended)
        }
    }

    /// How many models that only callers named have rows of their own.
    public static let dynamicCapacity = 256
    /// The `Key.model` of all others. No model can have this name.
    public static let others = "*"

    private struct State {
        var rows: [Key: Row] = [:]
        var dynamicCount = 0
    }

    private let state = Locked(State())

    /// An empty ledger.
    public init() {}

    /// Adds one attempt at `model`. Models of the configuration always have a row; the number of rows for names that
    /// callers made up is bounded.
    public func record(_ model: ConfiguredModel, usage: Usage, _ outcome: Outcome, nanoseconds: UInt64) {
        state.withLock { state in
            var key = Key(provider: model.providerName, model: model.name)
            if !model.isConfigured, state.rows[key] == nil {
                if state.dynamicCount < Self.dynamicCapacity {
                    state.dynamicCount += 1
                } else {
                    key = Key(provider: model.providerName, model: Self.others)
                }
            }
            state.rows[key, default: Row()].add(usage, outcome, nanoseconds: nanoseconds)
        }
    }

    /// All rows, ordered by provider and model.
    public func snapshot() -> [(key: Key, row: Row)] {
        state.withLock { $0.rows }.sorted { ($0.key.provider, $0.key.model) < ($1.key.provider, $1.key.model) }
            .map { (key: $0.key, row: $0.value) }
    }
}

extension UsageLedger.Row {
    fileprivate mutating func add(_ usage: Usage, _ outcome: UsageLedger.Outcome, nanoseconds: UInt64) {
        requests += 1
        switch outcome {
        case .succeeded:
            successfulRequests += 1
            latencyNanoseconds += nanoseconds
        case .failed: failedRequests += 1
        case .cancelled: cancelledRequests += 1
        }
        inputTokens += Int64(usage.inputTokens)
        outputTokens += Int64(usage.outputTokens)
    }
}
