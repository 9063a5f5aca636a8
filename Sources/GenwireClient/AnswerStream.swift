internal import EventLoop
public import Messages

/// The chunks of a streamed response, in order. For use by one task. The last element is `.completed`; otherwise the
/// iteration throws.
public struct AnswerStream: AsyncSequence, Sendable {
    /// A chunk of the response.
    public typealias Element = StreamedChunk
    /// The error type of the iteration.
    public typealias Failure = ClientError

    typealias Chunks = Mailbox<StreamedChunk, Void, ClientError>

    private let mailbox: Chunks
    private let cancelCall: @Sendable () -> Void

    init(mailbox: Chunks, cancel: @escaping @Sendable () -> Void) {
        self.mailbox = mailbox
        cancelCall = cancel
    }

    /// Cancels the call on the server. The iteration then throws code 1, unless the response was already complete.
    public func cancel() { cancelCall() }

    /// Returns an iterator. All iterators share one queue: each chunk is delivered once.
    public func makeAsyncIterator() -> Iterator { Iterator(mailbox: mailbox, cancelCall: cancelCall) }

    /// Iterates over the chunks.
    public struct Iterator: AsyncIteratorProtocol {
        let mailbox: Chunks
        let cancelCall: @Sendable () -> Void

        /// Returns the next chunk, or `nil` after the last one. Cancelling the task cancels the call.
        public mutating func next() async throws -> StreamedChunk? { try await mailbox.next(onCancel: cancelCall) }

        /// Returns the next chunk, or `nil` after the last one. Cancelling the task cancels the call.
        public mutating func next(
            isolation actor: isolated (any Actor)?
        ) async throws(ClientError) -> StreamedChunk? { try await mailbox.next(onCancel: cancelCall) }
    }
}
