package import EventLoop
package import Providers

/// One request, with the state that its stages share. Confined to its loop.
package final class Job {
    /// Maximum number of attempts per call, over all targets; bounds the upstream traffic that one call can cause.
    static let maximumAttempts = 64

    /// What the caller asks for.
    package let question: Question
    /// The call's deadline ; `nil` for none. No backoff extends beyond it.
    package let deadline: Instant?
    /// The gateway state of the loop that runs the job.
    package let loop: GatewayLoop
    /// The record of the call so far.
    package internal(set) var record: CallRecord

    /// - Parameters:
    ///   - callID: the id that the caller chose; empty for none.
    ///   - requestBytes: memory that the request occupies; `nil` to compute it.
    ///   - startedAt: when the request arrived; `nil` for now.
    ///   - deadline: the call's deadline; `nil` for none.
    package init(
        _ question: Question, _ operation: CallRecord.Operation, caller: Caller, callID: String = "",
        requestBytes: Int? = nil, startedAt: Instant? = nil, deadline: Instant? = nil, loop: GatewayLoop
    ) {
        self.question = question
        self.deadline = deadline
        self.loop = loop
        record = CallRecord(
            id: loop.nextID(), callID: callID, caller: caller, operation: operation, requestedModel: question.model,
            startedAt: startedAt ?? loop.scheduler.instant, requestBytes: requestBytes ?? question.memoryBytes)
    }

    /// Whether the response is streamed.
    var isStream: Bool { record.operation.isStream }

    /// Whether another attempt may follow a failed one, with any model. False once the caller has received content,
    /// because another attempt would start the response over.
    var mayAttemptAgain: Bool { record.firstContentAt == nil && record.attempts.count < Self.maximumAttempts }

    /// Whether the deadline, if any, is more than `amount` away.
    func hasTime(for amount: TimeAmount) -> Bool {
        guard let deadline else { return true }
        return loop.scheduler.instant + amount < deadline
    }
}
