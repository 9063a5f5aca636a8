import Foundation
import Glibc

/// Runs the daemon, the upstream and the references as child processes, in a temporary folder.
final class Bench {
    let genwired: String
    let sources: String
    let tools: String
    let folder: String
    let rounds: Int
    let scale: Int
    private var running: [Background] = []
    private(set) var upstreamPort = 0
    private(set) var upstreamTLSPort = 0
    private var hasTTRPCServer = false

    init(genwired: String, sources: String, isQuick: Bool) throws {
        self.genwired = URL(fileURLWithPath: genwired).standardizedFileURL.path
        self.sources = URL(fileURLWithPath: sources).standardizedFileURL.path
        tools = self.sources + "/out"
        rounds = isQuick ? 1 : 5
        scale = isQuick ? 10 : 1
        folder = NSTemporaryDirectory() + "genwire-bench-\(getpid())"
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        guard FileManager.default.isExecutableFile(atPath: self.genwired) else {
            throw BenchError(description: "\(self.genwired) does not exist; run: make build")
        }
    }

    func start(_ path: String, _ arguments: [String], _ name: String, output: String? = nil) throws
        -> Background
    {
        let process = try Background(path, arguments, log: "\(folder)/\(name).log", output: output)
        running.append(process)
        return process
    }

    func stop(_ process: Background) {
        process.stop()
        running.removeAll { $0 === process }
    }

    func stopAll() {
        for process in running.reversed() { process.stop() }
        running = []
        try? FileManager.default.removeItem(atPath: folder)
    }

    /// Compiles the references and starts the upstream.
    func build() throws {
        try FileManager.default.createDirectory(atPath: tools, withIntermediateDirectories: true)
        let options = ["-O2", "-Wall", "-Wextra", "-o"]
        for (name, libraries) in [("echo", ["-lpthread"]), ("load", []), ("upstream", ["-lssl", "-lcrypto"])] {
            try run("/usr/bin/cc", options + ["\(tools)/\(name)", "\(sources)/\(name).c"] + libraries)
        }
        try run(
            "/usr/bin/c++",
            options + [
                "\(tools)/curl_loop", "-x", "c", "\(sources)/curl_loop.c", "-x", "c++", "\(sources)/sse_json.cpp",
                "-x", "none", "-lcurl", "-lsimdjson",
            ])
        do {
            try run(sources + "/../Tests/Interop/go/build.sh", [tools])
            hasTTRPCServer = true
        } catch {
            note("no ttrpc-go: \(error)")
        }
        try run(
            "/usr/bin/openssl",
            [
                "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "30",
                "-subj", "/CN=127.0.0.1", "-addext",
                "subjectAltName=IP:127.0.0.1", "-keyout", folder + "/key.pem", "-out", certificate,
            ])
        let upstream = try start("\(tools)/upstream", ["0", certificate, folder + "/key.pem"], "upstream")
        let ports = try upstream.wait(for: "ready").split(separator: " ").dropFirst().compactMap { Int($0) }
        guard ports.count == 2 else { throw BenchError(description: "the upstream prints no ports: \(upstream.log)") }
        (upstreamPort, upstreamTLSPort) = (ports[0], ports[1])
    }

