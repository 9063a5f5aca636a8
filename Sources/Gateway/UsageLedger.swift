internal import EventLoop
public import Generation

/// What was used since the start, a row a provider and model. Safe from any thread.
public final class UsageLedger: Sendable {
    /// One provider's model.
    public struct Key: Sendable, Hashable {
        /// The provider.
        public let provider: String
        /// The provider's name of the model.
        public let model: String
    }

    /// The sums of one row. Every attempt counts as a request.
    public struct Row: Sendable, Equatable {
        /// Attempts, failed ones included.
        public var requests: Int64 = 0
        /// Attempts that brought an answer.
        public var successfulRequests: Int64 = 0
        /// Attempts that did not.
        public var failedRequests: Int64 = 0
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
        /// The share of attempts that failed, 0 to 1.
        public var errorRate: Double { requests == 0 ? 0 : Double(failedRequests) / Double(requests) }
    }

    /// Names come from callers too (`provider/model_name`), so their number is bounded.
    private static let capacity = 1024
    private let rows = Locked<[Key: Row]>([:])

    /// An empty ledger.
    public init() {}

    /// Adds one attempt.
    public func record(provider: String, model: String, usage: Usage, succeeded: Bool, nanoseconds: UInt64) {
        let key = Key(provider: provider, model: model)
        rows.withLock { rows in
            guard rows[key] != nil || rows.count < Self.capacity else { return }
            rows[key, default: Row()].add(usage, succeeded: succeeded, nanoseconds: nanoseconds)
        }
    }

    /// All rows, ordered by provider and model.
    public func snapshot() -> [(key: Key, row: Row)] {
        rows.withLock { $0 }.sorted { ($0.key.provider, $0.key.model) < ($1.key.provider, $1.key.model) }
            .map { (key: $0.key, row: $0.value) }
    }
}

extension UsageLedger.Row {
    fileprivate mutating func add(_ usage: Usage, succeeded: Bool, nanoseconds: UInt64) {
        requests += 1
        if succeeded {
            successfulRequests += 1
            latencyNanoseconds += nanoseconds
        } else {
            failedRequests += 1
        }
        inputTokens += Int64(usage.inputTokens)
        outputTokens += Int64(usage.outputTokens)
    }
}
