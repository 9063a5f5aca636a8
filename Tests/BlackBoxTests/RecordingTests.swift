import Foundation
import Generation
import GenwireClient
import TestSupport
import Testing

/// Real recorded traffic, replayed by the simulator through the real daemon, whole, byte by byte and in random
/// slices. Skipped where there are no recordings.
@Suite struct RecordingTests {
    /// The folder: `GENWIRE_RECORDINGS`, else `shared/recordings` beside the checkout; `nil` where there is none.
    static let folder: String? = {
        let beside = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent().deletingLastPathComponent().appendingPathComponent("shared/recordings").path
        let path = ProcessInfo.processInfo.environment["GENWIRE_RECORDINGS"] ?? beside
        return FileManager.default.fileExists(atPath: path) ? path : nil
    }()

    private static func object(_ path: String) throws -> [String: Any] {
        try JSONSerialization.jsonObject(with: Data(contentsOf: URL(fileURLWithPath: path))) as? [String: Any] ?? [:]
    }

    @Test func openAIRecordingsGiveWhatTheyShould() async throws {
        guard let folder = Self.folder else {
            print("skipped: no recordings; set GENWIRE_RECORDINGS to their folder")
            return
        }
        let cases = try FileManager.default.contentsOfDirectory(atPath: folder + "/openai").filter { !$0.contains(".") }
        #expect(!cases.isEmpty)
        var models: [String: String] = [:]
        for name in cases {
            for (suffix, slice) in [("whole", ""), ("bytes", "#slice=1"), ("random", "#slice=random")] {
                models["\(name)-\(suffix)"] = "recording:openai/\(name)\(slice)"
            }
        }
        try await Stack.with(simulator: ["--recordings", folder], configuration: Stack.configuration(models)) { stack in
            let client = try await GenwireClient.connect(to: stack.address)
            for name in cases.sorted() {
                let expected = try Self.object("\(folder)/openai/\(name)/expected.json")
                let meta = try Self.object("\(folder)/openai/\(name)/response.meta.json")
                for suffix in ["whole", "bytes", "random"] {
                    let isStream = meta["stream"] as? Bool == true
                    let result =
                        isStream
                        ? await collect(client.streamChat(user("x", model: "\(name)-\(suffix)")))
                        : await whole(client, "\(name)-\(suffix)")
                    check(result, expected, "\(name)-\(suffix)")
                }
            }
            await client.close()
        }
    }

    private func whole(_ client: GenwireClient, _ model: String) async -> Collected {
        var result = Collected()
        do {
            let response = try await client.chat(user("x", model: model))
            result.text = response.message.content
            result.toolCalls = response.message.toolCalls
            result.completion = response.completion
        } catch {
            result.error = error
        }
        return result
    }

    private func check(_ result: Collected, _ expected: [String: Any], _ name: String) {
        if let error = expected["error"] as? [String: Any] {
            #expect(result.completion == nil, "\(name) must fail")
            #expect(result.error?.detail?.httpStatus == error["http_status"] as? Int, "\(name)")
            #expect(result.error?.message == error["message"] as? String, "\(name)")
            let code = error["code"] as? String ?? error["type"] as? String ?? ""
            #expect(result.error?.detail?.providerCode == code, "\(name)")
            return
        }
        #expect(result.error == nil, "\(name): \(String(describing: result.error))")
        let refusal = expected["refusal"] as? String
        #expect(result.text == refusal ?? expected["text"] as? String, "\(name)")
        let calls = expected["tool_calls"] as? [[String: Any]] ?? []
        #expect(result.toolCalls.map(\.name) == calls.map { $0["name"] as? String ?? "" }, "\(name)")
        for (call, wanted) in zip(result.toolCalls, calls) {
            let arguments = try? JSONSerialization.jsonObject(with: Data(call.argumentsJSON.utf8)) as? NSDictionary
            #expect(arguments == wanted["arguments"] as? NSDictionary, "\(name): \(call.argumentsJSON)")
        }
        #expect(Set(result.toolCalls.map(\.id)).count == result.toolCalls.count, "\(name)")
        #expect(result.completion?.rawFinishReason == expected["finish_reason"] as? String, "\(name)")
        let usage = result.completion?.usage
        if let prompt = expected["prompt_tokens"] as? Int {
            #expect(usage?.source == .provider && usage?.inputTokens == prompt, "\(name)")
            #expect(usage?.outputTokens == expected["completion_tokens"] as? Int, "\(name)")
            if let cached = expected["cached_prompt_tokens"] as? Int {
                #expect(usage?.cachedInputTokens == cached, "\(name)")
            }
            if let reasoning = expected["reasoning_tokens"] as? Int {
                #expect(usage?.reasoningTokens == reasoning, "\(name)")
            }
        } else {
            #expect(usage?.source == .absent, "\(name)")
        }
    }
}
