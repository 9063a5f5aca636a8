import Foundation

/// The cost of a call to a vendor, compared with references that make the same call.
extension Bench {
    /// The references of one measurement, over plain HTTP or TLS.
    private struct CallFigures {
        var ourCPU: [Double] = [], ourRate: [Double] = []
        var curlCPU: [Double] = [], curlRate: [Double] = []
        var nginxCPU: [Double] = []
    }

    func chat() throws -> [Row] {
        note("Chat …")
        let plain = try calls("unary", url: "http://127.0.0.1:\(upstreamPort)/unary", nginxPath: "/unary")
        let secure = try calls(
            "unary-tls", url: "https://127.0.0.1:\(upstreamTLSPort)/unary", nginxPath: "/tls/unary")
        func nginx(_ figures: CallFigures) -> Double? { figures.nginxCPU.isEmpty ? nil : median(figures.nginxCPU) }
        return [
            .ratio(
                "Chat, CPU per request", ours: median(plain.ourCPU), "bare C libcurl loop", median(plain.curlCPU),
                unit: " µs", atMost: 1.7),
            .ratio(
                "Chat, CPU per request", ours: median(plain.ourCPU), "nginx as a proxy", nginx(plain), unit: " µs",
                atMost: 2.2),
            .ratio(
                "Chat, 16 connections", ours: median(plain.ourRate), "bare C libcurl loop", median(plain.curlRate),
                unit: "/s", atLeast: 0.55),
            .ratio(
                "Chat over TLS, CPU per request", ours: median(secure.ourCPU), "bare C libcurl loop",
                median(secure.curlCPU), unit: " µs", atMost: 1.7),
            .ratio(
                "Chat over TLS, CPU per request", ours: median(secure.ourCPU), "nginx as a proxy", nginx(secure),
                unit: " µs", atMost: 2.2),
        ]
    }

    private func calls(_ model: String, url: String, nginxPath: String) throws -> CallFigures {
        let daemon = try startDaemon()
        let nginx = try startNginx()
        let requests = 60_000 / scale
        var figures = CallFigures()
        _ = try unary(socket, "Chat", model: model, connections: 16, requests: requests / 10)
        for _ in 0..<min(rounds, url.hasPrefix("https") ? 3 : rounds) {
            let before = daemon.cpuMicroseconds
            let result = try unary(socket, "Chat", model: model, connections: 16, requests: requests)
            figures.ourRate.append(result["requests_per_second"] ?? 0)
            figures.ourCPU.append((daemon.cpuMicroseconds - before) / Double(requests))
            let bare = try measure(
                "\(tools)/curl_loop", [url + "/v1/chat/completions", "\(requests)", "16"],
                environment: ["CURL_CA_BUNDLE": certificate])
            figures.curlRate.append(bare["requests_per_second"] ?? 0)
            figures.curlCPU.append(bare["cpu_us_per_request"] ?? 0)
            guard let nginx else { continue }
            let workers = nginx.process.children
            let nginxBefore = workers.reduce(0) { $0 + Background.cpu($1) }
            _ = try measure(
                "\(tools)/load", ["http", "\(nginx.port)", nginxPath + "/v1/chat/completions", "16", "\(requests)"])
            figures.nginxCPU.append(
                (workers.reduce(0) { $0 + Background.cpu($1) } - nginxBefore) / Double(requests))
        }
        stop(daemon)
        if let nginx { stop(nginx.process) }
        return figures
    }

    /// The delays of one kind of stream in microseconds, the medians of all rounds.
    private struct Delays {
        private var results: [[String: Double]] = []

        mutating func add(_ result: [String: Double]) { results.append(result) }

        var p50: Double { of("p50_us") }
        var p99: Double { of("p99_us") }
        var largest: Double { of("max_us") }
        /// The largest delay while all streams were being opened.
        var opening: Double { of("opening_us") }
        /// The largest scheduling delay of the load generator: an upper bound of its share of `largest`.
        var lag: Double { of("lag_us") }

        private func of(_ key: String) -> Double { median(results.map { $0[key] ?? 0 }) }
    }

    private static let pacedPath = "/paced/50/2/v1/chat/completions"

    /// Streams at 50 chunks/s: from the upstream's write to the client's read, with nginx in the same round.
    func pacedStreams() throws -> [Row] {
        note("paced streams …")
        let daemon = try startDaemon()
        let nginx = try startNginx()
        var rows: [Row] = [], cpu: [Double] = [], cpuOfFew: [Double] = []
        for (streams, isTLS) in [(10, false), (100, false), (400, false), (1000, false), (400, true)] {
            var ours = Delays(), theirs = Delays(), floor = Delays()
            for _ in 0..<min(rounds, 3) {
                let before = daemon.cpuMicroseconds
                let model = isTLS ? "paced-tls" : "paced"
                let result = try measure("\(tools)/load", ["stream", socket, model, "\(streams)"])
                ours.add(result)
                let perChunk = (daemon.cpuMicroseconds - before) / max(1, result["chunks"] ?? 1)
                if streams == 1000 { cpu.append(perChunk) } else if streams == 10 { cpuOfFew.append(perChunk) }
                if let nginx { theirs.add(try direct(nginx.port, (isTLS ? "/tls" : "") + Self.pacedPath, streams)) }
                if streams == 1000 { floor.add(try direct(upstreamPort, Self.pacedPath, streams)) }
            }
            let name = "\(streams == 1000 ? "1,000" : "\(streams)") streams\(isTLS ? " over TLS" : "")"
            rows += Self.rows(name, ours, nginx == nil ? nil : theirs, isLarge: streams >= 400)
            guard streams == 1000 else { continue }
            rows.append(
                .limit(
                    "1,000 streams, p99 delay beyond the upstream's own", (ours.p99 - floor.p99) / 1000, unit: " ms",
                    atMost: 2))
        }
        stop(daemon)
        if let nginx { stop(nginx.process) }
        rows.append(
            .ratio(
                "CPU per chunk at 1,000 streams", ours: median(cpu), "at 10 streams", median(cpuOfFew), unit: " µs",
                atMost: 1.2))
        return rows
    }

    private func direct(_ port: Int, _ path: String, _ streams: Int) throws -> [String: Double] {
        try measure("\(tools)/load", ["direct", "\(port)", path, "\(streams)"])
    }

    private static func rows(_ name: String, _ ours: Delays, _ nginx: Delays?, isLarge: Bool) -> [Row] {
        func beside(_ what: String, _ figure: (Delays) -> Double) -> Row {
            .beside(
                "\(name), \(what)", ours: figure(ours) / 1000, "nginx unbuffered", nginx.map { figure($0) / 1000 },
                unit: " ms")
        }
        var rows: [Row] = [
            .ratio(
                "\(name), p50 delay", ours: ours.p50, "nginx unbuffered", nginx?.p50, unit: " µs", atMost: 1.5),
            .ratio(
                "\(name), p99 delay", ours: ours.p99 / 1000, "nginx unbuffered", nginx.map { $0.p99 / 1000 },
                unit: " ms", atMost: 1.5),
            beside("largest delay", \.largest),
        ]
        if isLarge {
            rows += [beside("the load's own lag", \.lag), beside("largest delay while opening", \.opening)]
        }
        return rows
    }
}
