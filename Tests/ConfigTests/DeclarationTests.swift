import Foundation
import JSON
import Providers
import Testing

@testable import Config

@Suite("The declarations of the keys")
struct DeclarationTests {
    private static let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent()

    private static func contents(_ path: String) throws -> String {
        try String(contentsOf: root.appendingPathComponent(path), encoding: .utf8)
    }

    private static func schema() throws -> SchemaCheck {
        SchemaCheck(root: try JSONValue(parsing: ConfigurationSchema(providers).text))
    }

    /// The places where a file violates the schema.
    private static func schemaMistakes(_ text: String) throws -> [String] {
        let node = try #require(try YAMLReader.read(Array(text.utf8), file: "f").root)
        return try schema().mistakes(in: JSONValue(parsing: node.jsonText()))
    }

    /// Every map of declared keys, with a name for failure messages.
    private static var maps: [(name: String, keys: [KeyInfo])] {
        var maps = [(name: "", keys: Configuration.sections), (name: "model", keys: ModelConfiguration.entryKeys)]
        maps += Configuration.sections.map { (name: $0.name, keys: $0.form.fields) }
        maps += providers.map { ($0.name, ModelConfiguration.keys.map(\.info) + $0.keys.map(\.info)) }
        maps += AuthConfiguration.types.map {
            ($0.kind.rawValue, [AuthConfiguration.typeKey] + AuthConfiguration.keys.map(\.info) + $0.keys)
        }
        return maps
    }

