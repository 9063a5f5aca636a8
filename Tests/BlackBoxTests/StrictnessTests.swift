import Foundation
import FoundationNetworking
import TestSupport
import Testing

/// What the simulator refuses, asked over HTTP as a client would: the rows of StrictnessRows.swift.
@Suite struct StrictnessTests {
    @Test func thinkingIsBoundToItsModelAndConversation() async throws {
        try await withTemporaryFolder { folder in
            let simulator = try RunningProgram("genwire-sim", ["--port", "0"], logPath: folder + "/sim.log")
            let line = await simulator.waitForLine(containing: "ready on")
            let upstream = line?.split(separator: " ").last.map(String.init) ?? ""
            for (model, isBound) in [("claude-opus-5-5", true), ("claude-opus-4-6", false)] {
                let ask = #""thinking":{"type":"adaptive"},"messages":[{"role":"user","content":"one"}]"#
                let answer = try await send(Row("anthropic", model, ask, nil), to: upstream)
                let object = try JSONSerialization.jsonObject(with: Data(answer.text.utf8)) as? [String: Any]
                let thought = try #require((object?["content"] as? [[String: Any]])?.first)
                let block = String(decoding: try JSONSerialization.data(withJSONObject: thought), as: UTF8.self) + ","
                let loops = [Self.claudeLoop("one", block), Self.claudeLoop("two", block)]
                let same = try await send(Row("anthropic", model, loops[0], nil), to: upstream)
                #expect(same.status == 200, "\(model): \(same.text)")
                let changed = try await send(Row("anthropic", model, loops[1], nil), to: upstream)
                #expect(changed.status == (isBound ? 400 : 200), "\(model): \(changed.text)")
                #expect(changed.text.contains("bound to a different conversation") == isBound, "\(changed.text)")
                let other = try await send(Row("anthropic", "claude-sonnet-4-6", loops[0], nil), to: upstream)
                #expect(other.text.contains("Invalid `signature` in `thinking` block") == isBound, "\(other.text)")
            }
            await simulator.stop()
        }
    }

    private func send(_ row: Row, to upstream: String) async throws -> (status: Int, text: String) {
        var request = URLRequest(url: try #require(URL(string: upstream + row.path)))
        request.httpMethod = "POST"
        request.httpBody = Data(row.whole.utf8)
        request.setValue("Bearer k", forHTTPHeaderField: "Authorization")
        request.setValue("application/json", forHTTPHeaderField: "Content-Type")
        if row.vendor == "anthropic" { request.setValue("2023-06-01", forHTTPHeaderField: "anthropic-version") }
        let (data, response) = try await URLSession.shared.data(for: request)
        return ((response as? HTTPURLResponse)?.statusCode ?? 0, String(decoding: data, as: UTF8.self))
    }

    /// The vendor's words, wherever its form of an error has them.
    private func message(_ text: String) throws -> String {
        let object = try JSONSerialization.jsonObject(with: Data(text.utf8)) as? [String: Any]
        return (object?["error"] as? [String: Any])?["message"] as? String ?? ""
    }

    @Test(arguments: ["OpenAI", "Claude", "Google"]) func everyRefusal(_ family: String) async throws {
        let rows = ["OpenAI": Self.openAI, "Claude": Self.claude, "Google": Self.google][family] ?? []
        try await withTemporaryFolder { folder in
            let simulator = try RunningProgram("genwire-sim", ["--port", "0"], logPath: folder + "/sim.log")
            let line = await simulator.waitForLine(containing: "ready on")
            let upstream = line?.split(separator: " ").last.map(String.init) ?? ""
            for row in rows {
                let answer = try await send(row, to: upstream)
                let what = "\(row.vendor) \(row.model) \(row.body): \(answer.status) \(answer.text.prefix(300))"
                #expect(answer.status == row.status, "\(what)")
                if let words = row.words { #expect(try message(answer.text).contains(words), "\(what)") }
            }
            await simulator.stop()
        }
    }
}
