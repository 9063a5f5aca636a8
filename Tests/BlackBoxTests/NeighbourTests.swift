import Foundation
import Generation
import GenwireClient
import Messages
import TestSupport
import Testing

/// What other users and programs on the machine can do to the daemon and its clients.
@Suite struct NeighbourTests {
    @Test func noDescriptorIsInheritedByPrograms() async throws {
        try await Stack.with { stack in
            let client = try await GenwireClient.connect(to: stack.address)
            // Opens a caller's connection and an upstream connection.
            _ = try await client.generate("x")
            let folder = "/proc/\(stack.daemon.processID)/fdinfo"
            var open: [String] = []
            for name in try FileManager.default.contentsOfDirectory(atPath: folder) where (Int(name) ?? 0) > 2 {
                // Descriptors closed in the meantime do not matter.
                guard let text = try? String(contentsOfFile: "\(folder)/\(name)", encoding: .utf8) else { continue }
                let flags = text.split(separator: "\n").first { $0.hasPrefix("flags:") }
                let value = flags.flatMap { Int($0.dropFirst(6).trimmingCharacters(in: .whitespaces), radix: 8) }
                if (value ?? 0) & 0o2000000 == 0 {
                    let target = try? FileManager.default.destinationOfSymbolicLink(
                        atPath: "/proc/\(stack.daemon.processID)/fd/\(name)")
                    open.append("\(name) \(target ?? "")")
                }
            }
            #expect(open.isEmpty)
            await client.close()
        }
    }

    /// Otherwise the first sockets would get these numbers, and the log would be written to a caller.
    @Test func closedStandardDescriptorsAreNotReplacedBySockets() async throws {
        try await withTemporaryFolder { folder in
            let path = folder + "/config.yaml"
            try """
            server: {listen: ["unix:\(folder)/g.sock"]}
            generation: {provider: openai, config: {model_name: m, api_key: {command: [echo, key-0123456789]}}}
            """.write(toFile: path, atomically: true, encoding: .utf8)
            let daemon = try RunningProgram(
                "/bin/sh",
                ["-c", "exec \"$0\" --config \"$1\" <&- >&- 2>&-", Programs.path("genwired"), path],
                logPath: folder + "/log")
            let isServing = try await eventually {
                guard let client = try? await GenwireClient.connect(to: "unix:\(folder)/g.sock") else {
                    return !daemon.isRunning
                }
                let isServing = (try? await client.health())?.status == .serving
                await client.close()
                return isServing
            }
            #expect(isServing && daemon.isRunning)
            for descriptor in 0...2 {
                let target = try? FileManager.default.destinationOfSymbolicLink(
                    atPath: "/proc/\(daemon.processID)/fd/\(descriptor)")
                #expect(target == "/dev/null", "\(descriptor)")
            }
            await daemon.stop()
        }
    }

    // MARK: - The default socket

    private static let repository = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
        .deletingLastPathComponent().deletingLastPathComponent().path

    /// No model is usable without keys, but the daemon serves.
    private static let noKeys = ["OPENAI_API_KEY": "", "GENWIRE_CONNECT": ""]

    private static func python(
        _ code: String, environment: [String: String] = [:]
    ) async throws -> (code: Int32, output: String, errors: String) {
        let path = "import sys; sys.path.insert(0, '\(repository)/clients/python')\n"
        let imports = "from genwire import Client, RpcError, messages as m\n"
        return try await runProgram("/usr/bin/python3", ["-c", path + imports + code], environment: environment)
    }

    @Test func theShippedConfigurationIsServedWhereClientsLook() async throws {
        try await withTemporaryFolder { folder in
            let environment = Self.noKeys.merging(["XDG_RUNTIME_DIR": folder]) { $1 }
            let daemon = try RunningProgram(
                "genwired", ["--config", Self.repository + "/config.yaml"], logPath: folder + "/log",
                environment: environment)
            let line = await daemon.waitForLine(containing: "genwired ready")
            #expect(line == "genwired ready on unix:\(folder)/genwire.sock", "\(daemon.log)")
            let health = try await runProgram("genwire", ["health"], environment: environment)
            #expect(health.code == 0 && health.output.hasPrefix("serving"), "\(health)")
            let python = try await Self.python(
                "with Client() as c: print(c.call('Generation', 'Health').status)", environment: environment)
            #expect(python.output == "serving\n", "\(python)")
            await daemon.stop()
        }
    }

    @Test func aRuntimeFolderThatIsOpenToOthersIsRefused() async throws {
        try await withTemporaryFolder { folder in
            let config = folder + "/config.yaml"
            try "generation: {provider: openai, config: {model_name: m, api_key: k}}"
                .write(toFile: config, atomically: true, encoding: .utf8)
            for (mode, mention) in [(0o777, "chmod 700"), (0o1777, "chmod 700"), (0o770, "chmod 700"), (0, "No such")] {
                let runtime = folder + "/runtime"
                if mode != 0 {
                    mkdir(runtime, 0o700)
                    chmod(runtime, mode_t(mode))
                }
                let result = try await runProgram(
                    "genwired", ["--config", config], environment: ["XDG_RUNTIME_DIR": runtime])
                #expect(result.code == 78 && result.errors.contains(mention), "\(mode): \(result)")
                rmdir(runtime)
            }
        }
    }

