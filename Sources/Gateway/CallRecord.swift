package import Generation
package import Providers

/// One call, from its arrival to its end: what a job gathers on its way and observers see at the end. Holds no content
/// and no secret.
package struct CallRecord {
    /// A number for each call, unique in its gateway.
    package struct ID: Sendable, Hashable, CustomStringConvertible {
        /// The loop, from 1 in the order in which the loops joined the gateway.
        package let loop: Int
        /// The call, from 1 on each loop.
        package let number: UInt64

        /// `1.42`.
        package var description: String { String(loop) + "." + String(number) }
    }

    /// What was called; the raw values are the RPCs' names, which the in-process API shares.
    package enum Operation: String, Sendable {
        case generate = "Generate"
        case chat = "Chat"
        case streamChat = "StreamChat"

        /// Whether the answer comes in pieces.
        var isStream: Bool { self == .streamChat }
    }

    /// How the call ended.
    package enum Outcome: Sendable, Equatable {
        /// With a whole answer.
        case success
        /// With an error of this kind.
        case failure(GenerationError.Kind)
        /// Before its end.
        case cancelled(CancelCause)
    }

    /// One sending of the request to one model.
    package struct Attempt: Sendable {
        /// The model that was asked.
        package let model: ConfiguredModel
        /// Whether the same attempt sent the request again; such a sending is no attempt by itself.
        package let isRepeated: Bool
        /// The HTTP status; 0 where none came.
        package let httpStatus: Int
        /// What went wrong, bounded; empty where nothing did.
        package let error: String
        /// The error's kind; `nil` for an answer.
        package let kind: GenerationError.Kind?
        /// How long it took.
        package let nanoseconds: UInt64
        /// What it cost: the provider's count, or our estimate where a stream broke off without one.
        package let usage: Usage
    }

    /// The most bytes of an error's text in the trail of attempts, so that the trail always fits into a frame.
    static let maximumTrailText = 512

    /// The call's number.
    package let id: ID
    /// The id that the caller chose; empty for none.
    package let callID: String
    /// Who calls.
    package let caller: Caller
    /// What was called.
    package let operation: Operation
    /// The model or route as the caller wrote it; empty for the default.
    package let requestedModel: String
    /// When the request arrived: CLOCK_MONOTONIC, nanoseconds.
    package let startedAt: UInt64
    /// What the request holds of memory, in bytes.
    package let requestBytes: Int

    /// The model that was chosen last; `nil` where the call ended before one was.
    package internal(set) var target: ConfiguredModel?
    /// All sendings, the last one last.
    package internal(set) var attempts: [Attempt] = []
    /// When the first piece of a streamed answer came.
    package internal(set) var firstContentAt: UInt64?
    /// How long the attempts took together.
    package internal(set) var upstreamNanoseconds: UInt64 = 0
    /// How long connecting took in the last attempt, in microseconds; 0 where a connection was re-used.
    package internal(set) var connectMicroseconds: Int64 = 0
    /// How long the last attempt waited for a token, in microseconds.
    package internal(set) var authMicroseconds: Int64 = 0
    /// Bytes of generated text, reasoning and arguments that were delivered.
    package internal(set) var answerBytes = 0
    /// Why the last attempt failed that did.
    package internal(set) var lastError: GenerationError?
    /// When the call ended; 0 before.
    package internal(set) var endedAt: UInt64 = 0
    /// How it ended.
    package internal(set) var outcome = Outcome.success

    /// How many attempts there were, sendings that an attempt repeated not counted.
    package var attemptCount: Int { attempts.reduce(0) { $0 + ($1.isRepeated ? 0 : 1) } }

    /// The attempts as callers see them.
    var trail: [Generation.Attempt] {
        attempts.map {
            Generation.Attempt(
                model: $0.model.name, provider: $0.model.providerName, status: $0.httpStatus, error: $0.error,
                durationMicroseconds: Int64($0.nanoseconds / 1000))
        }
    }

    mutating func add(
        _ error: GenerationError?, at model: ConfiguredModel, httpStatus: Int, nanoseconds: UInt64,
        usage: Usage = Usage(),
        isRepeated: Bool = false
    ) {
        attempts.append(
            Attempt(
                model: model, isRepeated: isRepeated, httpStatus: httpStatus,
                error: error?.description.truncated(toBytes: Self.maximumTrailText) ?? "", kind: error?.kind,
                nanoseconds: nanoseconds, usage: usage))
    }

    /// Writes what is known of a call that ended into its answer.
    func complete(_ completion: inout Completion) {
        let total = endedAt - startedAt
        completion.attempts = trail
        completion.timing.connectMicroseconds = connectMicroseconds
        completion.timing.authMicroseconds = authMicroseconds
        completion.timing.firstTokenMicroseconds = Int64(((firstContentAt ?? endedAt) - startedAt) / 1000)
        completion.timing.totalMicroseconds = Int64(total / 1000)
        completion.timing.gatewayMicroseconds = Int64((total - min(upstreamNanoseconds, total)) / 1000)
    }

    /// Writes what is known of a call that ended into its error.
    func complete(_ error: inout GenerationError) {
        error.attempts = trail
        guard let target else { return }
        if error.provider.isEmpty { error.provider = target.providerName }
        if error.model.isEmpty { error.model = target.name }
    }
}
