import Testing

@testable import Config

@Suite("Hostile YAML")
struct HostileTests {
    @Test(
        "ends with an error that has the line",
        arguments: [
            ("a: b\nc: \"open", "config.yaml:2: not valid YAML: found unexpected end of stream"),
            (
                "a:\n\tb: 1",
                "config.yaml:2: not valid YAML: found character that cannot start any token; "
                    + "indent with spaces, not tabs"
            ),
            ("a: 1\nb: 2\na: 3", "config.yaml:3: a: duplicate key; first defined on line 1"),
            ("a: b: c", "config.yaml:1: not valid YAML: mapping values are not allowed in this context"),
            ("log: {}\n---\nlog: {}", "config.yaml:2: a second YAML document starts here; put everything into one"),
            ("a:\n  ? [x]\n  : y", "config.yaml:2: a: a key must be plain text"),
            ("a: &x {b: 1}\nc:\n  <<: *x", "config.yaml:3: c: merge keys ('<<') are not supported; write the keys out"),
            (
                "a: *nowhere",
                "config.yaml:1: a: this alias has no anchor before it; if it is text that begins with '*', quote it"
            ),
            (
                "a: &x [*x]",
                "config.yaml:1: a[0]: this alias has no anchor before it; if it is text that begins with '*', quote it"
            ),
            (
                "a: !secret b",
                "config.yaml:1: a: this tag is not supported; if it is text that begins with '!', quote it"
            ),
            ("a:\n  b: \"x\\0y\"", "config.yaml:2: a.b: contains a NUL character"),
        ])
    func syntax(_ text: String, _ expected: String) {
        #expect(mistakes(text).contains(expected))
    }

    @Test("with bytes that are no text")
    func bytes() {
        #expect(
            mistakes(Array("a: 1\nb: ".utf8) + [0, 10]) == [
                "config.yaml:2: the file is not readable UTF-8 text: control characters are not allowed"
            ])
        #expect(
            mistakes(Array("a: 1\n\nb: ".utf8) + [0xFF, 10]) == [
                "config.yaml:3: the file is not readable UTF-8 text: invalid leading UTF-8 octet"
            ])
        #expect(
            mistakes([0xFF, 0xFE, 0x61, 0]) == [
                "config.yaml:1: the file is not readable UTF-8 text: invalid leading UTF-8 octet"
            ])
        #expect(
            mistakes(Array("a: ".utf8) + [0xE2, 0x82]) == [
                "config.yaml:1: the file is not readable UTF-8 text: incomplete UTF-8 octet sequence"
            ])
    }

    @Test("that is nested without end", arguments: ["[", "{a: ", "- ", "? ", "a: [", "\n - &a"])
    func nesting(_ piece: String) {
        let text = String(repeating: piece, count: 100_000)
        #expect(mistakes(text).count == 1)
    }

    @Test("that is nested up to and beyond the limit")
    func nestingLimit() throws {
        let good = String(repeating: "[", count: 32) + String(repeating: "]", count: 32)
        #expect(try YAMLReader.read(Array(good.utf8), file: "f").root != nil)
        #expect(throws: ConfigError.self) { try YAMLReader.read(Array("[\(good)]".utf8), file: "f") }
    }

    @Test("that grows by aliases")
    func laughs() {
        var text = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n"
        for level in 1...9 {
            let aliases = Array(repeating: "*a\(level - 1)", count: 10).joined(separator: ", ")
            text += "a\(level): &a\(level) [\(aliases)]\n"
        }
        let found = mistakes(text)
        #expect(found.count == 1)
        #expect(found[0].hasSuffix("more than 100000 values, counting every use of an alias"))

        var deep = "a0: &a0 [x]\n"
        for level in 1...100 { deep += "a\(level): &a\(level) [*a\(level - 1)]\n" }
        #expect(mistakes(deep).first?.hasSuffix("nested deeper than 32 levels") == true)
    }

    @Test("that is huge")
    func size() {
        #expect(
            mistakes([UInt8](repeating: 10, count: (1 << 20) + 1)) == [
                "config.yaml: the file has 1048577 bytes; the limit is 1048576"
            ])
        #expect(mistakes([UInt8](repeating: 10, count: 1 << 20)).count == 1)
        let long = String(repeating: "k", count: 500_000)
        let found = mistakes(withModel("\(long): 1"))
        #expect(found.count == 1)
        #expect(found[0].utf8.count < 400)
        #expect(mistakes(String(repeating: "a,", count: 400_000)).count == 1)
        #expect(mistakes("[" + String(repeating: "a,", count: 400_000) + "]").count == 1)
    }

    @Test("that has many mistakes, each of which wants a hint")
    func manyMistakes() {
        let models = (0..<2000).map { "  m\($0): {provider: groq, config: {model_name: a}}" }.joined(separator: "\n")
        let targets = (0..<20000).map { "x\($0)" }.joined(separator: ", ")
        let generators = (0..<5000).map { "  g\($0): {model: y\($0), zz: 1}" }.joined(separator: "\n")
        let text = "models:\n\(models)\nroutes: {r: {targets: [\(targets)]}}\ngenerators:\n\(generators)"
        #expect(mistakes(text).count == 101)
    }

    @Test("aliases are followed")
    func aliases() throws {
        let configuration = try parse(
            withModel(
                """
                timeouts: &slow {idle: 120}
                models:
                  a: {provider: groq, config: {model_name: &name "x-1", timeouts: *slow}}
                  b: {provider: groq, config: {model_name: *name}}
                """))
        #expect(configuration.models["a"]?.timeouts.idle == 120)
        #expect(configuration.models["b"]?.modelName == "x-1")
    }

    @Test("places are exact")
    func places() throws {
        let root = try #require(try YAMLReader.read(Array("\u{FEFF}a: {b: 'c'}\n\nd: !!str 1\n".utf8), file: "f").root)
        #expect(root["a"]?.line == 1)
        #expect(root["a"]?.column == 4)
        let scalar = try #require(root["a"]?["b"])
        #expect(scalar == ConfigNode(.scalar(ConfigScalar("c", isQuoted: true)), line: 0, column: 0))
        #expect((scalar.line, scalar.column) == (1, 8))
        let tagged = ConfigScalar("1", isQuoted: true, tag: "tag:yaml.org,2002:str")
        #expect(root["d"] == ConfigNode(.scalar(tagged), line: 3, column: 4))
        #expect(root["d"]?.line == 3)
        #expect("\(root) \(String(reflecting: root))" == "<a map at line 1> <a map at line 1>")
    }
}