    /// Requires root, in order to become other users.
    @Test func theDefaultFolderIsTheUsersOwnOrRefused() async throws {
        guard getuid() == 0 else {
            print("skipped: only root can try out other users")
            return
        }
        try await withTemporaryFolder { folder in
            chmod(folder, 0o755)
            for program in ["genwired", "genwire"] {
                try FileManager.default.copyItem(atPath: Programs.path(program), toPath: folder + "/" + program)
            }
            try "generation: {provider: openai, config: {model_name: m, api_key: k}}"
                .write(toFile: folder + "/config.yaml", atomically: true, encoding: .utf8)
            let user = UInt32.random(in: 1_000_000...2_000_000_000)
            let home = "/tmp/genwire-\(user)"
            defer { try? FileManager.default.removeItem(atPath: home) }
            let become = ["--reuid=\(user)", "--regid=\(user)", "--clear-groups"]
            let serve = become + [folder + "/genwired", "--config", folder + "/config.yaml"]
            let environment = ["XDG_RUNTIME_DIR": "", "GENWIRE_CONNECT": ""]
            func refusal() async throws -> String {
                let result = try await runProgram("/usr/bin/setpriv", serve, environment: environment)
                #expect(result.code == 78)
                return result.errors
            }

            let daemon = try RunningProgram(
                "/usr/bin/setpriv", serve, logPath: folder + "/log", environment: environment)
            #expect(await daemon.waitForLine(containing: "genwired ready on unix:\(home)/genwire.sock") != nil)
            var info = stat()
            #expect(lstat(home, &info) == 0 && info.st_mode == S_IFDIR | 0o700 && info.st_uid == user)
            let health = become + [folder + "/genwire", "health"]
            #expect(try await runProgram("/usr/bin/setpriv", health, environment: environment).code == 0)
            await daemon.stop()

            // The caller's own folder, but writable by others.
            chmod(home, 0o777)
            #expect(try await refusal().contains("chmod 700 \(home)"))
            // A folder that another user has created first, with a server in it.
            try FileManager.default.removeItem(atPath: home)
            mkdir(home, 0o777)
            chmod(home, 0o777)
            chown(home, 65534, 65534)
            #expect(try await refusal().contains("belongs to user 65534"))
            let other = try RunningProgram(
                "/usr/bin/python3",
                [Self.repository + "/Tests/Interop/other_server.py", home + "/genwire.sock", "65534"],
                logPath: folder + "/other.log")
            #expect(await other.waitForLine(containing: "ready") != nil)
            let fooled = try await runProgram("/usr/bin/setpriv", health, environment: environment)
            #expect(fooled.code == 77 && fooled.errors.contains("runs as user 65534"), "\(fooled)")
            #expect(await other.waitForLine(containing: "got") == "got 0 bytes")
            await other.stop()
            // A symbolic link.
            try FileManager.default.removeItem(atPath: home)
            mkdir(folder + "/elsewhere", 0o700)
            chown(folder + "/elsewhere", user, user)
            symlink(folder + "/elsewhere", home)
            #expect(try await refusal().contains("is not a folder"))
        }
    }

    // MARK: - Which servers clients trust

    /// Requires root, in order to run a server as another user.
    @Test func clientsSendNothingToAServerOfAnotherUser() async throws {
        guard getuid() == 0 else {
            print("skipped: only root can try out other users")
            return
        }
        try await withTemporaryFolder { folder in
            let address = "unix:\(folder)/other.sock"
            let other = try RunningProgram(
                "/usr/bin/python3",
                [Self.repository + "/Tests/Interop/other_server.py", folder + "/other.sock", "65534"],
                logPath: folder + "/other.log")
            #expect(await other.waitForLine(containing: "ready") != nil)

            let error = await #expect(throws: ClientError.self) { try await GenwireClient.connect(to: address) }
            #expect(error?.code == 7 && error?.unreachable == .untrusted)
            #expect(error?.message.contains("GENWIRE_SERVER_USER=65534") == true)
            await #expect(throws: ClientError.self) { try await GenwireClient.connect(to: address, serverUser: 65533) }
            let command = ["--connect", address, "health"]
            let environment = ["GENWIRE_SERVER_USER": ""]
            let refused = try await runProgram("genwire", command, environment: environment)
            #expect(refused.code == 77 && refused.errors.contains("runs as user 65534"), "\(refused)")
            let code = """
                try:
                    Client('\(address)')
                except PermissionError as error:
                    print(error)
                """
            let python = try await Self.python(code, environment: environment)
            #expect(python.output.contains("runs as user 65534"), "\(python)")
            #expect(try await eventually { other.log.split(separator: "\n").count == 5 })
            #expect(other.log == "ready\n" + String(repeating: "got 0 bytes\n", count: 4))

            // A client configured to trust that user sends its request.
            let client = try await GenwireClient.connect(to: address, serverUser: 65534)
            await #expect(throws: ClientError.self) { try await client.health() }
            await client.close()
            _ = try await runProgram("genwire", ["--server-user", "nobody"] + command, environment: environment)
            _ = try await runProgram("genwire", command, environment: ["GENWIRE_SERVER_USER": "65534"])
            let unknown = try await runProgram("genwire", ["--server-user", "no-such-user"] + command)
            #expect(unknown.code == 64 && unknown.errors.contains("no-such-user"))
            for user in ["65534", "'nobody'"] {
                let told = """
                    try:
                        Client('\(address)', server_user=\(user)).call('Generation', 'Health')
                    except RpcError as error:
                        print(error.code)
                    """
                #expect(try await Self.python(told, environment: environment).output == "14\n")
            }
            #expect(try await eventually { other.log.split(separator: "\n").count == 10 })
            #expect(other.log.split(separator: "\n").count { $0 == "got 0 bytes" } == 4)
            await other.stop()
        }
    }
}
