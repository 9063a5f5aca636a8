import Foundation
import TestSupport
import Testing

@testable import Config

@Suite("A file of certificates")
struct CertificateFileTests {
    @Test("that cannot be used is told with its line")
    func missing() {
        #expect(
            mistakes(withModel("tls:\n  ca_file: /nonexistent/ca.pem")) == [
                "config.yaml:3: tls.ca_file: the file cannot be read: No such file or directory"
            ])
        #expect(
            mistakes(withConfig("ca_file: /tmp")) == [
                "config.yaml:1: generation.config.ca_file: the file is not a regular file"
            ])
    }

    @Test(
        "holds at least one whole certificate",
        arguments: [
            "", "not PEM\n", samplePEM.replacing("CERTIFICATE", with: "PRIVATE KEY"),
            "-----BEGIN CERTIFICATE-----\nMIIB\n", "-----BEGIN CERTIFICATE-----\n-----END CERTIFICATE-----\n",
            samplePEM.replacing("MIIB", with: "AAAA"), samplePEM.replacing("MIIB", with: "M<IB"),
        ])
    func content(_ text: String) async throws {
        try await withTemporaryFolder { folder in
            let path = "\(folder)/ca.pem"
            try text.write(toFile: path, atomically: true, encoding: .utf8)
            #expect(
                mistakes(withModel("tls: {ca_file: \(path)}")) == [
                    "config.yaml:2: tls.ca_file: the file contains no PEM certificate (-----BEGIN CERTIFICATE----- …)"
                ])
        }
    }

    @Test("is found among other blocks and with any line end", arguments: ["\n", "\r\n"])
    func good(_ lineEnd: String) async throws {
        try await withTemporaryFolder { folder in
            let path = "\(folder)/ca.pem"
            let text = samplePEM.replacing("CERTIFICATE", with: "X509 CRL") + samplePEM
            try text.replacing("\n", with: lineEnd).write(toFile: path, atomically: true, encoding: .utf8)
            #expect(try parse(withModel("tls: {ca_file: \(path)}")).tls.caFile == path)
        }
    }
}
