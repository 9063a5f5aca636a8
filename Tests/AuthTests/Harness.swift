import Config
import EventLoop
import Foundation
import Generation
import HTTPClient
import JSON
import Simulator
import Testing

@testable import Auth

/// A simulator and several loops with their clients, for one test.
final class Harness: @unchecked Sendable {
    // `@unchecked`: clients, server and credentials are only used on their loops.
    let loops: [EventLoop]
    private let serverLoop: EventLoop
    private var server: SimulatorServer!
    private var clients: [HTTPClient] = []
    private var credentials: [Credential] = []
    private(set) var port: UInt16 = 0

    private init(loopCount: Int) throws {
        loops = try (0..<loopCount).map { try EventLoop(label: "auth-test-\($0)") }
        serverLoop = try EventLoop(label: "auth-test-server")
    }

    static func run(loops: Int = 1, _ body: (Harness) async throws -> Void) async throws {
        let harness = try Harness(loopCount: loops)
        harness.port = await harness.serverLoop.perform {
            harness.server = SimulatorServer(SimulatorOptions(), loop: harness.serverLoop)
            return try! harness.server.start()
        }
        for loop in harness.loops {
            await loop.perform { harness.clients.append(HTTPClient(loop: loop)) }
        }
        let result: Result<Void, any Error>
        do { result = .success(try await body(harness)) } catch { result = .failure(error) }
        for (index, loop) in harness.loops.enumerated() {
            await loop.perform {
                if index == 0 { for credential in harness.credentials { credential.detach() } }
                harness.clients[index].shutdown()
            }
            await loop.shutdown()
        }
        await harness.serverLoop.perform { harness.server.stop() }
        await harness.serverLoop.shutdown()
        try result.get()
    }

    var base: String { "http://127.0.0.1:\(port)" }

    /// Creates the credential of one `auth` entry, given as flow YAML, and attaches it to the first loop.
    func credential(
        _ entry: String, environment: [String: String] = [:], timing: CacheTiming = CacheTiming(), attach: Bool = true
    ) async throws -> Credential {
        let text = """
            generation: {provider: openai, config: {model_name: gpt-4, api_key: k}}
            auth: {corp: {\(entry)}}
            """
        let configuration = try Configuration.parse(
            Array(text.utf8), file: "config.yaml", environment: environment, knownProviders: ["openai"])
        let auth = try #require(configuration.auth["corp"])
        let credential = Credential(auth, environment: environment, caFile: nil, timing: timing)
        if attach { await self.attach(credential) }
        return credential
    }

    func attach(_ credential: Credential) async {
        await loops[0].perform { [self] in
            credential.attach(loop: loops[0], client: clients[0])
            credentials.append(credential)
        }
    }

    /// Waits for a token or an error.
    func token(_ credential: Credential, on index: Int = 0) async -> Result<AccessToken, GenerationError> {
        let loop = loops[index]
        return await withCheckedContinuation { continuation in
            loop.execute { _ = credential.token(on: loop) { continuation.resume(returning: $0) } }
        }
    }

    /// Returns the text of a token; throws if there is none.
    func text(_ credential: Credential) async throws -> String {
        try await token(credential).get().value.reveal()
    }

    /// Returns the error of a credential that must fail.
    func error(_ credential: Credential) async throws -> GenerationError {
        switch await token(credential) {
        case .success(let token):
            Issue.record("a token instead of an error")
            return GenerationError(.cancelled, "\(token)")
        case .failure(let error): return error
        }
    }

    /// Sends a GET request to the simulator and parses the response.
    func get(_ path: String) async throws -> JSONValue {
        let request = HTTPRequest(
            url: base + path, headers: try HTTPHeaders([]), body: nil, timeouts: HTTPTimeouts(total: 20))
        let result = await withCheckedContinuation { continuation in
            loops[0].execute { [self] in
                let transfer = TokenTransfer(place: path) { continuation.resume(returning: $0) }
                transfer.start(request, clients[0])
            }
        }
        return try JSONValue(parsing: try result.get().body)
    }

    /// The number of requests that a token endpoint received.
    func requests(_ path: String) async throws -> Int {
        try await get("/sim/tokens")["requests"]?[path]?.int ?? 0
    }

    /// The fields of the last request to a token endpoint.
    func last(_ path: String) async throws -> JSONValue { try #require(try await get("/sim/tokens/last")[path]) }

    /// A COIN credential whose client id carries options for the simulator, for example `expires=0.002`.
    func coin(
        _ words: String = "", secret: String = "s3cret-of-coin", timing: CacheTiming = CacheTiming()
    ) async throws -> Credential {
        try await credential(
            "type: coin, token_url: \"\(base)/oauth/token\", client_id: \"corp#\(words)\", client_secret: \(secret)",
            timing: timing)
    }
}

/// Waits until `condition` holds; returns `false` after 30 s.
func eventually(_ condition: () async throws -> Bool) async throws -> Bool {
    for _ in 0..<3000 {
        if try await condition() { return true }
        try await Task.sleep(nanoseconds: 10_000_000)
    }
    return false
}

/// Writes a file.
func write(_ text: String, to path: String) throws {
    try text.write(toFile: path, atomically: true, encoding: .utf8)
}
