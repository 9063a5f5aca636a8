internal import ArgumentParser
internal import Generation
internal import GenwireClient
internal import Glibc

/// A subcommand that connects to a server.
protocol ServerCommand: AsyncParsableCommand {
    var parent: GenwireCommand { get }
    var own: GlobalOptions { get }
    func run(_ client: GenwireClient, _ options: GlobalOptions) async throws
}

extension ServerCommand {
    func run() async throws {
        var options = own.merged(over: parent.options)
        do {
            let (client, left) = try await Self.reach(options)
            options.timeout = left
            do {
                try await run(client, options)
            } catch {
                await client.close()
                throw error
            }
            await client.close()
        } catch let error as ClientError {
            try fail(error, options)
        }
    }
}

extension ServerCommand {
    /// Without `--timeout`: the timeout for connecting and the server's first response, in seconds.
    private static var patience: Double { 30 }

    /// Connects and waits for a first response. Returns the client and the rest of `--timeout` for the call.
    private static func reach(_ options: GlobalOptions) async throws -> (client: GenwireClient, left: Double?) {
        let limit = options.timeout ?? patience
        let start = ContinuousClock.now
        func left() -> Double { max(0.001, limit - (ContinuousClock.now - start) / .seconds(1)) }
        let client = try await GenwireClient.connect(
            to: options.address, token: try options.token(), serverUser: try options.serverUserID(),
            timeoutMilliseconds: milliseconds(limit))
        do {
            _ = try await client.hello(deadlineMilliseconds: milliseconds(left()))
        } catch {
            await client.close()
            throw error.code == 4 && error.detail == nil ? ClientError.silent(client.address, seconds: limit) : error
        }
        return (client, options.timeout == nil ? nil : left())
    }
}

/// Prints an error and its remedy to standard error, and exits with the corresponding code.
func fail(_ error: ClientError, _ options: GlobalOptions) throws -> Never {
    if options.json {
        Output.errorLine(JSONForms().error(error))
    } else if let reason = error.unreachable {
        let prefix =
            switch reason {
            case .absent, .refused: "no server: "
            case .notGenwire: options.address.map { $0 + ": " } ?? ""
            case .malformedAddress, .notPermitted, .untrusted, .silent: ""
            }
        Output.errorLine("genwire: \(prefix)\(error.message)")
        Output.errorLine(remedy(reason))
    } else {
        Output.errorLine("genwire: \(error)")
        if error.code == 16, (error.detail?.provider ?? "").isEmpty {
            Output.errorLine("Pass the server's token in GENWIRE_TOKEN or with --token-file.")
        }
        if let detail = error.detail {
            for attempt in detail.attempts.dropLast() where detail.attempts.count > 1 {
                Output.errorLine("  earlier attempt at \(attempt.model): \(attempt.error)")
            }
            if let wait = detail.retryAfterMilliseconds, detail.isRetryable {
                Output.errorLine("  try again in \(Double(wait) / 1000) s")
            }
        }
    }
    throw ExitCode(ExitStatus(error).rawValue)
}

/// The second line of the error for a server that was not reached: the remedy or the option concerned.
private func remedy(_ reason: ClientError.Unreachable) -> String {
    switch reason {
    case .malformedAddress: "The address comes from --connect or GENWIRE_CONNECT."
    case .absent, .refused:
        "Start one with: genwired --config config.yaml  (or name another with --connect or GENWIRE_CONNECT)"
    case .notPermitted:
        "The socket and its folder belong to other users; the server's allow_uids and allow_gids control access."
    case .untrusted: "--server-user or GENWIRE_SERVER_USER names another user whose server is trusted."
    case .silent:
        "It is stopped or overloaded, or it is not a Genwire server. --timeout sets how long to wait."
    case .notGenwire: "Name another address with --connect or GENWIRE_CONNECT."
    }
}

/// Writes data to standard output and everything else to standard error.
enum Output {
    static func write(_ text: String) { write(text, to: STDOUT_FILENO) }
    static func line(_ text: String) { write(text + "\n", to: STDOUT_FILENO) }
    static func errorLine(_ text: String) { write(text + "\n", to: STDERR_FILENO) }
    static func error(_ text: String) { write(text, to: STDERR_FILENO) }

    private static func write(_ text: String, to descriptor: Int32) {
        var text = text
        text.withUTF8 { buffer in
            var done = 0
            while done < buffer.count {
                let count = Glibc.write(descriptor, buffer.baseAddress! + done, buffer.count - done)
                if count < 0, errno == EINTR { continue }
                // A closed pipe (`genwire … | head`) is not an error.
                if count <= 0 { _exit((errno == EPIPE ? ExitStatus.done : .output).rawValue) }
                done += count
            }
        }
    }

    /// Whether to use colour on a descriptor: only on a capable terminal, and not if `NO_COLOR` is set.
    static func isColoured(_ descriptor: Int32) -> Bool {
        guard isatty(descriptor) == 1, getenv("NO_COLOR") == nil else { return false }
        return getenv("TERM").map { String(cString: $0) != "dumb" } ?? false
    }

    /// The text in a dim style if `isColoured(descriptor)`, otherwise unchanged.
    static func dim(_ text: String, on descriptor: Int32) -> String {
        isColoured(descriptor) ? "\u{1B}[2m\(text)\u{1B}[0m" : text
    }

    /// Aligns the cells of `rows` in columns, separated by two spaces.
    static func table(_ rows: [[String]]) -> String {
        let widths = (0..<(rows.first?.count ?? 0)).map { column in rows.map { $0[column].count }.max() ?? 0 }
        return rows.map { row in
            var line = ""
            for (column, cell) in row.enumerated() {
                line += cell
                if column < row.count - 1 { line += String(repeating: " ", count: widths[column] - cell.count + 2) }
            }
            return line
        }.joined(separator: "\n")
    }
}

/// Reads files and standard input.
enum Input {
    /// Reads a whole file, or standard input for `-`; at most about 64 MiB.
    static func bytes(_ path: String) throws -> [UInt8] {
        let descriptor = path == "-" ? STDIN_FILENO : open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { throw ValidationError("\(path): \(String(cString: strerror(errno)))") }
        defer { if path != "-" { close(descriptor) } }
        var result: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 64 << 10)
        while true {
            let count = read(descriptor, &buffer, buffer.count)
            if count < 0, errno == EINTR { continue }
            guard count >= 0 else { throw ValidationError("\(path): \(String(cString: strerror(errno)))") }
            guard count > 0 else { return result }
            result += buffer[..<count]
            guard result.count <= 64 << 20 else { throw ValidationError("\(path): larger than 64 MiB") }
        }
    }

    static func text(_ path: String) throws -> String {
        guard let text = String(validating: try bytes(path), as: UTF8.self) else {
            throw ValidationError("\(path): not UTF-8 text")
        }
        return text
    }
}
