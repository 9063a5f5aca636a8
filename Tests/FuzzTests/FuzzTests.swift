import Config
import Foundation
import Generation
import HTTPClient
import JSON
import Messages
import Testing

@testable import RPC

/// Random damage to valid input, for every parser. `GENWIRE_FUZZ_ROUNDS` sets the rounds; `make fuzz` runs many.
@Suite struct FuzzTests {
    private static let rounds = ProcessInfo.processInfo.environment["GENWIRE_FUZZ_ROUNDS"].flatMap { Int($0) } ?? 500

    private static func frames() -> [UInt8] {
        let payload = MessageCoder().encode(ChatRequest(model: "m", messages: [Message(role: .user, content: "hello")]))
        var bytes: [UInt8] = []
        for id in [UInt32(1), 3, 5] {
            let envelope = RequestEnvelope.encode(
                service: "genwire.v1.Generation", method: "Chat", payload: payload, timeoutNanoseconds: 5)
            var header = [UInt8](repeating: 0, count: FrameHeader.size)
            header.withUnsafeMutableBytes {
                FrameHeader(length: envelope.count, streamID: id, kind: 1, flags: 0).write(to: $0)
            }
            bytes += header + envelope
        }
        return bytes
    }

    @Test func frames() {
        let good = Self.frames()
        let coder = MessageCoder()
        for round in 0..<Self.rounds {
            var damage = Damage(UInt64(round))
            var decoder = FrameDecoder(maximumLength: 4096)
            let damaged = damage.apply(to: good)
            for slice in damage.slices(damaged) {
                slice.withUnsafeBytes { bytes in
                    decoder.consume(bytes) { event in
                        if case .frame(_, let data) = event, let envelope = try? RequestEnvelope(reading: data) {
                            _ = try? coder.chatRequest(envelope.payload)
                            _ = try? coder.generateRequest(envelope.payload)
                            _ = try? coder.countTokensRequest(envelope.payload)
                        }
                        if case .frame(_, let data) = event { _ = ResponseEnvelope.read(data) }
                        return true
                    }
                }
            }
        }
    }

    @Test func streamsAndJSON() {
        let good = Array(
            #"""
            data: {"id":"x","choices":[{"index":0,"delta":{"content":"h\u00e9\ud83d\ude00","tool_calls":[{"index":0,"id":"a","function":{"name":"f","arguments":"{\"a\":1}"}}]}}],"usage":null}

            event: error
            data: {"error":{"message":"m","code":429,"details":[1.5e300,-0,12345678901234567890]}}

            data: [DONE]


            """#.utf8)
        let parser = JSONParser()
        withExtendedLifetime(parser) {
            for round in 0..<Self.rounds {
                var damage = Damage(UInt64(round))
                var sse = SSEParser(maximumEventBytes: 2000)
                let note: (SSEEvent) -> Void = { event in
                    if let root = try? parser.parse(event.data) { _ = JSONValue(root).text }
                }
                for slice in damage.slices(damage.apply(to: good)) {
                    slice.withUnsafeBytes { try? sse.consume($0, note) }
                }
                sse.finish(note)
            }
        }
    }

    @Test func configurations() {
        let good = Array(
            """
            server: {listen: ["unix:./g.sock", "tcp:127.0.0.1:7411"], loops: 2}
            generation:
              provider: openai
              config: {model_name: gpt-4, api_key: "${KEY:-secret}", temperature: 0.7, extra_body: {a: [1, {b: null}]}}
            models: {a: {provider: openai, config: {model_name: x, api_key: k}}}
            routes: {r: {strategy: fallback, targets: [a, {model: default, weight: 2}]}}

            """.utf8)
        for round in 0..<(Self.rounds / 5) {
            var damage = Damage(UInt64(round))
            let text = damage.apply(to: good)
            do {
                let configuration = try Configuration.parse(
                    text, file: "f", environment: [:], knownProviders: ["openai"])
                // Damage may also turn the secret into the value of another key, where it is not a secret.
                let isStillSecret = String(decoding: text, as: UTF8.self).contains(#"api_key: "${KEY:-secret}""#)
                #expect(!isStillSecret || !configuration.summary().contains("secret"))
            } catch {
                #expect(!"\(error)".isEmpty)
            }
        }
    }
}
