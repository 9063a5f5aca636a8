import Generation
import Testing

@testable import Messages

/// Statuses are strings only on the wire.
@Suite struct StatusTests {
    private let coder = MessageCoder()

    private func bytes(_ size: Int, _ fill: (UnsafeMutableRawPointer) -> Void) -> [UInt8] {
        [UInt8](unsafeUninitializedCapacity: size) { buffer, count in
            if let base = buffer.baseAddress, size > 0 { fill(base) }
            count = size
        }
    }

    @Test(arguments: CredentialStatus.known) func credentialsKeepTheirStatus(_ status: CredentialStatus) throws {
        let report = AuthReport(model: "m", provider: "p", isValid: true, status: status, detail: "d")
        let packed = coder.encode([report]) { bytes($0, $1) }
        #expect(String(decoding: packed, as: UTF8.self).contains(status.rawValue))
        #expect(try packed.withUnsafeBytes { try coder.authReports($0) } == [report])
    }

    @Test func anUnknownExpiryIsZeroOnTheWireAndNilInside() throws {
        let reports = [
            AuthReport(
                model: "m", provider: "p", isValid: true, status: .healthy, detail: "", expiresInSeconds: 60,
                secondsSinceRefresh: 5),
            AuthReport(model: "m", provider: "p", isValid: true, status: .healthy, detail: ""),
        ]
        let packed = coder.encode(reports) { bytes($0, $1) }
        #expect(try packed.withUnsafeBytes { try coder.authReports($0) } == reports)
    }

    @Test func aNewerServersWordIsKept() {
        #expect(CredentialStatus(rawValue: "revoked") == .other("revoked"))
        #expect(CredentialStatus(rawValue: "stale") == .stale)
    }

    @Test func serversKeepTheirStatus() throws {
        for status in [HealthReport.Status.serving, .degraded, .draining] {
            let provider = HealthReport.Provider(provider: "p", model: "m", status: .failed, detail: "d")
            let report = HealthReport(status: status, version: "1", uptimeSeconds: 2, providers: [provider])
            let packed = coder.encode(report) { bytes($0, $1) }
            #expect(try packed.withUnsafeBytes { try coder.healthReport($0) } == report)
        }
    }
}
