import Auth
import Config
import Generation
import HTTPClient
import JSON

@testable import Providers

/// A model of one provider, without a network: requests are inspected, responses are written by hand.
struct DialectHarness {
    let model: ConfiguredModel

    /// - Parameter provider: its name, or `NAME/responses` for its Responses API.
    init(
        _ provider: String, _ modelName: String = "m", _ change: (inout ModelConfiguration) -> Void = { _ in }
    ) throws {
        let names = provider.split(separator: "/").map(String.init)
        var configuration = ModelConfiguration(name: "test", provider: names[0], modelName: modelName)
        if names.count > 1 { configuration[APIChoice.key] = APIChoice(rawValue: names[1]) }
        configuration.apiBase = "http://127.0.0.1:1"
        configuration[GoogleCloud.projectID] = "p"
        configuration[GoogleCloud.region] = "r"
        configuration.apiKey = Secret("key-of-this-test")
        // Longer than a busy machine delays a test.
        configuration.timeouts.connect = 3600
        configuration.timeouts.firstToken = 3600
        configuration.timeouts.idle = 3600
        configuration.timeouts.total = 3600
        change(&configuration)
        let store = CredentialStore(Configuration(), environment: [:])
        model = try ConfiguredModel(configuration, credentials: store)
    }

    private var dialect: any Dialect { model.provider.dialect }

    /// A gate for a call sent with the model's key.
    func gate() throws -> AnswerGate {
        var gate = AnswerGate(model)
        gate.add(try model.identity(model.credential?.current).get())
        return gate
    }

    // MARK: - Requests

    /// Returns the body of `request`, and the options dropped from it.
    func encode(_ request: ChatRequest, isStream: Bool = false) throws -> (body: JSONValue, warnings: [String]) {
        let prepared = try PreparedRequest(request, for: model, isStream: isStream)
        let bytes = try model.body(model.api(for: request).dialect.encode(prepared, for: model), of: prepared)
        return (try JSONValue(parsing: bytes), prepared.warnings)
    }

    func body(_ request: ChatRequest, isStream: Bool = false) throws -> JSONValue {
        try encode(request, isStream: isStream).body
    }

    func tokenCountBody(_ request: ChatRequest) throws -> JSONValue? {
        let prepared = try PreparedRequest(request, for: model, isStream: false)
        let dialect = model.api(for: request).dialect
        guard let writer = try dialect.encodeTokenCount(prepared, for: model) else { return nil }
        return try JSONValue(parsing: writer.bytes)
    }

    // MARK: - Answers

    /// Decodes a complete response.
    func whole(_ body: String, reasoning: Bool = true, extra: Bool = false) -> Outcome {
        let parser = JSONParser()
        return withExtendedLifetime(parser) {
            do {
                let root: JSONElement
                do {
                    root = try parser.parse(body)
                } catch {
                    throw GenerationError(.badProviderResponse, "\(error)")
                }
                let response = try dialect.decode(root, for: model, AnswerWishes(reasoning: reasoning, extra: extra))
                return Outcome(message: response.message, completion: response.completion)
            } catch let error as GenerationError {
                return Outcome(error: error)
            } catch {
                return Outcome(error: GenerationError(.badProviderResponse, "\(error)"))
            }
        }
    }

    /// Decodes a stream that arrives in `slices`.
    func stream(_ slices: [[UInt8]], reasoning: Bool = true, extra: Bool = false) -> Outcome {
        let parser = JSONParser()
        let reader = StreamReader(model, AnswerWishes(reasoning: reasoning, extra: extra), parser: parser)
        var outcome = Outcome()
        var builder = MessageBuilder()
        do {
            for slice in slices { try reader.consume(slice) { outcome.add($0, &builder) } }
            try reader.flush { outcome.add($0, &builder) }
            let completion = try reader.finish { outcome.add($0, &builder) }
            outcome.message = builder.finish(completion)
            outcome.completion = completion
        } catch let error as GenerationError {
            outcome.message = builder.message
            outcome.error = error
        } catch {
            outcome.error = GenerationError(.badProviderResponse, "\(error)")
        }
        return outcome
    }

    func stream(_ text: String, reasoning: Bool = true, extra: Bool = false) -> Outcome {
        stream([Array(text.utf8)], reasoning: reasoning, extra: extra)
    }

    /// Decodes a stream of events with these data.
    func stream(events: [String], reasoning: Bool = true, extra: Bool = false) -> Outcome {
        stream(events.map { "data: \($0)\n\n" }.joined(), reasoning: reasoning, extra: extra)
    }
}

extension StreamReader {
    func consume(_ slice: [UInt8], _ deliver: (ChunkEvent) -> Void) throws {
        // The compiler cannot pass a typed error through this closure.
        let failure = slice.withUnsafeBytes { bytes -> GenerationError? in
            do throws(GenerationError) {
                try consume(bytes, deliver)
                return nil
            } catch {
                return error
            }
        }
        if let failure { throw failure }
    }
}

/// What a caller would have received.
struct Outcome: Equatable {
    var message = Message(role: .assistant)
    var completion: AnswerTrailer?
    var error: GenerationError?
    /// Violations of the streaming contract; see `add`.
    var violations: [String] = []

    private var announced: Set<String> = []

    init(message: Message = Message(role: .assistant), completion: AnswerTrailer? = nil, error: GenerationError? = nil)
    {
        self.message = message
        self.completion = completion
        self.error = error
    }

    /// Call indexes have no gaps; only the first piece of a call has id and name; no piece is empty.
    mutating func add(_ event: ChunkEvent, _ builder: inout MessageBuilder) {
        switch event {
        case .text(let text), .reasoning(let text):
            if text.isEmpty { violations.append("an empty piece") }
        case .toolCall(let piece):
            let count = builder.message.toolCalls.count
            if piece.index == count {
                if piece.id.isEmpty { violations.append("a call without an id") }
                if !announced.insert(piece.id).inserted { violations.append("the id \(piece.id) again") }
            } else if piece.index > count || piece.index < 0 {
                violations.append("index \(piece.index) after \(count) calls")
            } else if !piece.id.isEmpty || !piece.name.isEmpty {
                violations.append("id or name in a later piece")
            }
        case .part(let part):
            if part == .text("") { violations.append("an empty part") }
        }
        builder.add(event)
    }

    /// Generated ids differ from run to run.
    static func == (left: Outcome, right: Outcome) -> Bool { left.comparable == right.comparable }

    private var comparable: [String] {
        func known(_ id: String) -> String { id.hasPrefix("call_") || id.hasPrefix("gen-") ? "made" : id }
        var message = message
        for index in message.toolCalls.indices { message.toolCalls[index].id = known(message.toolCalls[index].id) }
        var completion = completion
        let id = completion.map { known($0.id) } ?? ""
        completion?.id = id
        return ["\(message)", "\(String(describing: completion))", error?.description ?? "", "\(violations)"]
    }

    // MARK: - Shorthands

    var finish: FinishReason? { completion?.finishReason }
    var usage: Usage? { completion?.usage }
    var arguments: [String] { message.toolCalls.map(\.argumentsJSON) }
    var stateText: String { String(decoding: completion?.providerState ?? [], as: UTF8.self) }
}

/// A generator that returns the same numbers in every run.
struct SeededNumbers: RandomNumberGenerator {
    var state: UInt64

    init(_ seed: UInt64) { state = seed &* 0x9E37_79B9_7F4A_7C15 &+ 1 }

    mutating func next() -> UInt64 {
        state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
        return state ^ (state >> 29)
    }
}
