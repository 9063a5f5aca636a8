internal import EventLoop
public import Generation
public import Messages
internal import RPC
internal import Synchronization

/// A client of a Genwire server over one connection. Safe from any task; calls may run side by side.
///
/// When the task that waits for an answer is cancelled, the call is cancelled at the server and its upstream closed.
public final class GenwireClient: Sendable {
    /// The server's address.
    public let address: String
    private let loop: EventLoop
    private let connection: LoopBound<ClientConnection>
    private let coder: LoopBound<MessageCoder>
    private let nextCall = Atomic<Int>(0)
    private let callPrefix: String

    /// Connects to a server. Whether it is a Genwire server shows with the first call: `hello` is the cheapest.
    /// - Parameters:
    ///   - address: `unix:PATH` or `tcp:HOST:PORT`; `nil` for the user's own server at its default address, else the
    ///     system's at `unix:/run/genwire/genwire.sock`.
    ///   - token: shown with every call, for servers that ask for one over TCP; `nil` for none.
    ///   - serverUser: the id of a user, besides the caller's own and root, that a server on a Unix socket may run as.
    ///   - timeoutMilliseconds: the longest time, 0 for the kernel's own, which may be for ever.
    /// - Throws: `ClientError` whose `unreachable` says why there is no connection; `.untrusted` where the server runs as
    ///   another user, to whom nothing was sent.
    public static func connect(
        to address: String? = nil, token: String? = nil, serverUser: UInt32? = nil, timeoutMilliseconds: UInt64 = 0
    ) async throws(ClientError) -> GenwireClient {
        let addresses: [Address]
        let loop: EventLoop
        do {
            addresses =
                if let address { [try Address(address)] } else { try DefaultAddress.candidates() }
        } catch {
            throw ClientError(
                code: Status.Code.unavailable, message: error.description, unreachable: .malformedAddress)
        }
        do {
            loop = try EventLoop(label: "genwire-client")
        } catch {
            throw ClientError(code: Status.Code.resourceExhausted, message: "\(error)")
        }
        do {
            let (descriptor, address) = try await Dialing.dial(
                addresses, trusting: serverUser, on: loop, timeoutMilliseconds: timeoutMilliseconds)
            return try await adopt(descriptor, address, loop, token)
        } catch {
            await loop.shutdown()
            throw error
        }
    }

    private static func adopt(
        _ descriptor: Int32, _ address: Address, _ loop: EventLoop, _ token: String?
    ) async throws(ClientError) -> GenwireClient {
        let metadata = token.map { [(key: "authorization", value: "Bearer " + $0)] } ?? []
        do throws(SystemError) {
            let made = await loop.perform { () -> Result<GenwireClient, SystemError> in
                do throws(SystemError) {
                    return .success(
                        GenwireClient(
                            address: address.description, loop: loop,
                            connection: LoopBound(
                                try ClientConnection(descriptor: descriptor, loop: loop, metadata: metadata), on: loop),
                            coder: LoopBound(MessageCoder(), on: loop)))
                } catch {
                    return .failure(error)
                }
            }
            return try made.get()
        } catch {
            throw ClientError(code: Status.Code.resourceExhausted, message: "\(error)")
        }
    }

    private init(
        address: String, loop: EventLoop, connection: LoopBound<ClientConnection>, coder: LoopBound<MessageCoder>
    ) {
        self.address = address
        self.loop = loop
        self.connection = connection
        self.coder = coder
        callPrefix = "client-\(UInt64.random(in: 0...UInt64.max))-"
    }

    /// Closes the connection; the server cancels what is in progress on it.
    public func close() async {
        await loop.perform { [connection] in connection.value.close() }
        await loop.shutdown()
    }

    // MARK: - Answers

    // A deadline ends a call with code 4: at the server, or, where the server does not answer, here.

    /// Answers one prompt.
    /// - Parameter deadlineMilliseconds: the call ends with code 4 after this time; 0 for none.
    /// - Throws: `ClientError`.
    public func generate(
        _ prompt: String, system: String = "", model: String = "", options: GenerationOptions = GenerationOptions(),
        deadlineMilliseconds: UInt64 = 0
    ) async throws(ClientError) -> ChatResponse {
        let fields = makeFields(deadlineMilliseconds)
        return try await unary(
            "Generate", fields,
            { $0.encodeGenerate(model: model, prompt: prompt, system: system, options: options, call: fields) },
            { coder, bytes throws(MessageError) in try coder.generateResponse(bytes) })
    }