    @Test("are on the page of the reference")
    func reference() throws {
        #expect(
            try Self.contents("docs/configuration.md") == ConfigurationReference(providers).markdown,
            "docs/configuration.md is out of date; run: genwired schema --markdown > docs/configuration.md")
    }

    @Test("name each key once, and say what it does")
    func complete() {
        for (name, keys) in Self.maps {
            #expect(Set(keys.map(\.name)).count == keys.count, "\(name): a key is declared twice")
            for key in keys {
                #expect(key.doc.hasSuffix(".") && key.doc.count > 8, "\(name).\(key.name)")
                #expect(!key.doc.contains("|") && key.standard?.contains("|") != true, "\(name).\(key.name)")
            }
        }
        #expect(Set(AuthConfiguration.types.map(\.kind)) == Set(AuthConfiguration.Kind.allCases))
    }

    @Test("have defaults that the file may give as well")
    func defaults() throws {
        for section in Configuration.keys where section.info.name != Configuration.serverSection.info.name {
            for key in section.info.form.fields {
                guard let standard = key.standard, standard.hasPrefix("`") else { continue }
                let text = "\(section.info.name): {\(key.name): \(standard.split(separator: "`")[0])}"
                #expect(mistakes(withModel(text)) == [], "\(text)")
                #expect(section.changes(try parse(withModel(text)), Configuration()).isEmpty, "\(text)")
            }
        }
    }

    @Test("make a JSON Schema that good files conform to")
    func goodFiles() throws {
        #expect(try Self.schemaMistakes(ContractTests.example) == [])
        #expect(try Self.schemaMistakes(try Self.contents("config.yaml")) == [])
    }

    @Test("make a JSON Schema that the examples of the documentation conform to")
    func documentation() throws {
        let pages = try FileManager.default.contentsOfDirectory(
            atPath: Self.root.appendingPathComponent("docs").path
        ).filter { $0.hasSuffix(".md") }.map { "docs/" + $0 }
        var count = 0
        for page in pages + ["README.md"] {
            for block in try Self.contents(page).components(separatedBy: "```yaml\n").dropFirst() {
                var text = block.components(separatedBy: "```")[0]
                if !text.contains("models:"), !text.contains("generation:") {
                    text += "generation: {provider: openai, config: {model_name: m}}\n"
                }
                #expect(try Self.schemaMistakes(text) == [], "\(page): \(text)")
                count += 1
            }
        }
        #expect(count > 3)
    }

    @Test(
        "hold for the parser and the schema alike",
        arguments: [
            ("", true), ("servr: {}", false), ("server: {loops: 257}", false), ("server: {loops: 256}", true),
            ("server: {loops: \"${LOOPS}\"}", true), ("server: {loops: \"2\"}", false), ("server:", true),
            ("server: {listen: \"http://x\"}", false), ("server: {tokens: {a: [b]}}", false),
            ("limits: {max_message_bytes: 1023}", false), ("limits: {max_message_bytes: 1024}", true),
            ("limits: {max_message_bytes: 4194304}", true), ("limits: {max_message_bytes: 4194305}", false),
            ("timeouts: {idle: 0}", false), ("timeouts: {idle: 0.5}", true), ("timeouts: {idle: 86401}", false),
            ("retry: {max_attempts: 1.5}", false), ("log: {level: loud}", false), ("log: {level: debug}", true),
            ("tls: {insecure_skip_verify: yes}", false), ("tls: {insecure_skip_verify: true}", true),
            ("routes: {r: {targets: []}}", false), ("routes: {r: {targets: [default]}}", true),
            ("routes: {r: {targets: [{model: default, weight: 0}]}}", false), ("routes: {r: {}}", false),
            ("models: {m: {provider: openai, config: {}}}", false), ("models: {m: {provider: openai}}", false),
            ("models: {m: {provider: openia, config: {model_name: m}}}", false),
            ("models: {m: {provider: openai, config: {model_name: m, region: r}}}", false),
            ("models: {m: {provider: vertex, config: {model_name: m, region: r}}}", true),
            ("models: {m: {provider: \"${P}\", config: {model_name: m, region: r}}}", true),
            ("models: {m: {provider: groq, config: {model_name: m, temperature: 2.1}}}", false),
            ("models: {m: {provider: groq, config: {model_name: 4, stop: [a], timeouts: {idle: 1}}}}", true),
            ("models: {m: {provider: groq, config: {model_name: m, timeouts: {idel: 1}}}}", false),
            ("models: {m: {provider: groq, config: {model_name: m, api_base: h}}}", false),
            ("models: {m: {provider: groq, config: {model_name: m, api_key: {flie: x}}}}", false),
            ("models: {m: {provider: groq, config: {model_name: m, extra_headers: {\"a b\": c}}}}", false),
            ("models: {\"a b\": {provider: groq, config: {model_name: m}}}", false),
            ("auth: {a: {type: static}}", false), ("auth: {a: {type: static, token: t}}", true),
            ("auth: {a: {type: static, token: t, path: p}}", false), ("auth: {a: {type: sttic, token: t}}", false),
            ("auth: {a: {type: command, command: [echo, \"\"]}}", true),
            ("auth: {a: {type: coin, token_url: \"…\", client_id: i, client_secret: s, scope: [a, b]}}", true),
            ("generators: {g: {max_context_tokens: 0}}", false), ("generators: {g: {model: default}}", true),
        ])
    func agreement(_ more: String, _ isGood: Bool) throws {
        let text = withModel(more)
        #expect(mistakes(text, ["LOOPS": "2", "P": "vertex"]).isEmpty == isGood)
        let found = try Self.schemaMistakes(text)
        #expect(found.isEmpty == isGood, "\(found)")
    }

    @Test("show no secret")
    func secrets() throws {
        let text = """
            server: {token: planted-secret-0123456789}
            generation: {provider: openai, config: {model_name: m, api_key: planted-secret, extra_headers: {a: planted-secret}}}
            auth: {a: {type: static, token: planted-secret}}
            """
        let changed = try parse(text.replacing("planted-secret", with: "planted-secret-2"))
        let configuration = try parse(text)
        #expect(!configuration.summary().contains("planted"))
        #expect(!changed.changes(since: configuration).joined().contains("planted"))
        #expect(
            changed.changes(since: configuration) == [
                "model default changed", "credential a changed", "who may call changed",
            ])
        for key in Configuration.keys { #expect(!key.show(configuration).contains("planted")) }
    }
}
