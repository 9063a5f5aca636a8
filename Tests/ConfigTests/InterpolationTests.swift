import Testing

@testable import Config
@testable import Providers

@Suite("Variables of the environment")
struct InterpolationTests {
    @Test(
        "are replaced",
        arguments: [
            ("plain", "plain"), ("", ""), ("${A}", "one"), ("x${A}y${B}z", "xoneytwoz"), ("${A:-no}", "one"),
            ("${NONE:-yes}", "yes"), ("${EMPTY:-yes}", "yes"), ("${NONE:-}", ""), ("${EMPTY}", ""), ("$$", "$"),
            ("$${A}", "${A}"), ("$$${A}", "$one"), ("$5 and $", "$5 and $"), ("${NONE:-a:-b}", "a:-b"),
            ("${_X1}", "ok"), ("ü${A}€", "üone€"),
        ])
    func replaced(_ text: String, _ expected: String) throws {
        let environment = ["A": "one", "B": "two", "EMPTY": "", "_X1": "ok"]
        #expect(try Interpolation.expand(text, environment: environment).text == expected)
    }

    @Test("are not replaced within what was replaced")
    func once() throws {
        #expect(try Interpolation.expand("${A}", environment: ["A": "${B}$$"]).text == "${B}$$")
    }

    @Test(
        "with a wrong form are errors",
        arguments: [
            "${", "${A", "a${}", "${1A}", "${A B}", "${A:x}", "${Ä}", "${A:-${B}}", "${NONE:-x${A}y}", "${A:-{}}",
            "${A:-$${B}}",
        ])
    func malformed(_ text: String) {
        do {
            _ = try Interpolation.expand(text, environment: ["A": "one"])
            Issue.record("no error")
        } catch {
            guard case .malformed = error else {
                Issue.record("\(error)")
                return
            }
        }
    }

    @Test("serve all types, quoted or not")
    func types() throws {
        let environment = ["N": "7", "T": "0.5", "B": "true", "L": "stop"]
        let configuration = try parse(
            withConfig("max_tokens: \"${N}\", temperature: '${T}', enable_caching: \"${B}\", stop: [\"${L}\"]"),
            environment)
        #expect(configuration.generation?.maxTokens == 7)
        #expect(configuration.generation?.temperature == 0.5)
        #expect(configuration.generation?.enableCaching == true)
        #expect(configuration.generation?.stop == ["stop"])
    }

    @Test("never show in an error")
    func hidden() {
        let environment = ["S": "hunter2"]
        let texts = [
            withConfig("max_tokens: \"${S}\""), withConfig("temperature: \"${S}\""),
            withConfig("stream_usage: \"${S}\""),
            withConfig("system_role: \"${S}\""), withConfig("api_base: \"${S}\""),
            withConfig("api_base: \"http://${S}@x\""), withConfig("region: \"${S}/\""), withConfig("auth: \"${S}\""),
            withModel("server: {admin: \"${S}\"}"), withModel("server: {listen: [\"${S}\"]}"),
            withModel("routes: {r: {targets: [\"${S}\"]}}"), withModel("generators: {g: {model: \"${S}\"}}"),
            withModel("auth: {a: {type: \"${S}\"}}"), withModel("limits: \"${S}\""),
            withModel("log: {level: \"${S}\"}"),
            "generation: {provider: \"${S}\", config: {model_name: x}}",
        ]
        for text in texts {
            let found = mistakes(text, environment)
            #expect(found.count == 1, "\(text)")
            #expect(!found.joined().contains("hunter2"), "\(text)")
        }
        #expect(
            mistakes(texts[0], environment) == [
                "config.yaml:1: generation.config.max_tokens: expected a whole number, found something else "
                    + "(not shown: it comes from the environment)"
            ])
    }

    @Test("that are empty count as missing, or as absent with an empty default")
    func empty() throws {
        #expect(
            mistakes(withConfig("api_key: \"${K}\""), ["K": ""]) == [
                "config.yaml:1: generation.config.api_key: the environment variable K is empty"
            ])
        #expect(try parse(withConfig("organization: \"${K:-}\"")).generation?[Provider.organization] == nil)
        #expect(
            mistakes("generation: {provider: openai, config: {model_name: \"${K:-}\"}}") == [
                "config.yaml:1: generation.config.model_name: is missing"
            ])
    }

    @Test("that are missing leave an optional model out")
    func optional() throws {
        let text = """
            generation: {provider: openai, config: {model_name: a, api_key: k}}
            models:
              b: {provider: groq, optional: true, config: {model_name: b, api_key: "${GROQ}"}}
              c: {provider: vertex, optional: true, config: {model_name: c, auth: corp}}
            auth:
              corp: {type: static, token: "${TOKEN}"}
            routes:
              all: {targets: [b, default, c]}
              none: {targets: [b, c]}
            """
        let without = try parse(text)
        #expect(without.models.keys.sorted() == ["default"])
        #expect(
            without.allModels.map(\.unconfiguredReason) == [
                nil, "models.b.config.api_key: the environment variable GROQ is not set",
                "auth.corp.token: the environment variable TOKEN is not set",
            ])
        #expect(without.auth.isEmpty)
        #expect(without.routes.map(\.name) == ["all", "none"])
        #expect(
            without.summary().contains(
                "left out   b: models.b.config.api_key: the environment variable GROQ is not set"))

        let with = try parse(text, ["GROQ": "g", "TOKEN": "t"])
        #expect(with.models.keys.sorted() == ["b", "c", "default"])
        #expect(with.models["b"]?.apiKey?.reveal() == "g")

        // A required model also requires its credential.
        let wanted = text.replacing(", api_key: k", with: ", auth: corp")
        #expect(
            mistakes(wanted) == ["config.yaml:6: auth.corp.token: the environment variable TOKEN is not set"])
        // Other mistakes are reported as well.
        let broken = text.replacing("config: {model_name: b,", with: "config: {model_name: b, top_p: x,")
        #expect(mistakes(broken) == ["config.yaml:3: models.b.config.top_p: expected a number, found \"x\""])
    }
}
