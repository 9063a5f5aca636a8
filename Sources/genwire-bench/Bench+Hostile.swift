import Foundation

extension Bench {
    /// How long a caller waits while another caller on the same loop sends the most expensive requests of 4 MiB: see
    /// `Tests/Interop/hostile_requests.py`.
    func hostileRequests() throws -> [Row] {
        note("hostile requests …")
        let programs = URL(fileURLWithPath: genwired).deletingLastPathComponent().path
        let simulator = try start(programs + "/genwire-sim", ["--port", "0"], "simulator")
        let upstream = try simulator.wait(for: "ready on").split(separator: " ").last.map(String.init) ?? ""
        let path = folder + "/hostile.yaml"
        let socket = folder + "/hostile.sock"
        try """
        server: {listen: ["unix:\(socket)"], loops: 1}
        retry: {max_attempts: 1}
        models:
          openai: {provider: openai, config: {model_name: gpt-4o, api_base: "\(upstream)/v1", api_key: bench, extra_body: {n: 1}}}
          claude: {provider: anthropic, config: {model_name: claude-sonnet-4-5, api_base: "\(upstream)", api_key: bench}}
          gemini: {provider: gemini, config: {model_name: gemini-2.5-flash, api_base: "\(upstream)", api_key: bench}}

        """.write(toFile: path, atomically: true, encoding: .utf8)
        let daemon = try start(genwired, ["--config", path], "hostile")
        _ = try daemon.wait(for: "genwired ready")
        let output = folder + "/hostile.txt"
        let models = scale > 1 ? ["gemini"] : ["openai", "claude", "gemini"]
        let script = sources + "/../Tests/Interop/hostile_requests.py"
        let caller = try start(
            "/usr/bin/python3", [script, "--socket", socket] + models, "caller", output: output)
        let line = try caller.wait(for: "longest ping:", in: output, seconds: 300)
        stop(caller)
        stop(daemon)
        stop(simulator)
        let words = line.split(separator: " ")
        let milliseconds = words.count > 2 ? Double(words[2]) ?? .infinity : .infinity
        return [.limit("worst 4 MiB request, a Ping on its loop", milliseconds, unit: " ms", atMost: 50)]
    }
}