    private func run(_ path: String, _ arguments: [String]) throws {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: path)
        process.arguments = arguments
        process.standardOutput = FileHandle.standardError
        try process.run()
        process.waitUntilExit()
        guard process.terminationStatus == 0 else {
            throw BenchError(description: "\(path) ended with \(process.terminationStatus)")
        }
    }

    func note(_ text: String) { FileHandle.standardError.write(Data((text + "\n").utf8)) }

    private func url(_ path: String) -> String { "http://127.0.0.1:\(upstreamPort)/\(path)/v1/chat/completions" }

    var socket: String { folder + "/genwire.sock" }
    var certificate: String { folder + "/certificate.pem" }

    private let fullChunks = 200_000

    func startDaemon(auth: String = "") throws -> Background {
        let daemon = try start(genwired, ["--config", try configuration(auth: auth)], "genwired")
        _ = try daemon.wait(for: "genwired ready")
        return daemon
    }

    /// Writes the daemon's configuration, and returns its path.
    func configuration(auth: String = "") throws -> String {
        let path = folder + "/config.yaml"
        func model(_ name: String, _ path: String, tls: Bool = false) -> String {
            let upstream = tls ? "https://127.0.0.1:\(upstreamTLSPort)" : "http://127.0.0.1:\(upstreamPort)"
            return
                "  \(name): {provider: openai, config: {model_name: bench, api_base: \"\(upstream)/\(path)/v1\", api_key: bench}}\n"
        }
        // The upstream checks only the beginning of a path.
        func dialect(_ name: String, _ provider: String) -> String {
            "  \(name): {provider: \(provider), config: {model_name: bench, project_id: bench, api_base: \"http://127.0.0.1:\(upstreamPort)/full-\(name)/\(fullChunks)\", api_key: bench}}\n"
        }
        let text =
            "server: {listen: [\"unix:\(socket)\"], loops: 2}\nlimits: {max_connections: 20000}\nretry: {max_attempts: 1}\n"
            + "tls: {ca_file: \"\(certificate)\"}\nmodels:\n"
            + model("unary", "unary") + model("full", "full/\(fullChunks)") + model("paced", "paced/50/2")
            + model("unary-tls", "unary", tls: true) + model("paced-tls", "paced/50/2", tls: true)
            + model("hang", "hang") + dialect("claude", "anthropic_vertex") + dialect("gemini", "vertex")
        try (text + auth).write(toFile: path, atomically: true, encoding: .utf8)
        return path
    }

    func unary(
        _ socket: String, _ method: String, model: String = "unary", connections: Int, requests: Int
    ) throws -> [String: Double] {
        try measure("\(tools)/load", ["unary", socket, method, model, "\(connections)", "\(requests)"])
    }

    // MARK: - Measurements

    func health() throws -> [Row] {
        note("Health …")
        let daemon = try startDaemon()
        let echo = try start("\(tools)/echo", [folder + "/echo.sock", "2"], "echo")
        _ = try echo.wait(for: "ready")
        var go: Background?
        if hasTTRPCServer {
            go = try start("\(tools)/ttrpc-server", [folder + "/go.sock"], "go")
            _ = try go?.wait(for: "ready")
        }
        let requests = 200_000 / scale
        var rates: [String: [Double]] = [:]
        var latencies: [String: [Double]] = [:]
        for _ in 0..<rounds {
            var servers = [("ours", socket), ("echo", folder + "/echo.sock")]
            if go != nil { servers.append(("go", folder + "/go.sock")) }
            for (name, path) in servers {
                rates[name, default: []].append(
                    try unary(path, "Health", connections: 16, requests: requests)["requests_per_second"] ?? 0)
                latencies[name, default: []].append(
                    try unary(path, "Health", connections: 1, requests: requests / 20)["p50_us"] ?? 0)
            }
        }
        let medians = rates.mapValues(median)
        let waits = latencies.mapValues(median)
        for process in [daemon, echo, go].compactMap({ $0 }) { stop(process) }
        return [
            .ratio(
                "Health, 16 connections", ours: medians["ours"] ?? 0, "bare C epoll echo", medians["echo"], unit: "/s",
                atLeast: 0.5),
            .ratio(
                "Health, 16 connections", ours: medians["ours"] ?? 0, "ttrpc-go", medians["go"], unit: "/s", atLeast: 2),
            .ratio(
                "Health, 1 connection, p50", ours: waits["ours"] ?? 0, "bare C epoll echo", waits["echo"], unit: " µs",
                atMost: 2),
        ]
    }

    func startNginx() throws -> (process: Background, port: Int)? {
        guard
            let path = ["/usr/sbin/nginx", "/usr/bin/nginx"].first(where: FileManager.default.isExecutableFile(atPath:))
        else {
            return nil
        }
        // A port that was free a moment ago: nginx cannot choose one itself.
        let port = try freePort()
        let template = try String(contentsOfFile: sources + "/nginx.conf.in", encoding: .utf8)
        let config = folder + "/nginx.conf"
        try template.replacingOccurrences(of: "@FOLDER@", with: folder).replacingOccurrences(
            of: "@PORT@", with: "\(port)"
        )
        .replacingOccurrences(of: "@UPSTREAM@", with: "127.0.0.1:\(upstreamPort)")
        .replacingOccurrences(of: "@TLS_UPSTREAM@", with: "127.0.0.1:\(upstreamTLSPort)")
        .write(toFile: config, atomically: true, encoding: .utf8)
        let process = try start(path, ["-p", folder, "-c", config, "-e", folder + "/nginx-error.log"], "nginx")
        for _ in 0..<500 {
            if process.children.count >= 2 { return (process, port) }
            usleep(10_000)
        }
        note("nginx did not start: \(process.log)")
        stop(process)
        return nil
    }

    private func freePort() throws -> Int {
        let descriptor = Glibc.socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        defer { close(descriptor) }
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let result = withUnsafeMutablePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { address in
                bind(descriptor, address, length) == 0 ? getsockname(descriptor, address, &length) : -1
            }
        }
        guard result == 0 else { throw BenchError(description: "no free port") }
        return Int(UInt16(bigEndian: address.sin_port))
    }

    func fullSpeedStream() throws -> [Row] {
        note("StreamChat at full speed …")
        let daemon = try startDaemon()
        var ours: [Double] = [], bare: [Double] = [], claude: [Double] = [], gemini: [Double] = []
        func rate(_ model: String) throws -> Double {
            try measure("\(tools)/load", ["stream", socket, model, "1"])["chunks_per_second"] ?? 0
        }
        for _ in 0..<rounds {
            ours.append(try rate("full"))
            claude.append(try rate("claude"))
            gemini.append(try rate("gemini"))
            bare.append(
                try measure("\(tools)/curl_loop", [url("full/\(fullChunks)"), "1", "1", "stream"])["chunks_per_second"]
                    ?? 0)
        }
        stop(daemon)
        return [
            .ratio(
                "one StreamChat at full speed", ours: median(ours), "C: libcurl, SSE, simdjson", median(bare),
                unit: " chunks/s", atLeast: 0.5),
            .ratio(
                "the same from Claude", ours: median(claude), "from OpenAI", median(ours), unit: " chunks/s",
                atLeast: 0.67),
            .ratio(
                "the same from Gemini", ours: median(gemini), "from OpenAI", median(ours), unit: " chunks/s",
                atLeast: 0.67),
        ]
    }

    /// Tokens that expire after four seconds, from an endpoint that takes 0.2 s, compared with a fixed key.
    func authentication() throws -> [Row] {
        note("authentication …")
        let issuer = try start(
            URL(fileURLWithPath: genwired).deletingLastPathComponent().appendingPathComponent("genwire-sim").path,
            ["--port", "0"], "issuer")
        let line = try issuer.wait(for: "ready on")
        let address = line.split(separator: " ").last.map(String.init) ?? ""
        func model(_ name: String) -> String {
            "  \(name): {provider: openai, config: {model_name: bench, api_base: \"http://127.0.0.1:\(upstreamPort)/unary/v1\", auth: \(name)}}\n"
        }
        func entry(_ name: String, _ words: String) -> String {
            "  \(name): {type: coin, token_url: \"\(address)/oauth/token\", client_id: bench, client_secret: bench-secret, scope: \"\(words)\"}\n"
        }
        let daemon = try startDaemon(
            auth: model("cached") + model("expiring") + "auth:\n" + entry("cached", "expires=3600")
                + entry("expiring", "expires=4,delay=200"))
        usleep(500_000)
        let requests = 30_000 / scale
        var cpu: [String: [Double]] = [:], slowest: [String: [Double]] = [:]
        _ = try unary(socket, "Chat", connections: 16, requests: requests / 10)
        for _ in 0..<rounds {
            for name in ["unary", "cached", "expiring"] {
                let before = daemon.cpuMicroseconds
                let result = try unary(socket, "Chat", model: name, connections: 16, requests: requests)
                cpu[name, default: []].append((daemon.cpuMicroseconds - before) / Double(requests))
                slowest[name, default: []].append((result["max_us"] ?? 0) / 1000)
            }
        }
        stop(daemon)
        stop(issuer)
        let (costs, waits) = (cpu.mapValues(median), slowest.mapValues(median))
        return [
            .ratio(
                "Chat with a fetched token, CPU", ours: costs["cached"] ?? 0, "with a fixed key", costs["unary"],
                unit: " µs", atMost: 1.05),
            .ratio(
                "across expiries, slowest request", ours: waits["expiring"] ?? 0, "with a fixed key", waits["unary"],
                unit: " ms", atMost: 2),
        ]
    }

    func cancellation() throws -> [Row] {
        note("cancellation …")
        let daemon = try startDaemon()
        let result = try measure("\(tools)/load", ["cancel", socket, "hang", "\(upstreamPort)", "\(200 / scale)"])
        stop(daemon)
        return [.limit("client closes → upstream closed, p99", (result["p99_us"] ?? 0) / 1000, unit: " ms", atMost: 5)]
    }

    func memory() throws -> [Row] {
        note("memory …")
        let daemon = try startDaemon()
        _ = try unary(socket, "Health", connections: 1, requests: 1)
        usleep(300_000)
        let idle = try daemon.memory("Rss")
        let anonymous = try daemon.memory("Anonymous")
        let silent = folder + "/idle.out"
        let connections = try start("\(tools)/load", ["idle", socket, "10000"], "idle", output: silent)
        _ = try connections.wait(for: "held", in: silent)
        usleep(500_000)
        let crowded = try daemon.memory("Rss")
        stop(connections)
        stop(daemon)
        // A new process, so that memory left from the idle connections does not count.
        let second = try startDaemon()
        let held = folder + "/held.out"
        let streams = try start("\(tools)/load", ["hold", socket, "hang", "1000"], "hold", output: held)
        _ = try streams.wait(for: "held", in: held)
        let open = try second.memory("Rss")
        stop(streams)
        stop(second)
        return [
            .limit("resident when idle", idle, unit: " MiB", atMost: 20),
            .limit("anonymous when idle", anonymous, unit: " MiB", atMost: 6),
            .limit("resident with 1,000 open streams", open, unit: " MiB", atMost: 64),
            .limit("10,000 idle connections add", crowded - idle, unit: " MiB", atMost: 40),
        ]
    }

    func startUp() throws -> [Row] {
        note("start-up …")
        let result = try measure(
            "\(tools)/load", ["start", socket, "\(max(rounds, 3) * 3)", genwired, "--config", try configuration()])
        return [.limit("start to first answered RPC", (result["p50_us"] ?? 0) / 1000, unit: " ms", atMost: 50)]
    }
}