    /// Answers a conversation.
    /// - Throws: `ClientError`.
    public func chat(
        _ request: ChatRequest, deadlineMilliseconds: UInt64 = 0
    ) async throws(ClientError) -> ChatResponse {
        let fields = makeFields(deadlineMilliseconds)
        return try await unary(
            "Chat", fields, { $0.encode(request, call: fields) },
            { coder, bytes throws(MessageError) in try coder.chatResponse(bytes) })
    }

    /// Answers a conversation piece by piece. The stream throws unless the server said that the answer is complete.
    public func streamChat(_ request: ChatRequest, deadlineMilliseconds: UInt64 = 0) -> AnswerStream {
        let fields = makeFields(deadlineMilliseconds)
        let mailbox = AnswerStream.Chunks(capacity: 256) { [connection] in
            connection.loop.execute { connection.value.resume() }
        }
        connection.loop.execute { [self] in
            let payload = coder.value.encode(request, call: fields)
            _ = connection.value.start(
                service: Self.generation, method: "StreamChat", payload: payload, isServerStreaming: true,
                timeoutNanoseconds: fields.timeoutNanoseconds, handler: StreamHandler(mailbox, coder.value))
        }
        return AnswerStream(mailbox: mailbox) { [self] in cancel(fields.callID) }
    }

    // MARK: - The small RPCs

    /// Whether the server serves; with `deep` each provider is asked too.
    /// - Throws: `ClientError`.
    public func health(
        deep: Bool = false, deadlineMilliseconds: UInt64 = 0
    ) async throws(ClientError) -> HealthReport {
        try await unary(
            "Health", .deadline(deadlineMilliseconds), { $0.encodeHealthRequest(deep: deep) },
            { coder, bytes throws(MessageError) in try coder.healthReport(bytes) })
    }

    /// What is configured.
    /// - Throws: `ClientError`.
    public func listModels(deadlineMilliseconds: UInt64 = 0) async throws(ClientError) -> ModelList {
        try await unary(
            "ListModels", .deadline(deadlineMilliseconds), { _ in [] },
            { coder, bytes throws(MessageError) in try coder.modelList(bytes) })
    }

    /// Whether credentials work; of one model or provider, or of all.
    /// - Throws: `ClientError`.
    public func validateAuth(
        model: String = "", provider: String = "", deadlineMilliseconds: UInt64 = 0
    ) async throws(ClientError) -> [AuthReport] {
        try await unary(
            "ValidateAuth", .deadline(deadlineMilliseconds),
            { $0.encodeValidateAuthRequest(model: model, provider: provider) },
            { coder, bytes throws(MessageError) in try coder.authReports(bytes) })
    }

    /// How many tokens a text would cost, and whether that is an estimate.
    /// - Throws: `ClientError`.
    public func countTokens(
        _ text: String, model: String = "", deadlineMilliseconds: UInt64 = 0
    ) async throws(ClientError) -> (tokens: Int, source: Usage.Source) {
        try await unary(
            "CountTokens", .deadline(deadlineMilliseconds), { $0.encodeCountTokensRequest(model: model, text: text) },
            { coder, bytes throws(MessageError) in try coder.tokenCount(bytes) })
    }

    /// What was used since the server started.
    /// - Throws: `ClientError`.
    public func usage(deadlineMilliseconds: UInt64 = 0) async throws(ClientError) -> [UsageReport] {
        try await unary(
            "GetUsage", .deadline(deadlineMilliseconds), { _ in [] },
            { coder, bytes throws(MessageError) in try coder.usageReports(bytes) })
    }

    /// What the server is and offers.
    /// - Throws: `ClientError`.
    public func hello(deadlineMilliseconds: UInt64 = 0) async throws(ClientError) -> ServerInfo {
        try await unary(
            "Hello", service: Self.control, .deadline(deadlineMilliseconds), { _ in [] },
            { coder, bytes throws(MessageError) in try coder.serverInfo(bytes) })
    }

    // MARK: - Calls

    private static let generation = "genwire.v1.Generation"
    private static let control = "genwire.v1.Control"

    private func makeFields(_ deadline: UInt64) -> CallFields {
        var fields = CallFields()
        fields.callID = callPrefix + String(nextCall.wrappingAdd(1, ordering: .relaxed).newValue)
        fields.deadlineMilliseconds = deadline
        return fields
    }

    /// Tells the server to end a call. The call itself then ends with code 1.
    private func cancel(_ callID: String) {
        connection.loop.execute { [self] in
            _ = connection.value.start(
                service: Self.control, method: "Cancel", payload: coder.value.encodeCancelRequest(callID: callID),
                isServerStreaming: false, handler: DeafHandler())
        }
    }

