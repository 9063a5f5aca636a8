import ArgumentParser
import EventLoop
import Generation
import Glibc
import HTTPServer
import Simulator

/// The command `genwire-sim`.
@main
struct GenwireSim: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "genwire-sim",
        abstract: "Simulates vendors on loopback: responses, streams, tool calls, errors and faults, without a key.",
        discussion: """
            Point api_base at http://127.0.0.1:PORT/v1. A model name can select faults: gpt-4o#stall-after=3, or \
            a recording: recording:openai/CASE#slice=1.
            Faults: \(Fault.names)
            Control: GET /sim/stats, GET /sim/requests, POST /sim/reset.
            """,
        version: genwireVersion)

    @Option(help: "The port on 127.0.0.1; 0 for a free one.") var port: UInt16
    @Option(help: "A JSON file of responses, one per request.") var script: String?
    @Option(help: "A folder of recordings, PROVIDER/CASE.") var recordings: String?
    @Option(help: "Milliseconds before the first byte.") var latency = 0
    @Option(help: "Milliseconds between two pieces of a stream.") var chunkInterval = 0
    @Option(help: "Words per response.") var tokens = 24
    @Option(help: "A fault for every request; may be repeated.") var fault: [String] = []
    @Option(help: "The only key to accept (default: any).") var apiKey: String?
    @Option(help: "Cut bodies into pieces of N bytes, or 'random'.") var slice: String?

    func run() async throws {
        var options = SimulatorOptions()
        options.port = port
        options.latencyMilliseconds = latency
        options.chunkIntervalMilliseconds = chunkInterval
        options.tokens = tokens
        options.apiKey = apiKey
        options.recordings = recordings
        options.faults = try fault.flatMap { $0.split(separator: ",") }.map { text in
            guard let fault = Fault(String(text)) else {
                throw ValidationError("--fault \(text): use one of \(Fault.names)")
            }
            return fault
        }
        if let slice {
            guard let slicing = Slicing(slice) else {
                throw ValidationError("--slice \(slice): use a number or 'random'")
            }
            options.slicing = slicing
        }
        if let script { options.script = try Script(Self.text(script)) }
        signal(SIGPIPE, SIG_IGN)
        let (ended, continuation) = AsyncStream.makeStream(of: Void.self)
        let signals = SignalWatch([SIGTERM, SIGINT]) { _ in continuation.yield() }
        let loop = try EventLoop(label: "genwire-sim")
        let start = options
        let server = await loop.perform { LoopBound(SimulatorServer(start, loop: loop), on: loop) }
        let result = await loop.perform { () -> Result<UInt16, HTTPServerStartError> in
            do throws(HTTPServerStartError) { return .success(try server.value.start()) } catch {
                return .failure(error)
            }
        }
        let bound = try result.get()
        var line = "genwire-sim ready on http://127.0.0.1:\(bound)\n"
        line.withUTF8 { _ = write(STDERR_FILENO, $0.baseAddress, $0.count) }
        for await _ in ended { break }
        withExtendedLifetime(signals) {}
        await loop.perform { server.value.stop() }
        await loop.shutdown()
    }

    private static func text(_ path: String) throws -> String {
        guard let file = fopen(path, "r") else { throw ValidationError("\(path): \(String(cString: strerror(errno)))") }
        defer { fclose(file) }
        var bytes: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 65536)
        while case let count = fread(&buffer, 1, buffer.count, file), count > 0 { bytes += buffer[..<count] }
        return String(decoding: bytes, as: UTF8.self)
    }
}
