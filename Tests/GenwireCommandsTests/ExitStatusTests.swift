import ArgumentParser
import EventLoop
import Foundation
import Generation
import RPC
import Testing

@testable import GenwireClient
@testable import GenwireCommands

@Suite struct ExitStatusTests {
    private static func failure(_ kind: GenerationError.Kind, isRetryable: Bool? = nil) -> ClientError {
        var detail = GenerationError(kind, "words")
        if let isRetryable { detail.isRetryable = isRetryable }
        return ClientError(code: Int32(kind.statusCode), message: "words", detail: detail)
    }

    @Test(
        arguments: [
            (.authentication, 77), (.permission, 77), (.rateLimit, 75), (.quotaExhausted, 70), (.invalidRequest, 70),
            (.contextLength, 70), (.unknownModel, 70), (.contentFiltered, 70), (.timeout, 75), (.overloaded, 75),
            (.providerUnavailable, 75), (.network, 75), (.streamInterrupted, 75), (.badProviderResponse, 70),
            (.unsupported, 70), (.shuttingDown, 75),
        ] as [(GenerationError.Kind, Int32)])
    func everyKind(_ kind: GenerationError.Kind, _ code: Int32) {
        #expect(ExitStatus(Self.failure(kind)).rawValue == code)
    }

    @Test func theServersWordDecides() {
        #expect(ExitStatus(Self.failure(.timeout, isRetryable: false)) == .failed)
        #expect(ExitStatus(Self.failure(.rateLimit, isRetryable: false)) == .failed)
        #expect(ExitStatus(Self.failure(.quotaExhausted, isRetryable: true)) == .temporary)
        #expect(ExitStatus(Self.failure(.authentication, isRetryable: true)) == .denied)
    }

    /// Without a detail, code 8 means a size above a limit: retrying does not help.
    @Test(arguments: [(2, 70), (3, 70), (4, 75), (5, 70), (7, 77), (8, 70), (12, 70), (13, 70), (14, 75), (16, 77)])
    func codesWithoutADetail(_ code: Int32, _ expected: Int32) {
        #expect(ExitStatus(ClientError(code: code, message: "")).rawValue == expected)
    }

    @Test(
        arguments: [
            (.unix(path: "/x"), ENOENT, .absent, 69), (.unix(path: "/x"), ECONNREFUSED, .refused, 69),
            (.tcp(host: "h", port: 1), ECONNREFUSED, .refused, 69), (.unix(path: "/x"), EACCES, .notPermitted, 77),
            (.unix(path: "/x"), EPERM, .notPermitted, 77), (.tcp(host: "h", port: 1), EHOSTUNREACH, .absent, 69),
        ] as [(Address, Int32, ClientError.Unreachable, Int32)])
    func connectionsThatAreNotMade(
        _ address: Address, _ number: Int32, _ reason: ClientError.Unreachable, _ code: Int32
    ) {
        let error = ClientError(
            ConnectFailure(address, .refused(SystemError("connect", code: number))), timeoutMilliseconds: 1000)
        #expect(error.unreachable == reason)
        #expect(error.message.hasPrefix("\(address): "))
        #expect(ExitStatus(error).rawValue == code)
    }

    @Test func theReadmeHasEveryCode() throws {
        let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent()
        let text = try String(contentsOf: root.appendingPathComponent("README.md"), encoding: .utf8)
        for status in ExitStatus.allCases {
            #expect(text.contains("\n| \(status.rawValue) | \(status.meaning) |\n"), "\(status)")
        }
    }

    @Test func helpShowsEveryCodeOnALineOfItsOwn() {
        let lines = GenwireCommand.helpMessage(columns: 80).split(separator: "\n").map(String.init)
        for line in ExitStatus.table.split(separator: "\n") { #expect(lines.contains(String(line)), "\(line)") }
    }
}