    private func unary<T: Sendable>(
        _ method: String, service: String = GenwireClient.generation, _ fields: CallFields,
        _ encode: @escaping @Sendable (MessageCoder) -> [UInt8],
        _ decode: @escaping @Sendable (MessageCoder, UnsafeRawBufferPointer) throws(MessageError) -> T
    ) async throws(ClientError) -> T {
        let result: Result<T, ClientError> = await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                connection.loop.execute { [self] in
                    let handler = UnaryHandler(coder.value, decode) { continuation.resume(returning: $0) }
                    _ = connection.value.start(
                        service: service, method: method, payload: encode(coder.value), isServerStreaming: false,
                        timeoutNanoseconds: fields.timeoutNanoseconds, handler: handler)
                }
            }
        } onCancel: {
            if !fields.callID.isEmpty { cancel(fields.callID) }
        }
        return try result.get()
    }
}

extension CallFields {
    /// The fields of a call that has a deadline alone; 0 for none.
    fileprivate static func deadline(_ milliseconds: UInt64) -> CallFields {
        var fields = CallFields()
        fields.deadlineMilliseconds = milliseconds
        return fields
    }

    /// The deadline as the envelope carries it. One beyond three centuries is none.
    fileprivate var timeoutNanoseconds: Int64 {
        deadlineMilliseconds > UInt64(Int64.max / 1_000_000) ? 0 : Int64(deadlineMilliseconds) * 1_000_000
    }
}

// MARK: - Handlers on the loop

extension Status {
    /// The error that this status stands for, with the server's details.
    func clientError(_ coder: MessageCoder) -> ClientError {
        let detail = details.first { $0.typeURL.hasSuffix("/genwire.v1.ErrorDetail") }
        let error = detail.flatMap { detail in
            detail.value.withUnsafeBytes { try? coder.generationError($0, message: message) }
        }
        return ClientError(
            code: code, message: message, detail: error,
            unreachable: self == ClientConnection.foreignPeer ? .notGenwire : nil)
    }
}

private final class DeafHandler: ClientCallHandler {
    func received(_ message: UnsafeRawBufferPointer) -> Demand { .more }
    func finished(_ status: Status) {}
}

private final class UnaryHandler<T>: ClientCallHandler {
    private let coder: MessageCoder
    private let decode: (MessageCoder, UnsafeRawBufferPointer) throws(MessageError) -> T
    private let completion: (Result<T, ClientError>) -> Void
    private var answer: Result<T, ClientError>?

    init(
        _ coder: MessageCoder, _ decode: @escaping (MessageCoder, UnsafeRawBufferPointer) throws(MessageError) -> T,
        _ completion: @escaping (Result<T, ClientError>) -> Void
    ) {
        self.coder = coder
        self.decode = decode
        self.completion = completion
    }

    func received(_ message: UnsafeRawBufferPointer) -> Demand {
        do {
            answer = .success(try decode(coder, message))
        } catch {
            answer = .failure(ClientError(code: Status.Code.internal, message: "the server's answer: \(error)"))
        }
        return .more
    }

    func finished(_ status: Status) {
        guard status.isOK else { return completion(.failure(status.clientError(coder))) }
        completion(answer ?? .failure(ClientError(code: Status.Code.internal, message: "the server sent no answer")))
    }
}

/// Checks what a stream promises: numbers without gaps, and a last message that says that it is complete.
private final class StreamHandler: ClientCallHandler {
    private let mailbox: AnswerStream.Chunks
    private let coder: MessageCoder
    private var nextSeq: UInt64 = 0
    private var isComplete = false
    private var failure: ClientError?

    init(_ mailbox: AnswerStream.Chunks, _ coder: MessageCoder) {
        self.mailbox = mailbox
        self.coder = coder
    }

    func received(_ message: UnsafeRawBufferPointer) -> Demand {
        guard failure == nil else { return .more }
        do {
            let chunk = try coder.chatChunk(message)
            guard chunk.seq == nextSeq else {
                failure = ClientError(
                    code: Status.Code.internal, message: "the stream has a gap: chunk \(chunk.seq) after \(nextSeq)")
                return .more
            }
            nextSeq += 1
            if case .completed = chunk.content { isComplete = true }
            return mailbox.push(chunk)
        } catch {
            failure = ClientError(code: Status.Code.internal, message: "\(error)")
            return .more
        }
    }

    func finished(_ status: Status) {
        if let failure {
            mailbox.finish(.failure(failure))
        } else if !status.isOK {
            mailbox.finish(.failure(status.clientError(coder)))
        } else if !isComplete {
            mailbox.finish(
                .failure(ClientError(code: Status.Code.internal, message: "the stream ended without being complete")))
        } else {
            mailbox.finish(.success(()))
        }
    }
}
