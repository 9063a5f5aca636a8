internal import EventLoop
public import Generation

/// Counts and times a model's calls. Safe from any task.
public final class GenerationMetrics: Sendable {
    /// The counts so far.
    public struct Snapshot: Sendable, Equatable {
        /// Calls begun.
        public var totalRequests = 0
        /// Calls that brought an answer.
        public var successfulRequests = 0
        /// Calls that failed.
        public var failedRequests = 0
        /// The time of all successful calls, in seconds.
        public var totalLatency = 0.0
        /// The mean time of a successful call, in seconds.
        public var averageLatency: Double { successfulRequests == 0 ? 0 : totalLatency / Double(successfulRequests) }
    }

    private let counts = Locked(Snapshot())

    /// Everything at zero.
    public init() {}

    /// The counts right now.
    public var snapshot: Snapshot { counts.withLock { $0 } }

    /// Asks `model` and counts the call.
    /// - Throws: the model's `GenerationError`.
    public func trackGeneration(_ model: any GenerationModel, prompt: String) async throws(GenerationError) -> String {
        let start = EventLoop.monotonicNanoseconds()
        counts.withLock { $0.totalRequests += 1 }
        do throws(GenerationError) {
            let text = try await model.generateContent(prompt)
            let seconds = Double(EventLoop.monotonicNanoseconds() - start) / 1e9
            counts.withLock {
                $0.successfulRequests += 1
                $0.totalLatency += seconds
            }
            return text
        } catch {
            counts.withLock { $0.failedRequests += 1 }
            throw error
        }
    }
}

/// Usage a provider. Safe from any task.
public final class UsageAnalytics: Sendable {
    /// One provider's sums.
    public struct Statistics: Sendable, Equatable {
        /// Calls.
        public var requests = 0
        /// Tokens of the successful calls.
        public var tokensUsed = 0
        /// The mean time of a successful call, in seconds.
        public var averageResponseTime = 0.0
        /// The share of failed calls, 0 to 1.
        public var errorRate: Double { requests == 0 ? 0 : Double(failures) / Double(requests) }
        var failures = 0
    }

    private let providers = Locked<[String: Statistics]>([:])

    /// Nothing recorded.
    public init() {}

    /// Adds one call. A failed call's tokens and time do not count.
    public func recordUsage(provider: String, tokens: Int, responseTime: Double, success: Bool) {
        providers.withLock { $0[provider, default: Statistics()].add(tokens, responseTime, success) }
    }

    /// The sums by provider.
    public var usage: [String: Statistics] { providers.withLock { $0 } }
}

extension UsageAnalytics.Statistics {
    fileprivate mutating func add(_ tokens: Int, _ seconds: Double, _ success: Bool) {
        requests += 1
        guard success else {
            failures += 1
            return
        }
        tokensUsed += tokens
        let successes = Double(requests - failures)
        averageResponseTime += (seconds - averageResponseTime) / successes
    }
}
