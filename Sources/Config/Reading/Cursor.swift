/// A value of the file with its path. Each reader returns `nil` after it reported an error.
struct Cursor {
    let node: ConfigNode
    let path: String
    let reading: Reading
    /// Whether the value must not be quoted in an error.
    var isSecret = false

    /// A scalar with its variables replaced.
    struct Expanded {
        let text: String
        let isQuoted: Bool
        /// Whether a part came from the environment, so that it must not be shown.
        let isInterpolated: Bool
    }

    func report(_ message: String) {
        reading.report(message, at: node.line, key: path)
    }

    /// Reports `expected …, found …`. The value found is shown only if it is not secret.
    func reportExpected(_ what: String, _ expanded: Expanded? = nil) {
        let found: String
        if case .scalar(let scalar) = node.value, !scalar.isNull {
            let isInterpolated = expanded?.isInterpolated ?? scalar.text.utf8.contains(UInt8(ascii: "$"))
            found =
                if isSecret {
                    "something else (not shown: it may be secret)"
                } else if isInterpolated {
                    "something else (not shown: it comes from the environment)"
                } else {
                    "\"\(Path.printable(scalar.text, limit: 40))\""
                }
        } else {
            found = node.kindName
        }
        report("expected \(what), found \(found)")
    }

    // MARK: Scalars

    /// The scalar with its variables replaced. `expected` describes the value for the error if it is not a scalar.
    func expanded(expected: String) -> Expanded? {
        guard case .scalar(let scalar) = node.value, !scalar.isNull else {
            reportExpected(expected)
            return nil
        }
        do {
            let outcome = try Interpolation.expand(scalar.text, environment: reading.environment)
            let isInterpolated = !outcome.variables.isEmpty
            if isInterpolated, outcome.text.isEmpty {
                let message = "the environment variable \(outcome.variables[0]) is empty"
                reading.report(message, at: node.line, key: path, isMissingVariable: true)
                return nil
            }
            return Expanded(text: outcome.text, isQuoted: scalar.isQuoted, isInterpolated: isInterpolated)
        } catch {
            switch error {
            case .missing(let name):
                let message = "the environment variable \(Path.printable(name, limit: 64)) is not set"
                reading.report(message, at: node.line, key: path, isMissingVariable: true)
            case .malformed(let message):
                report(message)
            }
            return nil
        }
    }

    /// Text that is not empty. A number without quotes counts as text.
    func text() -> String? {
        guard let value = expanded(expected: "text") else { return nil }
        guard !value.text.isEmpty else {
            report("is empty")
            return nil
        }
        return value.text
    }

    /// One of a fixed set of names.
    func choice<C: RawRepresentable<String> & CaseIterable>(_: C.Type) -> C? {
        let names = C.allCases.map(\.rawValue)
        let expected = "one of \(names.joined(separator: ", "))"
        guard let value = expanded(expected: expected) else { return nil }
        if let choice = C(rawValue: value.text) { return choice }
        reportExpected(expected, value)
        return nil
    }

    /// `true` or `false`.
    func boolean() -> Bool? {
        guard let value = expanded(expected: "true or false") else { return nil }
        if !value.isQuoted || value.isInterpolated {
            switch value.text {
            case "true", "True", "TRUE": return true
            case "false", "False", "FALSE": return false
            default: break
            }
        }
        reportExpected("true or false", value)
        return nil
    }

    /// A whole number within a range.
    func integer(in range: ClosedRange<Int>) -> Int? {
        guard let value = numeric(expected: "a whole number") else { return nil }
        guard let number = Int(value.text) else {
            reportExpected("a whole number", value)
            return nil
        }
        guard range.contains(number) else {
            reportExpected(Self.phrase(range.lowerBound, range.upperBound, Int.min, Int.max), value)
            return nil
        }
        return number
    }

    /// A number within a range.
    func number(in range: ClosedRange<Double>, excludingLowerBound: Bool = false) -> Double? {
        guard let value = numeric(expected: "a number") else { return nil }
        // Swift also reads "inf", "nan" and "0x1p3".
        let isDecimal = value.text.utf8.allSatisfy { "0123456789+-.eE".utf8.contains($0) }
        guard isDecimal, let number = Double(value.text), number.isFinite else {
            reportExpected("a number", value)
            return nil
        }
        guard range.contains(number), !excludingLowerBound || number > range.lowerBound else {
            let (low, high) = (Self.short(range.lowerBound), Self.short(range.upperBound))
            let expected =
                excludingLowerBound
                ? "a number above \(low) and at most \(high)" : "a number from \(low) to \(high)"
            reportExpected(expected, value)
            return nil
        }
        return number
    }

    private func numeric(expected: String) -> Expanded? {
        guard let value = expanded(expected: expected) else { return nil }
        if value.isQuoted, !value.isInterpolated {
            report("expected \(expected), found text in quotes; remove the quotes")
            return nil
        }
        return value
    }

    private static func phrase<N: Comparable & CustomStringConvertible>(
        _ low: N, _ high: N, _ least: N, _ most: N
    ) -> String {
        high == most ? "a whole number of at least \(low)" : "a whole number from \(low) to \(high)"
    }

    static func short(_ number: Double) -> String {
        number == number.rounded() && abs(number) < 1e15 ? String(Int(number)) : String(number)
    }
}
