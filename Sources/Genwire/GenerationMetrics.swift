internal import EventLoop
public import Generation

/// Counts calls and measures their duration. Safe from any task.
public final class GenerationMetrics: Sendable {
    /// The counts so far.
    public struct Snapshot: Sendable, Equatable {
        /// Calls started, including those in progress.
        public var totalRequests = 0
        /// Calls that returned a response.
        public var successfulRequests = 0
        /// Calls that failed.
        public var failedRequests = 0
        /// Total duration of the successful calls, in seconds.
        public var totalLatency = 0.0
        /// Mean duration of a successful call, in seconds; 0 if there is none.
        public var averageLatency: Double { successfulRequests == 0 ? 0 : totalLatency / Double(successfulRequests) }
    }

    private let counts = Locked(Snapshot())

    /// All counts start at zero.
    public init() {}

    /// A consistent copy of the counts.
    public var snapshot: Snapshot { counts.withLock { $0 } }

    /// Sends `prompt` to `model`, counts the call and returns the text of the response.
    /// - Throws: the model's `GenerationError`.
    public func trackGeneration(_ model: any GenerationModel, prompt: String) async throws(GenerationError) -> String {
        let start = Instant.now()
        counts.withLock { $0.totalRequests += 1 }
        do throws(GenerationError) {
            let text = try await model.generateContent(prompt)
            let seconds = (Instant.now() - start).seconds
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

/// Usage statistics per provider, as recorded by the caller. Safe from any task.
public final class UsageAnalytics: Sendable {
    /// The statistics of one provider.
    public struct Statistics: Sendable, Equatable {
        /// Calls, including failed ones.
        public var requests = 0
        /// Tokens of the successful calls.
        public var tokensUsed = 0
        /// Mean duration of a successful call, in seconds; 0 if there is none.
        public var averageResponseTime = 0.0
        /// Fraction of failed calls, 0 to 1.
        public var errorRate: Double { requests == 0 ? 0 : Double(failures) / Double(requests) }
        var failures = 0
    }

    private let providers = Locked<[String: Statistics]>([:])

    /// Starts without any records.
    public init() {}

    /// Records one call.
    /// - Parameters:
    ///   - tokens: tokens used; ignored if the call failed.
    ///   - responseTime: duration in seconds; ignored if the call failed.
    public func recordUsage(provider: String, tokens: Int, responseTime: Double, success: Bool) {
        providers.withLock { $0[provider, default: Statistics()].add(tokens, responseTime, success) }
    }

    /// The statistics by provider name.
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
