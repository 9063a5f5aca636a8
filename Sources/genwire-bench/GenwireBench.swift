import ArgumentParser
import Foundation

/// Runs every measurement together with its reference and prints one table.
@main
struct GenwireBench: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "genwire-bench",
        abstract: "Compares speed and memory of genwired with references, measured together on the same machine.")

    @Option(help: "The daemon to measure.") var genwired = ".build/release/genwired"
    @Option(help: "The folder of the C references.") var sources = "bench"
    @Option(help: "Run one of health, chat, auth, stream, paced, cancel, hostile, memory or start.") var only: String?
    @Flag(help: "Fewer and shorter rounds, as a smoke test; the figures are not reliable.") var quick = false

    func run() throws {
        let bench = try Bench(genwired: genwired, sources: sources, isQuick: quick)
        defer { bench.stopAll() }
        try bench.build()
        var rows: [Row] = []
        let measurements = [
            ("health", bench.health), ("chat", bench.chat), ("auth", bench.authentication),
            ("stream", bench.fullSpeedStream),
            ("paced", bench.pacedStreams), ("cancel", bench.cancellation), ("hostile", bench.hostileRequests),
            ("memory", bench.memory),
            ("start", bench.startUp),
        ]
        for (name, measure) in measurements where only == nil || only == name { rows += try measure() }
        print(Row.table(rows))
        guard only == nil else { return }
        try Row.json(rows).write(toFile: sources + "/results.json", atomically: true, encoding: .utf8)
        print("\nwrote \(sources)/results.json")
    }
}

/// One line of the table.
struct Row {
    var what: String
    var ours: String
    var reference: String
    /// Our figure divided by the reference, or the figure itself without a reference; `nil` if it was not measured.
    var ratio: Double?
    var goal: String
    var isMet: Bool?

    static func ratio(
        _ what: String, ours: Double, _ reference: String, _ other: Double?, unit: String, atLeast goal: Double
    ) -> Row {
        guard let other else {
            return Row(
                what: what, ours: number(ours) + unit, reference: "\(reference): not available", ratio: nil,
                goal: "≥ \(goal)×", isMet: nil)
        }
        return Row(
            what: what, ours: number(ours) + unit, reference: "\(reference) \(number(other))\(unit)",
            ratio: ours / other,
            goal: "≥ \(goal)×", isMet: ours / other >= goal)
    }

    static func ratio(
        _ what: String, ours: Double, _ reference: String, _ other: Double?, unit: String, atMost goal: Double
    ) -> Row {
        guard let other else {
            return Row(
                what: what, ours: number(ours) + unit, reference: "\(reference): not available", ratio: nil,
                goal: "≤ \(goal)×", isMet: nil)
        }
        return Row(
            what: what, ours: number(ours) + unit, reference: "\(reference) \(number(other))\(unit)",
            ratio: ours / other,
            goal: "≤ \(goal)×", isMet: ours / other <= goal)
    }

    /// Two figures without a goal.
    static func beside(_ what: String, ours: Double, _ reference: String, _ other: Double?, unit: String) -> Row {
        Row(
            what: what, ours: number(ours) + unit,
            reference: other.map { "\(reference) \(number($0))\(unit)" } ?? "\(reference): not available",
            ratio: other.map { ours / $0 }, goal: "")
    }

    static func limit(_ what: String, _ value: Double, unit: String, atMost goal: Double) -> Row {
        Row(
            what: what, ours: number(value) + unit, reference: "", ratio: nil, goal: "≤ \(number(goal))\(unit)",
            isMet: value <= goal)
    }

    static func number(_ value: Double) -> String {
        if value >= 100 { return String(Int(value.rounded())) }
        return String(format: value >= 10 ? "%.1f" : "%.2f", value)
    }

    static func table(_ rows: [Row]) -> String {
        let cells =
            [["what", "genwire", "reference", "ratio", "goal", "met"]]
            + rows.map {
                [
                    $0.what, $0.ours, $0.reference, $0.ratio.map { String(format: "%.2f", $0) } ?? "", $0.goal,
                    $0.isMet.map { $0 ? "yes" : "no" } ?? "–",
                ]
            }
        let widths = (0..<6).map { column in cells.map { $0[column].count }.max() ?? 0 }
        func line(_ row: [String]) -> String {
            "| "
                + row.enumerated().map { $1.padding(toLength: widths[$0], withPad: " ", startingAt: 0) }.joined(
                    separator: " | ") + " |"
        }
        var lines = cells.map(line)
        lines.insert("|" + widths.map { String(repeating: "-", count: $0 + 2) }.joined(separator: "|") + "|", at: 1)
        return lines.joined(separator: "\n")
    }

    static func json(_ rows: [Row]) throws -> String {
        let objects = rows.map { row -> [String: Any] in
            [
                "what": row.what, "genwire": row.ours, "reference": row.reference,
                "ratio": row.ratio as Any? ?? NSNull(),
                "goal": row.goal, "met": row.isMet as Any? ?? NSNull(),
            ]
        }
        let data = try JSONSerialization.data(withJSONObject: objects, options: [.prettyPrinted, .sortedKeys])
        return String(decoding: data, as: UTF8.self) + "\n"
    }
}
