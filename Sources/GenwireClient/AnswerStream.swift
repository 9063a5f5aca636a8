internal import EventLoop
public import Messages

/// The pieces of a streamed answer, in order. For one task; the last element is `.completed`, or the iteration throws.
public struct AnswerStream: AsyncSequence, Sendable {
    /// An element.
    public typealias Element = StreamedChunk
    /// What the iteration throws.
    public typealias Failure = ClientError

    typealias Chunks = Mailbox<StreamedChunk, Void, ClientError>

    private let mailbox: Chunks
    private let cancelCall: @Sendable () -> Void

    init(mailbox: Chunks, cancel: @escaping @Sendable () -> Void) {
        self.mailbox = mailbox
        cancelCall = cancel
    }

    /// Ends the call at the server. The iteration then throws code 1, unless the answer was already complete.
    public func cancel() { cancelCall() }

    /// Begins the iteration.
    public func makeAsyncIterator() -> Iterator { Iterator(mailbox: mailbox, cancelCall: cancelCall) }

    /// Walks the stream.
    public struct Iterator: AsyncIteratorProtocol {
        let mailbox: Chunks
        let cancelCall: @Sendable () -> Void

        /// The next piece.
        public mutating func next() async throws -> StreamedChunk? { try await mailbox.next(onCancel: cancelCall) }

        /// The next piece.
        public mutating func next(
            isolation actor: isolated (any Actor)?
        ) async throws(ClientError) -> StreamedChunk? { try await mailbox.next(onCancel: cancelCall) }
    }
}
