import Foundation
import Generation
import TestSupport
import Testing

@testable import Auth

/// Tests against third-party code: Python's `cryptography` checks the signatures, and Google's and Microsoft's own
/// libraries use the simulator's token endpoints.
@Suite("Interop of credentials", .serialized)
struct InteropTests {
    private static let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent()

    /// A Python that has the libraries; `nil` if they are not installed.
    private func python() async throws -> String? {
        let folder = Self.root.appendingPathComponent(".build/sdk-venv").path
        let made = try await runProgram(
            "/bin/sh", [Self.root.appendingPathComponent("scripts/sdk-venv.sh").path, folder])
        if made.code == 75 {
            print("skipped: \(made.output)")
            return nil
        }
        #expect(made.code == 0, "\(made.output)\(made.errors)")
        return folder + "/bin/python"
    }

    private func script(_ name: String) -> String {
        Self.root.appendingPathComponent("Tests/Interop/auth/\(name)").path
    }

    @Test("Signed requests satisfy an endpoint that checks everything")
    func signatures() async throws {
        guard let python = try await python() else { return }
        try await withTemporaryFolder { folder in
            let keys = try await Keys(in: folder)
            let server = try RunningProgram(
                python, [script("token_server.py"), folder + "/cert.pem"], logPath: folder + "/server.log")
            let line = await server.waitForLine(containing: "listening on")
            let base = "http://127.0.0.1:\(line?.split(separator: " ").last ?? "0")"
            try write(keys.serviceAccount(tokenURI: base + "/token"), to: folder + "/sa.json")
            let result: Result<Void, any Error>
            do {
                try await Harness.run { harness in
                    let entries = [
                        "type: google_service_account, credentials_file: \(folder)/sa.json",
                        "type: google_adc, credentials_file: \(folder)/sa.json, scope: s",
                    ]
                    let applications = ["tenant", "adfs"].map {
                        "type: azure_ad, tenant_id: \($0), client_id: app, certificate_file: \(keys.bundleFile), "
                            + "authority_host: \"\(base)\""
                    }
                    for entry in entries + applications {
                        let text = try await harness.text(try await harness.credential(entry))
                        #expect(text.hasPrefix("verified-"))
                    }
                    // The checker does check: a key that does not match the certificate.
                    try FileManager.default.createDirectory(
                        atPath: folder + "/other", withIntermediateDirectories: true)
                    let others = try await Keys(in: folder + "/other")
                    try write(others.serviceAccount(tokenURI: base + "/token"), to: folder + "/other.json")
                    let error = try await harness.error(
                        try await harness.credential(
                            "type: google_service_account, credentials_file: \(folder)/other.json"))
                    #expect(error.message.contains("InvalidSignature"))
                }
                result = .success(())
            } catch {
                result = .failure(error)
            }
            await server.stop()
            try result.get()
        }
    }

    @Test("Google's and Microsoft's libraries accept the simulator as the issuer")
    func libraries() async throws {
        guard let python = try await python() else { return }
        try await withTemporaryFolder { folder in
            _ = try await Keys(in: folder)
            try await Harness.run { harness in
                let result = try await runProgram(python, [script("sdk_check.py"), harness.base, folder])
                #expect(result.code == 0, "\(result.output.suffix(6000))\n\(result.errors.suffix(2000))")
            }
        }
    }
}
