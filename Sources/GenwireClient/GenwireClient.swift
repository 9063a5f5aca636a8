internal import EventLoop
public import Generation
public import Messages
internal import RPC
internal import Synchronization

/// A client for a Genwire server, over one connection. Safe from any task; calls may run concurrently.
///
/// Cancelling the task that awaits a response cancels the call on the server, which closes the upstream connection.
///
/// ```swift
/// let client = try await GenwireClient.connect()
/// print(try await client.generate("Say hello").message.content)
/// await client.close()
/// ```
public final class GenwireClient: Sendable {
    /// The address that the client connected to, as `unix:PATH` or `tcp:HOST:PORT`.
    public let address: String
    private let loop: EventLoop
    private let connection: LoopBound<ClientConnection>
    private let coder: LoopBound<MessageCoder>
    private let nextCall = Atomic<Int>(0)
    private let callPrefix: String

    /// Connects to a server. Does not check that it is a Genwire server: the first call does. `hello` is the cheapest.
    /// - Parameters:
    ///   - address: `unix:PATH` or `tcp:HOST:PORT`; `nil` tries the user's server at its default address, then the
    ///     system's at `unix:/run/genwire/genwire.sock`.
    ///   - token: sent with every call, for servers that require one over TCP; `nil` for none.
    ///   - serverUser: the id of a trusted user, besides the caller's own and root, for servers on a Unix socket.
    ///   - timeoutMilliseconds: timeout for connecting; 0 for the kernel's own, which may be unlimited.
    /// - Throws: `ClientError`; `unreachable` is the reason. It is `.untrusted` if the server runs as another user;
    ///   nothing is sent to it.
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

    /// Closes the connection; the server cancels the calls in progress on it.
    public func close() async {
        await loop.perform { [connection] in connection.value.close() }
        await loop.shutdown()
    }

    // MARK: - Generation

    // A deadline ends a call with code 4: on the server or, if the server does not respond, in the client.

    /// Sends one prompt and returns the complete response.
    /// - Parameters:
    ///   - system: the system prompt; empty for none.
    ///   - model: a model or route; empty for the default model.
    ///   - deadlineMilliseconds: time after which the call ends with code 4; 0 for none.
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

    /// Sends a conversation and returns the complete response.
    /// - Throws: `ClientError`.
    public func chat(
        _ request: ChatRequest, deadlineMilliseconds: UInt64 = 0
    ) async throws(ClientError) -> ChatResponse {
        let fields = makeFields(deadlineMilliseconds)
        return try await unary(
            "Chat", fields, { $0.encode(request, call: fields) },
            { coder, bytes throws(MessageError) in try coder.chatResponse(bytes) })
    }

    /// Sends a conversation and returns the response as a stream of chunks. The stream throws unless the server marked
    /// the response as complete.
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

    /// Returns one vector per text, in order.
    /// - Throws: `ClientError`.
    public func embed(
        _ request: EmbedRequest, deadlineMilliseconds: UInt64 = 0
    ) async throws(ClientError) -> EmbedResponse {
        let fields = makeFields(deadlineMilliseconds)
        return try await unary(
            "Embed", fields, { $0.encode(request, call: fields) },
            { coder, bytes throws(MessageError) in try coder.embedResponse(bytes) })
    }

    // MARK: - Other RPCs

    /// Reports the server's health. With `deep`, the server also probes each provider.
    /// - Throws: `ClientError`.
    public func health(
        deep: Bool = false, deadlineMilliseconds: UInt64 = 0
    ) async throws(ClientError) -> HealthReport {
        try await unary(
            "Health", .deadline(deadlineMilliseconds), { $0.encodeHealthRequest(deep: deep) },
            { coder, bytes throws(MessageError) in try coder.healthReport(bytes) })
    }

    /// Returns the configured models and routes that match, and the supported providers.
    /// - Throws: `ClientError`.
    public func listModels(
        _ question: ModelQuestion = ModelQuestion(), deadlineMilliseconds: UInt64 = 0
    ) async throws(ClientError) -> ModelList {
        try await unary(
            "ListModels", .deadline(deadlineMilliseconds), { $0.encode(question) },
            { coder, bytes throws(MessageError) in try coder.modelList(bytes) })
    }

