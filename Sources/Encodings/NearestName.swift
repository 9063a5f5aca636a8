/// Finds the valid name that is most similar to a misspelt one.
package enum NearestName {
    /// The candidate with the fewest edits from `name`, up to a third of its letters; else the first that starts or ends
    /// with `name`; else `nil`.
    package static func suggestion(for name: String, among candidates: [String]) -> String? {
        let letters = normalized(name)
        guard !letters.isEmpty, letters.count <= 64 else { return nil }
        var best: (name: String, distance: Int)?
        for candidate in candidates {
            let distance = distance(letters, normalized(candidate))
            if distance < best?.distance ?? .max { best = (candidate, distance) }
        }
        if let best, best.distance <= max(1, letters.count / 3) { return best.name }
        // A part of the right name: `tokens` for `max_tokens`, `key` for `api_key`.
        guard letters.count >= 3 else { return nil }
        return candidates.first { normalized($0).endsOrStarts(with: letters) }
    }

    /// The end of an error message: `; did you mean 'x'?`, or else the list of up to 40 valid names.
    package static func hint(for name: String, among candidates: [String]) -> String {
        if let suggestion = suggestion(for: name, among: candidates) { return "; did you mean '\(suggestion)'?" }
        guard (1...40).contains(candidates.count) else { return "" }
        return "; valid: \(candidates.joined(separator: ", "))"
    }

    /// Lower case, with `-` as `_`, so that these differences do not count as edits.
    private static func normalized(_ text: String) -> [UInt8] {
        text.lowercased().utf8.map { $0 == UInt8(ascii: "-") ? UInt8(ascii: "_") : $0 }
    }

    /// The number of edits (insertions, deletions, replacements, swaps of neighbours) from `a` to `b`.
    private static func distance(_ a: [UInt8], _ b: [UInt8]) -> Int {
        var beforeLast: [Int] = []
        var last = Array(0...b.count)
        for i in a.indices {
            var row = [i + 1]
            for j in b.indices {
                var cost = min(row[j] + 1, last[j + 1] + 1, last[j] + (a[i] == b[j] ? 0 : 1))
                if i > 0, j > 0, a[i] == b[j - 1], a[i - 1] == b[j] { cost = min(cost, beforeLast[j - 1] + 1) }
                row.append(cost)
            }
            (beforeLast, last) = (last, row)
        }
        return last[b.count]
    }
}

extension [UInt8] {
    fileprivate func endsOrStarts(with part: [UInt8]) -> Bool {
        starts(with: part) || suffix(part.count).elementsEqual(part)
    }
}
