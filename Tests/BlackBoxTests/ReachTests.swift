import Foundation
import TestSupport
import Testing

/// `genwire` against servers that are absent, do not respond, or are not Genwire servers. Each command must end:
/// without a bound, each of these would wait indefinitely.
@Suite struct ReachTests {
    private static let commands = [
        ["health"], ["health", "--deep"], ["models"], ["auth"], ["usage"], ["tokens", "x"], ["generate", "x"],
        ["chat", "-m", "user:x"], ["chat", "-m", "user:x", "--stream"], ["repl"],
    ]

    @Test func aStoppedDaemon() async throws {
        try await Stack.with { stack in
            let tcp = try #require(
                stack.daemon.log.split { " ,\n".contains($0) }.first { $0.hasPrefix("tcp:") }.map(String.init))
            stack.daemon.signal(SIGSTOP)
            defer { stack.daemon.signal(SIGCONT) }
            for address in [stack.address, tcp] {
                await withTaskGroup(of: Void.self) { group in
                    for command in Self.commands {
                        group.addTask {
                            let result = try? await runProgram(
                                "genwire", ["--connect", address, "--timeout", "1"] + command, input: "hello\n")
                            #expect(result?.code == 69, "\(command) \(result?.errors ?? "")")
                            #expect(result?.errors.contains("no response within 1.0 s") == true)
                        }
                    }
                }
            }
        }
    }

    /// The bound covers the whole call: the server answers the handshake and then stalls in the middle of a response.
    @Test func aDaemonThatStopsLater() async throws {
        try await Stack.with(configuration: Stack.configuration(["stalls": "gpt-4o#stall-after=1"])) { stack in
            let genwire = try RunningProgram(
                "genwire",
                [
                    "--connect", stack.address, "--timeout", "8", "--model", "stalls", "chat", "-m", "user:x",
                    "--stream",
                ],
                logPath: stack.folder + "/genwire.log")
            #expect(try await eventually { try await stack.statistic("active_streams") == 1 })
            stack.daemon.signal(SIGSTOP)
            let code = await genwire.waitForExit()
            stack.daemon.signal(SIGCONT)
            #expect(code == 75, "\(genwire.log)")
        }
    }

    @Test func aSocketThatNobodyServes() async throws {
        try await withTemporaryFolder { folder in
            // The kernel accepts the connection for a listener that never calls `accept`.
            let silent = bindUnix(folder + "/silent.sock", backlog: 8)
            defer { close(silent) }
            let result = try await runProgram(
                "genwire", ["--connect", "unix:\(folder)/silent.sock", "--timeout", "1", "health"])
            #expect(result.code == 69)
            #expect(result.errors.contains("no response within 1.0 s"), "\(result.errors)")
            #expect(!result.errors.contains("no server"))

            // With a full backlog, not even the kernel accepts it.
            let full = bindUnix(folder + "/full.sock", backlog: 0)
            let waiting = connectUnix(folder + "/full.sock")
            #expect(waiting >= 0)
            defer {
                close(full)
                close(waiting)
            }
            let second = try await runProgram(
                "genwire", ["--connect", "unix:\(folder)/full.sock", "--timeout", "1", "health"])
            #expect(second.code == 69)
            #expect(second.errors.contains("connection not accepted within 1.0 s"), "\(second.errors)")
        }
    }

    @Test(arguments: [
        "HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n", "SSH-2.0-OpenSSH_9.2p1\r\n", "-",
        // The first frame of an HTTP/2 server, SETTINGS: like a ttrpc frame, it starts with a zero byte.
        "\0\0\u{6}\u{4}\0\0\0\0\0\0\u{3}\0\0\0\u{64}",
    ])
    func somethingElseAnswers(_ bytes: String) async throws {
        try await withTemporaryFolder { folder in
            let listener = bindUnix(folder + "/other.sock", backlog: 8)
            let server = Thread {
                let peer = accept(listener, nil, nil)
                _ = bytes.utf8.withContiguousStorageIfAvailable { send(peer, $0.baseAddress, $0.count, 0) }
                var byte: UInt8 = 0
                while recv(peer, &byte, 1, 0) > 0 {}
                close(peer)
            }
            server.start()
            let result = try await runProgram(
                "genwire", ["--connect", "unix:\(folder)/other.sock", "--timeout", "60", "health"])
            #expect(result.code == 69)
            #expect(result.errors.contains("not a Genwire server"), "\(result.errors)")
            close(listener)
        }
    }

    @Test func anHTTPPort() async throws {
        try await Stack.with { stack in
            let port = try #require(stack.upstream.split(separator: ":").last)
            let result = try await runProgram(
                "genwire", ["--connect", "tcp:127.0.0.1:\(port)", "--timeout", "5", "generate", "x"])
            #expect(result.code == 69, "\(result.errors)")
        }
    }

    @Test func aServerThatAsksForAToken() async throws {
        let token = "t23456789abcdefg"
        try await Stack.with(
            configuration: { upstream, folder in
                Stack.configuration()(upstream, folder).replacing("server: {", with: "server: {token: \(token), ")
            }
        ) { stack in
            let address = try #require(
                stack.daemon.log.split { " ,\n".contains($0) }.first { $0.hasPrefix("tcp:") }.map(String.init))
            for wrong in ["", "another-token-01234"] {
                let result = try await runProgram(
                    "genwire", ["--connect", address, "health"], environment: ["GENWIRE_TOKEN": wrong])
                #expect(result.code == 77)
                #expect(result.errors.contains("GENWIRE_TOKEN or with --token-file"), "\(result.errors)")
            }
            let good = try await runProgram(
                "genwire", ["--connect", address, "health"], environment: ["GENWIRE_TOKEN": token])
            #expect(good.code == 0, "\(good.errors)")
        }
    }

    @Test(arguments: [
        "bogus", "unix:", "tcp:", "tcp:localhost", "tcp:localhost:99999", "http://127.0.0.1:1",
        "unix:/" + String(repeating: "long", count: 40),
    ])
    func aMalformedAddressIsWrongUsage(_ address: String) async throws {
        let result = try await runProgram("genwire", ["--connect", address, "health"])
        #expect(result.code == 64)
        #expect(!result.errors.contains("no server"), "\(result.errors)")
        #expect(try await runProgram("genwire", ["health"], environment: ["GENWIRE_CONNECT": address]).code == 64)
    }

    @Test func nothingThere() async throws {
        try await withTemporaryFolder { folder in
            close(bindUnix(folder + "/stale.sock", backlog: 8))
            let port = try #require(unusedPort())
            let cases = [
                ("unix:\(folder)/missing.sock", "no such socket"),
                ("unix:\(folder)/stale.sock", "left behind by a server that is no longer running"),
                ("tcp:127.0.0.1:\(port)", "nothing is listening on this port"),
                ("tcp:no-such-host.invalid:1", "no-such-host.invalid"),
            ]
            for (address, mention) in cases {
                let result = try await runProgram("genwire", ["--connect", address, "--timeout", "60", "health"])
                #expect(result.code == 69, "\(address): \(result.errors)")
                #expect(result.errors.contains(mention), "\(address): \(result.errors)")
                #expect(result.errors.contains("genwired --config"), "\(address): \(result.errors)")
            }
        }
    }
}

/// A listening Unix socket on which nobody calls `accept`.
private func bindUnix(_ path: String, backlog: Int32) -> Int32 {
    let descriptor = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
    var address = sockaddr_un()
    address.sun_family = sa_family_t(AF_UNIX)
    withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: path.utf8) }
    let result = withUnsafePointer(to: &address) { pointer in
        pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
            bind(descriptor, $0, socklen_t(MemoryLayout<sockaddr_un>.size))
        }
    }
    precondition(result == 0 && listen(descriptor, backlog) == 0, "\(path): errno \(errno)")
    return descriptor
}
