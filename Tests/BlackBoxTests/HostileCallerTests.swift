import Foundation
import Generation
import GenwireClient
import TestSupport
import Testing

/// What callers can send to harm the daemon or other callers.
@Suite struct HostileCallerTests {
    private static let token = "caller-token-0123456789"

    private static func configuration(_ more: String) -> @Sendable (String, String) -> String {
        { upstream, folder in
            let config = "api_base: \"\(upstream)/v1\", api_key: sk-planted-secret-0123456789"
            let gemini = "api_base: \"\(upstream)\", api_key: sk-planted-secret-0123456789"
            return """
                server: {listen: ["unix:\(folder)/g.sock", "tcp:127.0.0.1:0"], loops: 1, token: \(token)}
                generation: {provider: openai, config: {model_name: gpt-4o-mini, \(config)}}
                models:
                  silent: {provider: openai, config: {model_name: "gpt-4o#never-answer", \(config)}}
                  broken: {provider: openai, config: {model_name: "gpt-4o#status=500", \(config)}}
                  gemini: {provider: gemini, config: {model_name: gemini-2.5-flash, \(gemini)}}
                retry: {max_attempts: 1}
                \(more)

                """
        }
    }

    @Test func whatACallerMayHoldAndIsTold() async throws {
        try await Stack.with(configuration: Self.configuration("limits: {max_connections: 64}")) { stack in
            let result = try await runProgram(
                "/usr/bin/python3",
                [
                    Interop.path("hostile_callers.py"), "--socket", stack.folder + "/g.sock", "--tcp",
                    stack.tcp.replacing("tcp:", with: ""), "--token", Self.token, "--pid",
                    "\(stack.daemon.processID)", "--slow-model", "silent",
                ])
            #expect(result.code == 0, "\(result.output)\(result.errors)")
        }
    }

    /// Every request ends, and every ping on the other connection is answered; the benchmark measures how quickly.
    @Test func theWorstOfFourMebibytes() async throws {
        try await Stack.with(configuration: Self.configuration("")) { stack in
            let result = try await runProgram(
                "/usr/bin/python3",
                [Interop.path("hostile_requests.py"), "--socket", stack.folder + "/g.sock", "gemini"])
            #expect(result.code == 0, "\(result.output)\(result.errors)")
        }
    }

    /// The list of attempts of a call that failed everywhere is bounded in number and in bytes.
    @Test func aTrailOfManyAttemptsIsBounded() async throws {
        try await Stack.with(configuration: Self.configuration("")) { stack in
            let client = try await GenwireClient.connect(to: stack.address)
            var request = user("x", model: "broken")
            request.options.fallbacks = Array(repeating: "broken", count: 16)
            let before = try await stack.statistic("requests")
            let error = await #expect(throws: ClientError.self) { _ = try await client.chat(request) }
            #expect(error?.detail?.attempts.count == 17)
            #expect(error?.detail?.attempts.allSatisfy { $0.error.utf8.count <= 515 } == true)
            #expect(try await stack.statistic("requests") == before + 17)
            // Attempts that fail before sending anything follow each other in the same turn of the loop.
            request.options.topK = 1
            let refused = await #expect(throws: ClientError.self) { _ = try await client.chat(request) }
            #expect(refused?.code == 12 && refused?.detail?.attempts.count == 17)
            #expect(try await stack.statistic("requests") == before + 17)
            await client.close()
        }
    }

    /// Callers may use up all descriptors meant for them; those for vendors stay reserved.
    @Test func descriptorsForVendorsAreKept() async throws {
        try await Stack.with(configuration: Self.configuration(""), descriptorLimit: 256) { stack in
            #expect(stack.daemon.log.contains("limits.max_connections exceeds the limit of open files"))
            let client = try await GenwireClient.connect(to: stack.address)
            let sockets = (0..<600).map { index in
                index % 2 == 0 ? connectUnix(stack.folder + "/g.sock") : connectTCP(stack.tcp)
            }
            #expect(try await eventually { sockets.count { isClosed($0) } > 300 })
            let answers = await withTaskGroup(of: Bool.self) { group in
                for _ in 0..<20 {
                    group.addTask { (try? await client.chat(user("x")))?.completion.finishReason == .stop }
                }
                return await group.reduce(0) { $0 + ($1 ? 1 : 0) }
            }
            #expect(answers == 20)
            for socket in sockets { close(socket) }
            await client.close()
        }
    }
}

func connectTCP(_ address: String) -> Int32 {
    let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
    var address4 = sockaddr_in()
    address4.sin_family = sa_family_t(AF_INET)
    address4.sin_port = UInt16(address.split(separator: ":").last ?? "")?.bigEndian ?? 0
    address4.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
    let result = withUnsafePointer(to: &address4) { pointer in
        pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
            connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
        }
    }
    if result == 0 { return descriptor }
    close(descriptor)
    return -1
}
