import Foundation
import Testing

@testable import Config

@Suite("Secrets")
struct SecretTests {
    @Test("never show")
    func hidden() throws {
        let secret = Secret("hunter2")
        var dumped = ""
        dump(secret, to: &dumped)
        let model = try #require(try parse(withConfig("api_key: hunter2")).generation)
        var dumpedModel = ""
        dump(model, to: &dumpedModel)
        let all = "\(secret) \(String(reflecting: secret)) \([secret]) \(dumped) \(model) \(dumpedModel)"
        #expect(all.contains("<secret>"))
        #expect(!all.contains("hunter2"))
        #expect(secret.reveal() == "hunter2")
        #expect(secret.count == 7)
        #expect(Secret("").isEmpty)
    }

    @Test("compare in constant time")
    func compare() {
        let secret = Secret("abc")
        func matches(_ text: String) -> Bool { Array(text.utf8).withUnsafeBytes { secret.matches($0) } }
        #expect(matches("abc"))
        #expect(!matches("abd"))
        #expect(!matches("ab"))
        #expect(!matches(""))
        #expect(secret.withUnsafeBytes { $0.elementsEqual("abc".utf8) })
    }

    @Test("come from files")
    func files() throws {
        try withFolder { folder in
            let path = folder + "/key"
            try Data("sk-file\r\n\n".utf8).write(to: URL(filePath: path))
            let key = try parse(withConfig("api_key: {file: \"\(path)\"}")).generation?.apiKey
            #expect(key?.reveal() == "sk-file")

            try Data("\n".utf8).write(to: URL(filePath: path))
            let place = "config.yaml:1: generation.config.api_key: "
            func found(_ path: String) -> [String] { mistakes(withConfig("api_key: {file: \"\(path)\"}")) }
            #expect(found(path) == [place + "the file '\(path)' is empty"])
            try Data(count: 65537).write(to: URL(filePath: path))
            #expect(found(path) == [place + "the file '\(path)' is larger than 65536 bytes"])
            try Data("a\nb".utf8).write(to: URL(filePath: path))
            #expect(found(path) == [place + "contains a line break or another control character"])
            #expect(
                found(folder + "/none") == [
                    place + "the file '\(folder)/none' cannot be read: No such file or directory"
                ])
            #expect(found(folder) == [place + "the file '\(folder)' is not a regular file"])
            #expect(mkfifo(folder + "/pipe", 0o600) == 0)
            #expect(found(folder + "/pipe") == [place + "the file '\(folder)/pipe' is not a regular file"])
        }
    }

    @Test("come from commands")
    func commands() throws {
        let environment = ["PATH": "/usr/bin:/bin", "WORD": "from the environment"]
        func found(_ command: String) -> [String] {
            mistakes(withConfig("api_key: {command: \(command)}"), environment)
        }
        let text = withConfig(#"api_key: {command: [sh, -c, 'printf "%s\n" "$WORD"']}"#)
        #expect(try parse(text, environment).generation?.apiKey?.reveal() == "from the environment")

        let place = "config.yaml:1: generation.config.api_key: "
        #expect(
            found("[sh, -c, 'echo hunter2; exit 3']") == [
                place + "the command exited with code 3; run it by hand to see why"
            ])
        #expect(found("[sh, -c, 'kill -9 $$$$']") == [place + "the command was terminated by signal 9"])
        #expect(found("[/nonexistent]") == [place + "the command cannot be started: No such file or directory"])
        #expect(found("[\"true\"]") == [place + "the output of the command is empty"])
        #expect(
            found("[head, -c, 100000, /dev/zero]") == [place + "the command printed more than 65536 bytes"])
        #expect(
            found("[]") == [
                place.dropLast(2) + ".command: expected a list of text: [PROGRAM, ARGUMENT, …], found an empty list"
            ])
        #expect(
            found("hunter2") == [
                place.dropLast(2) + ".command: expected a list of text: [PROGRAM, ARGUMENT, …], found something else "
                    + "(not shown: it may be secret)"
            ])
    }

    @Test("commands that hang are ended, and what they started does not block")
    func hanging() throws {
        let environment = ["PATH": "/usr/bin:/bin"]
        #expect(throws: SecretError("the command timed out and was terminated")) {
            try SecretCommand.run(["sleep", "100"], environment: environment, timeout: 0.2)
        }
        #expect(throws: SecretError("the command timed out and was terminated")) {
            try SecretCommand.run(
                ["sh", "-c", "exec 1>&-; sleep 100"], environment: environment, timeout: 0.2)
        }
        let output = try SecretCommand.run(
            ["sh", "-c", "sleep 2 & echo key"], environment: environment, timeout: 60)
        #expect(output == Array("key\n".utf8))
        #expect(throws: SecretError.self) { try SecretCommand.run([], environment: [:], timeout: 1) }
        #expect(throws: SecretError.self) { try SecretCommand.run(["a\0b"], environment: [:], timeout: 1) }
    }

    @Test("commands of a scope end with it, with what they started")
    func scopes() async throws {
        let environment = ["PATH": "/usr/bin:/bin"]
        let folder = FileManager.default.temporaryDirectory.appending(path: "genwire-config-\(UUID().uuidString)").path
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let scope = CommandScope()
        let run = Task.detached {
            try SecretCommand.run(
                ["sh", "-c", "sleep 600 & : > \(folder)/started; wait"], environment: environment, timeout: 300,
                scope: scope)
        }
        while !FileManager.default.fileExists(atPath: folder + "/started") {
            try await Task.sleep(for: .milliseconds(5))
        }
        scope.end()
        await #expect(throws: CommandScope.endedError) { try await run.value }
        #expect(throws: CommandScope.endedError) {
            try SecretCommand.run(["echo", "x"], environment: environment, timeout: 60, scope: scope)
        }
        #expect(try SecretCommand.run(["echo", "x"], environment: environment, timeout: 60) == Array("x\n".utf8))
    }

    @Test("commands inherit the standard descriptors only, and no ignored or blocked signal")
    func inheritance() throws {
        let environment = ["PATH": "/usr/bin:/bin"]
        // Descriptors without close-on-exec, as libraries may leave them.
        var pair: [Int32] = [-1, -1]
        #expect(socketpair(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0, &pair) == 0)
        let high = fcntl(pair[0], F_DUPFD, 200)
        defer { for descriptor in pair + [high] { close(descriptor) } }
        let listed = try SecretCommand.run(["ls", "/proc/self/fd"], environment: environment, timeout: 60)
        // Descriptor 3 is the folder that `ls` reads.
        #expect(String(decoding: listed, as: UTF8.self).split(separator: "\n") == ["0", "1", "2", "3"])

        var blocked = sigset_t()
        var before = sigset_t()
        sigemptyset(&blocked)
        sigaddset(&blocked, SIGTERM)
        pthread_sigmask(SIG_BLOCK, &blocked, &before)
        let ignored = signal(SIGUSR2, SIG_IGN)
        defer {
            pthread_sigmask(SIG_SETMASK, &before, nil)
            signal(SIGUSR2, ignored)
        }
        let status = try SecretCommand.run(["cat", "/proc/self/status"], environment: environment, timeout: 60)
        var masks: [Substring: UInt64] = [:]
        for line in String(decoding: status, as: UTF8.self).split(separator: "\n") where line.hasPrefix("Sig") {
            let parts = line.split(separator: ":")
            masks[parts[0]] = parts.last.flatMap { UInt64($0.trimmingCharacters(in: .whitespaces), radix: 16) }
        }
        #expect(masks["SigBlk"] == 0)
        // glibc reserves signals 32 and 33.
        #expect(masks["SigIgn"].map { $0 & 0x7fff_ffff } == 0)
    }

    @Test(
        "of a wrong form are errors that do not show them",
        arguments: [
            "api_key: {hunter2}", "api_key: [hunter2]", "api_key: {hunter2: hunter2}",
            "api_key: {file: hunter2, x: hunter2}", "api_key: {file: [hunter2]}", "api_key: *hunter2",
            "api_key: !hunter2", "api_key: \"${hunter2\"", "api_key: \"hunter2\\n\"", "api_key: \"hunter2\\0\"",
            "api_key: {command: {hunter2: 1}}", "api_key: hunter2, api_key: hunter2", "api_key: \"\"", "api_key: ",
            "extra_headers: {x: \"hunter2\\n\"}", "extra_headers: {x: [hunter2]}",
        ])
    func wrongForm(_ config: String) {
        let found = mistakes(withConfig(config))
        #expect(!found.isEmpty)
        #expect(!found.joined().contains("hunter2"))
    }
}

/// Calls `body` with a new folder, which is removed afterwards.
func withFolder(_ body: (String) throws -> Void) throws {
    let folder = FileManager.default.temporaryDirectory.appending(path: "genwire-config-\(UUID().uuidString)").path
    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(atPath: folder) }
    try body(folder)
}