    /// Checks the credentials of one model, of one provider, or of all models if both are empty.
    /// - Throws: `ClientError`.
    public func validateAuth(
        model: String = "", provider: String = "", deadlineMilliseconds: UInt64 = 0
    ) async throws(ClientError) -> [AuthReport] {
        try await unary(
            "ValidateAuth", .deadline(deadlineMilliseconds),
            { $0.encodeValidateAuthRequest(model: model, provider: provider) },
            { coder, bytes throws(MessageError) in try coder.authReports(bytes) })
    }

    /// Returns the number of tokens in `text`, and whether the provider counted it or the server estimated it.
    /// - Throws: `ClientError`.
    public func countTokens(
        _ text: String, model: String = "", deadlineMilliseconds: UInt64 = 0
    ) async throws(ClientError) -> (tokens: Int, source: Usage.Source) {
        try await unary(
            "CountTokens", .deadline(deadlineMilliseconds), { $0.encodeCountTokensRequest(model: model, text: text) },
            { coder, bytes throws(MessageError) in try coder.tokenCount(bytes) })
    }

    /// Returns the usage per provider and model since the server started.
    /// - Throws: `ClientError`.
    public func usage(deadlineMilliseconds: UInt64 = 0) async throws(ClientError) -> [UsageReport] {
        try await unary(
            "GetUsage", .deadline(deadlineMilliseconds), { _ in [] },
            { coder, bytes throws(MessageError) in try coder.usageReports(bytes) })
    }

    /// Returns the server's version, features and limits.
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

    /// Asks the server to cancel a call. The call then ends with code 1.
    private func cancel(_ callID: String) {
        connection.loop.execute { [self] in
            _ = connection.value.start(
                service: Self.control, method: "Cancel", payload: coder.value.encodeCancelRequest(callID: callID),
                isServerStreaming: false, handler: IgnoringHandler())
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
    /// The fields of a call with only a deadline; 0 for none.
    fileprivate static func deadline(_ milliseconds: UInt64) -> CallFields {
        var fields = CallFields()
        fields.deadlineMilliseconds = milliseconds
        return fields
    }

    /// The deadline in the envelope's unit; 0 for none. A value that overflows, about three centuries, counts as none.
    fileprivate var timeoutNanoseconds: Int64 {
        deadlineMilliseconds > UInt64(Int64.max / 1_000_000) ? 0 : Int64(deadlineMilliseconds) * 1_000_000
    }
}

// MARK: - Handlers on the loop

extension Status {
    /// Converts this status into an error, with the server's `ErrorDetail` if present.
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

private final class IgnoringHandler: ClientCallHandler {
    func received(_ message: UnsafeRawBufferPointer) -> Demand { .more }
    func finished(_ status: Status) {}
}

private final class UnaryHandler<T>: ClientCallHandler {
    private let coder: MessageCoder
    private let decode: (MessageCoder, UnsafeRawBufferPointer) throws(MessageError) -> T
    private let completion: (Result<T, ClientError>) -> Void
    private var response: Result<T, ClientError>?

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
            response = .success(try decode(coder, message))
        } catch {
            response = .failure(
                ClientError(code: Status.Code.internal, message: "invalid response from the server: \(error)"))
        }
        return .more
    }

    func finished(_ status: Status) {
        guard status.isOK else { return completion(.failure(status.clientError(coder))) }
        completion(
            response ?? .failure(ClientError(code: Status.Code.internal, message: "the server sent no response")))
    }
}

/// Checks that the sequence numbers of a stream have no gaps and that its last message is `completed`.
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
                    code: Status.Code.internal,
                    message: "gap in the stream: expected chunk \(nextSeq), received \(chunk.seq)")
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
                .failure(
                    ClientError(
                        code: Status.Code.internal, message: "the stream ended before the response was complete")))
        } else {
            mailbox.finish(.success(()))
        }
    }
}
