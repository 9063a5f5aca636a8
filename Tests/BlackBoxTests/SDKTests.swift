import Foundation
import TestSupport
import Testing

/// The vendors' official SDKs accept the simulator as the vendor; the other tests rely on that.
@Suite struct SDKTests {
    private static let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent()

    @Test func officialSDKsTakeTheSimulatorForTheirVendors() async throws {
        let folder = Self.root.appendingPathComponent(".build/sdk-venv").path
        let made = try await runProgram(
            "/bin/sh", [Self.root.appendingPathComponent("scripts/sdk-venv.sh").path, folder])
        if made.code == 75 {
            print("skipped: \(made.output)")
            return
        }
        #expect(made.code == 0, "\(made.output)\(made.errors)")
        try await withTemporaryFolder { temporary in
            let simulator = try RunningProgram("genwire-sim", ["--port", "0"], logPath: temporary + "/sim.log")
            let line = await simulator.waitForLine(containing: "ready on")
            let upstream = line?.split(separator: " ").last.map(String.init) ?? ""
            let script = Self.root.appendingPathComponent("Tests/Interop/sdks/sdk_check.py").path
            let result = try await runProgram(folder + "/bin/python", [script, upstream])
            await simulator.stop()
            #expect(result.code == 0, "\(result.output.suffix(6000))\n\(result.errors.suffix(2000))")
        }
    }
}
