import Foundation
import Testing

/// A name that is compared in code is wrong within months: names are in the catalogue's data.
@Suite struct ModelNamesInCodeTests {
    /// The simulator has data of its own, and the benchmark names the models of its own upstream.
    private static let excluded = ["Sources/Simulator/", "Sources/genwire-sim/", "Sources/genwire-bench/"]

    @Test func noSourceNamesAModel() throws {
        let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent()
        let names = try Regex(
            #"(?i)(gpt-?\d|gpt-oss|chatgpt|"o[134]\b|claude-?\d|opus|sonnet|haiku|gemini-?\d|gemma|\bllama|qwen|deepseek"#
                + #"|mistral|\bkimi|text-embedding|codex)"#)
        let files = try #require(
            FileManager.default.enumerator(at: root.appendingPathComponent("Sources"), includingPropertiesForKeys: nil))
        var read = 0
        for case let file as URL in files where ["swift", "c", "h", "cpp"].contains(file.pathExtension) {
            let path = String(file.path.dropFirst(root.path.count + 1))
            guard !Self.excluded.contains(where: path.hasPrefix), !path.contains("CGenwireProto") else { continue }
            read += 1
            for (number, line) in try String(contentsOf: file, encoding: .utf8).split(
                separator: "\n", omittingEmptySubsequences: false
            ).enumerated() {
                let code = line.firstRange(of: "//").map { line[..<$0.lowerBound] } ?? line
                #expect(code.firstMatch(of: names) == nil, "\(path):\(number + 1): \(line)")
            }
        }
        #expect(read > 100)
    }
}
