internal import JSON

/// Scripted responses: a JSON array of steps, one per request.
package struct Script: Sendable {
    struct Step: Sendable {
        var status: Int?
        var headers: [String: String]
        var body: String?
        var events: [String]
        var recording: String?
        var slicing: Slicing?
        var faults: [Fault]
        var latencyMilliseconds: Int
        var chunkIntervalMilliseconds: Int
        var path: String?
        var model: String?
    }

    /// An error in a script.
    package struct ScriptError: Error, CustomStringConvertible {
        /// The problem, with the number of the step.
        package let description: String
    }

    let steps: [Step]

    /// Parses `[{"status", "headers", "body", "events", "recording", "slice", "fault", "latency_ms",
    /// "chunk_interval_ms", "match": {"path", "model"}}, …]`; all members are optional.
    /// - Throws: `ScriptError` that names the step.
    package init(_ text: String) throws(ScriptError) {
        let value: JSONValue
        do {
            value = try JSONValue(parsing: text)
        } catch {
            throw ScriptError(description: "the script is not JSON: \(error)")
        }
        guard let entries = value.array, !entries.isEmpty else {
            throw ScriptError(description: "the script must be a JSON array with at least one step")
        }
        var steps: [Step] = []
        for (index, entry) in entries.enumerated() {
            guard let members = entry.members else {
                throw ScriptError(description: "step \(index + 1) is not an object")
            }
            let known = [
                "status", "headers", "body", "events", "recording", "slice", "fault", "latency_ms", "chunk_interval_ms",
                "match",
            ]
            if let unknown = members.first(where: { !known.contains($0.key) }) {
                throw ScriptError(description: "step \(index + 1): unknown member '\(unknown.key)'")
            }
            var headers: [String: String] = [:]
            for header in entry["headers"]?.members ?? [] {
                headers[header.key] = header.value.string ?? header.value.text
            }
            steps.append(
                Step(
                    status: entry["status"]?.int, headers: headers,
                    body: entry["body"].map { $0.string ?? $0.text },
                    events: (entry["events"]?.array ?? []).map { $0.string ?? $0.text },
                    recording: entry["recording"]?.string,
                    slicing: entry["slice"].flatMap { Slicing($0.string ?? $0.text) },
                    faults: Fault.list(entry["fault"]?.string ?? ""),
                    latencyMilliseconds: entry["latency_ms"]?.int ?? 0,
                    chunkIntervalMilliseconds: entry["chunk_interval_ms"]?.int ?? 0,
                    path: entry["match"]?["path"]?.string, model: entry["match"]?["model"]?.string))
        }
        self.steps = steps
    }
}

extension Script.Step {
    func matches(path: String, model: String) -> Bool {
        (self.path.map { path.hasSuffix($0) } ?? true) && (self.model.map { $0 == model } ?? true)
    }
}
