import EventLoop
import Foundation
import Glibc
import HTTPClient
import TestSupport
import Testing

/// Which servers the client trusts, tested with a real TLS server: `openssl s_server`.
@Suite struct CertificateTests {
    @Test func certificatesAreVerified() async throws {
        try await withTemporaryFolder { folder in
            let certificate = "\(folder)/certificate.pem"
            try run([
                "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2",
                "-subj", "/CN=localhost", "-addext", "subjectAltName=IP:127.0.0.1", "-keyout", "\(folder)/key.pem",
                "-out", certificate,
            ])
            let (server, port) = try startTLSServer(certificate: certificate, key: "\(folder)/key.pem")
            defer {
                // The test process may have been started with every other signal blocked.
                kill(server.processIdentifier, SIGKILL)
                server.waitUntilExit()
            }
            let url = "https://127.0.0.1:\(port)/"
            try await Harness.run { harness in
                #expect(await harness.fetch(url).error?.kind == .tls)
                var trusting = request(url)
                trusting.caFile = certificate
                #expect(await harness.fetch(trusting).head?.status == 200)
                // Trust belongs to the request, not to the handle or the connection.
                #expect(await harness.fetch(url).error?.kind == .tls)
                trusting.caFile = "\(folder)/missing.pem"
                #expect(await harness.fetch(trusting).error?.kind == .tls)
                // The host name is checked as well.
                trusting.url = "https://localhost:\(port)/"
                trusting.caFile = certificate
                #expect(await harness.fetch(trusting).error?.kind == .tls)
            }
            var options = HTTPClientOptions()
            options.skipsVerification = true
            try await Harness.run(options: options) { harness in
                #expect(await harness.fetch(url).head?.status == 200)
            }
            options = HTTPClientOptions()
            options.caFile = certificate
            try await Harness.run(options: options) { harness in
                #expect(await harness.fetch(url).head?.status == 200)
            }
        }
    }

    private func run(_ arguments: [String]) throws {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/openssl")
        process.arguments = arguments
        process.standardError = FileHandle.nullDevice
        try process.run()
        process.waitUntilExit()
        #expect(process.terminationStatus == 0)
    }

    /// Starts `openssl s_server` on a free port, which it prints.
    private func startTLSServer(certificate: String, key: String) throws -> (Process, Int) {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/openssl")
        process.arguments = ["s_server", "-accept", "127.0.0.1:0", "-cert", certificate, "-key", key, "-www"]
        // The server exits when its standard input closes.
        process.standardInput = Pipe()
        let output = Pipe()
        process.standardOutput = output
        process.standardError = FileHandle.nullDevice
        try process.run()
        var text = ""
        while true {
            let bytes = output.fileHandleForReading.availableData
            text += String(decoding: bytes, as: UTF8.self)
            let line = text.split(separator: "\n").first { $0.hasPrefix("ACCEPT") }
            if let line, text.contains("\n"), let port = line.split(separator: ":").last.flatMap({ Int($0) }) {
                return (process, port)
            }
            try #require(!bytes.isEmpty, "openssl s_server did not start: \(text)")
        }
    }
}
