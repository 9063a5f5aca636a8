package import Generation

/// One request for an answer, with what its stages share. Belongs to its loop.
package final class Job {
    /// The most attempts of one call, over all its targets: a call must not multiply without bound.
    static let maximumAttempts = 64

    /// What is asked.
    package let request: ChatRequest
    /// When the caller gives up: CLOCK_MONOTONIC, nanoseconds. No backoff goes beyond it.
    package let deadline: UInt64?
    /// The loop's side of the gateway.
    package let loop: GatewayLoop
    /// What is known of the call so far.
    package internal(set) var record: CallRecord

    /// - Parameters:
    ///   - callID: the id that the caller chose; empty for none.
    ///   - requestBytes: what the request holds of memory; `nil` to have it counted.
    ///   - startedAt: when the request arrived, CLOCK_MONOTONIC in nanoseconds; `nil` for now.
    ///   - deadline: when the caller gives up, on the same clock.
    package init(
        _ request: ChatRequest, _ operation: CallRecord.Operation, caller: Caller, callID: String = "",
        requestBytes: Int? = nil, startedAt: UInt64? = nil, deadline: UInt64? = nil, loop: GatewayLoop
    ) {
        self.request = request
        self.deadline = deadline
        self.loop = loop
        record = CallRecord(
            id: loop.nextID(), callID: callID, caller: caller, operation: operation, requestedModel: request.model,
            startedAt: startedAt ?? loop.scheduler.instant, requestBytes: requestBytes ?? request.memoryBytes)
    }

    /// Whether the answer is wanted in pieces.
    var isStream: Bool { record.operation.isStream }

    /// Whether another attempt may follow a failed one, at whatever model. Where the caller has seen a part of an
    /// answer, another attempt would give it a second beginning.
    var mayAttemptAgain: Bool { record.firstContentAt == nil && record.attempts.count < Self.maximumAttempts }

    /// Whether the deadline, if any, is farther away than this.
    func hasTime(for nanoseconds: UInt64) -> Bool {
        guard let deadline else { return true }
        let (end, overflow) = loop.scheduler.instant.addingReportingOverflow(nanoseconds)
        return !overflow && end < deadline
    }
}
