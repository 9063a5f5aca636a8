/// The variants of a model's name under which the catalogue may list it.
struct ModelName {
    /// The names to look up, the most exact first: the whole name, without its path, the base of a fine-tuned model,
    /// and each of them without the date or version at its end. In lower case.
    let candidates: [String]
    /// The names to match with patterns: like `candidates`, but including dates and versions.
    let forms: [String]

    init(_ name: String) {
        // A fragment is meant for a proxy or the simulator.
        let whole = name.prefix { $0 != "#" }.lowercased()
        var forms = [whole]
        func add(_ form: some StringProtocol, to forms: inout [String]) {
            if !form.isEmpty, !forms.contains(String(form)) { forms.append(String(form)) }
        }
        // ft:BASE:organization:name:id
        if whole.hasPrefix("ft:") {
            let base = whole.dropFirst(3).prefix { $0 != ":" }
            add("ft:" + base, to: &forms)
            add(base, to: &forms)
        }
        if let slash = whole.lastIndex(of: "/") { add(whole[whole.index(after: slash)...], to: &forms) }
        self.forms = forms
        var candidates = forms
        for form in forms { add(Self.withoutVersion(form), to: &candidates) }
        self.candidates = candidates
    }

    /// `name` without `@VERSION`, `-YYYY-MM-DD`, `-YYYYMMDD` or `-NNN` at its end.
    private static func withoutVersion(_ name: String) -> Substring {
        if let at = name.lastIndex(of: "@") { return name[..<at] }
        var parts = name.split(separator: "-", omittingEmptySubsequences: false)
        func isNumber(_ part: Substring, _ digits: Int) -> Bool {
            part.utf8.count == digits && part.utf8.allSatisfy { (0x30...0x39).contains($0) }
        }
        let isDate =
            parts.count > 3 && isNumber(parts[parts.count - 3], 4) && isNumber(parts[parts.count - 2], 2)
            && isNumber(parts[parts.count - 1], 2)
        if isDate {
            parts.removeLast(3)
        } else if let last = parts.last, parts.count > 1, isNumber(last, 8) || isNumber(last, 3) {
            parts.removeLast()
        } else {
            return name[...]
        }
        return Substring(parts.joined(separator: "-"))
    }
}
