import Config
import EventLoop
import Generation
import HTTPClient
import JSON
import Testing

@testable import Auth

/// Issuers, files and programs may return anything.
@Suite("Hostile input")
struct HostileTests {
    /// A generator that returns the same numbers in every run.
    private struct Numbers: RandomNumberGenerator {
        var state: UInt64
        mutating func next() -> UInt64 {
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return state ^ state >> 29
        }
    }

    private static let good = """
        {"access_token":"token-0123456789","expires_in":3599,"expires_on":"1900000000","refresh_in":60,\
        "expireTime":"2030-01-31T23:59:59.5+01:00","error":{"code":4,"status":"x","message":"y"},"token_type":"Bearer"}
        """

    @Test("neither crashes the response reader nor passes a malformed token")
    func answers() async throws {
        try await Harness.run { harness in
            let loop = harness.loops[0]
            let outcomes = await loop.perform { () -> (tokens: Int, bad: Int) in
                let client = HTTPClient(loop: loop)
                let setting = RefreshSetting(label: "auth 'x'", environment: [:], caFile: nil, timeout: 1)
                let run = RefreshRun(loop: loop, client: client, setting: setting) { _ in }
                var numbers = Numbers(state: 7)
                var (tokens, bad) = (0, 0)
                for round in 0..<6_000 {
                    var bytes = Array(Self.good.utf8)
                    for _ in 0..<Int.random(in: 1...4, using: &numbers) {
                        let index = Int.random(in: 0..<bytes.count, using: &numbers)
                        switch round % 3 {
                        case 0: bytes[index] = UInt8.random(in: 0...255, using: &numbers)
                        case 1: bytes.remove(at: index)
                        default: bytes.insert(contentsOf: "\"9e,:{}[]-\\".utf8.shuffled(using: &numbers), at: index)
                        }
                    }
                    if round % 5 == 0 { bytes = Array(bytes.prefix(Int.random(in: 1...bytes.count, using: &numbers))) }
                    guard let value = try? JSONValue(parsing: bytes) else { continue }
                    for expiry in ["expires_in", "expires_on", "expireTime", "error"] {
                        let paths = TokenPaths(token: "access_token", expiry: expiry)
                        guard let token = try? run.token(in: value, paths, from: "there") else { continue }
                        tokens += 1
                        let isClean = token.value.withUnsafeBytes { $0.allSatisfy { $0 > 0x20 && $0 < 0x7F } }
                        if !isClean || token.value.isEmpty || token.lifetime.map({ !($0 > 0 && $0 <= 1e9) }) == true {
                            bad += 1
                        }
                    }
                }
                run.stop()
                client.shutdown()
                return (tokens, bad)
            }
            #expect(outcomes.tokens > 300)
            #expect(outcomes.bad == 0)
        }
    }

    @Test("leaves no part of a secret in a text, wherever it stands")
    func redaction() {
        var numbers = Numbers(state: 11)
        for _ in 0..<500 {
            let secret = String(
                (0..<Int.random(in: 8...40, using: &numbers)).map { _ in "abcdef%/ä".randomElement(using: &numbers)! })
            var redaction = Redaction()
            redaction.add(secret)
            var text = ""
            for _ in 0..<Int.random(in: 0...4, using: &numbers) {
                text += String(repeating: "-", count: Int.random(in: 0...200, using: &numbers))
                text += secret.prefix(Int.random(in: 0...40, using: &numbers))
            }
            let cleaned = Array(redaction.clean(text).utf8)
            let secretBytes = Array(secret.utf8)
            for start in 0...(secretBytes.count - 8) {
                let window = Array(secretBytes[start..<(start + 8)])
                #expect(!cleaned.contains(window))
            }
            #expect(cleaned.count < 520)
        }
    }
}
