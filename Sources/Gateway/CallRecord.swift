package import EventLoop
package import Generation
package import Providers

/// The record of one call, filled in by its job and passed to the observers when the call ends. Contains no prompts,
/// responses or secrets.
package struct CallRecord {
    /// The id of a call, unique within its gateway.
    package struct ID: Sendable, Hashable, CustomStringConvertible {
        /// The loop's number, from 1, in the order in which loops joined the gateway.
        package let loop: Int
        /// The call's number on its loop, from 1.
        package let number: UInt64

        /// The two numbers, for example `1.42`.
        package var description: String { String(loop) + "." + String(number) }
    }

    /// The operation. Raw values are the names of the RPCs; the in-process API uses them too.
    package enum Operation: String, Sendable {
        case generate = "Generate"
        case chat = "Chat"
        case streamChat = "StreamChat"
        case embed = "Embed"

        /// Whether the response is streamed.
        var isStream: Bool { self == .streamChat }
    }

    /// The result of a call.
    package enum Outcome: Sendable, Equatable {
        /// The response is complete.
        case success
        /// The call failed with an error of this kind.
        case failure(GenerationError.Kind)
        /// The call was cancelled.
        case cancelled(CancelCause)
    }

    /// One request sent to one model.
    package struct Attempt: Sendable {
        /// The model that the request was sent to.
        package let model: ConfiguredModel
        /// Whether the same attempt sent the request again after this one. Such an entry does not count as an attempt.
        package let isRepeated: Bool
        /// The HTTP status; 0 if none was received.
        package let httpStatus: Int
        /// The error, truncated to `maximumTrailText` bytes; empty on success.
        package let error: String
        /// The error's kind; `nil` on success.
        package let kind: GenerationError.Kind?
        /// The duration.
        package let duration: TimeAmount
        /// Token usage as reported by the provider, or an estimate if content was delivered but no usage reported.
        package let usage: Usage
    }

    /// Maximum length of an error text in the list of attempts, in bytes, so that the list always fits into a frame.
    static let maximumTrailText = 512

    /// The call's id, for the log.
    package let id: ID
    /// The id that the caller chose; empty for none.
    package let callID: String
    /// The identity of the caller.
    package let caller: Caller
    /// The operation.
    package let operation: Operation
    /// The model or route as the caller wrote it; empty for the default.
    package let requestedModel: String
    /// When the request arrived.
    package let startedAt: Instant
    /// Memory that the request occupies, in bytes.
    package let requestBytes: Int

    /// The model that was chosen last; `nil` if the call ended before any was chosen.
    package internal(set) var target: ConfiguredModel?
    /// All requests sent for this call, in order.
    package internal(set) var attempts: [Attempt] = []
    /// When the first chunk of a streamed response was received; `nil` before, and for unary calls.
    package internal(set) var firstContentAt: Instant?
    /// Total duration of all attempts.
    package internal(set) var upstreamTime = TimeAmount.zero
    /// Connection time of the last attempt, in microseconds; 0 if a connection was re-used.
    package internal(set) var connectMicroseconds: Int64 = 0
    /// How long the last attempt waited for a token, in microseconds; 0 if one was available.
    package internal(set) var authMicroseconds: Int64 = 0
    /// Bytes of generated text, reasoning and arguments that were delivered.
    package internal(set) var answerBytes = 0
    /// The error of the last failed attempt.
    package internal(set) var lastError: GenerationError?
    /// When the call ended; `boot` while it is in progress.
    package internal(set) var endedAt = Instant.boot
    /// The result; meaningful once `endedAt` is set.
    package internal(set) var outcome = Outcome.success

    /// The number of attempts. A request that was sent again within an attempt is not counted twice.
    package var attemptCount: Int { attempts.reduce(0) { $0 + ($1.isRepeated ? 0 : 1) } }

    /// The attempts in the form in which callers receive them.
    var trail: [Generation.Attempt] {
        attempts.map {
            Generation.Attempt(
                model: $0.model.name, provider: $0.model.providerName, status: $0.httpStatus, error: $0.error,
                durationMicroseconds: $0.duration.microseconds)
        }
    }

    mutating func add(
        _ error: GenerationError?, at model: ConfiguredModel, httpStatus: Int, duration: TimeAmount,
        usage: Usage = Usage(),
        isRepeated: Bool = false
    ) {
        attempts.append(
            Attempt(
                model: model, isRepeated: isRepeated, httpStatus: httpStatus,
                error: error?.description.truncated(toBytes: Self.maximumTrailText) ?? "", kind: error?.kind,
                duration: duration, usage: usage))
    }

    /// Adds the attempts and timing of a finished call to its completion.
    func complete(_ completion: inout AnswerTrailer) {
        let total = endedAt - startedAt
        completion.attempts = trail
        completion.timing.connectMicroseconds = connectMicroseconds
        completion.timing.authMicroseconds = authMicroseconds
        completion.timing.firstTokenMicroseconds = ((firstContentAt ?? endedAt) - startedAt).microseconds
        completion.timing.totalMicroseconds = total.microseconds
        completion.timing.gatewayMicroseconds = (total - upstreamTime).microseconds
    }

    /// Adds the attempts of a finished call to its error, and the provider and model if the error names none.
    func complete(_ error: inout GenerationError) {
        error.attempts = trail
        guard let target else { return }
        if error.provider.isEmpty { error.provider = target.providerName }
        if error.model.isEmpty { error.model = target.name }
    }
}
