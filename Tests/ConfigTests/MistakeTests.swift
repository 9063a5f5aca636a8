import Testing

@testable import Config

/// A file and its expected mistakes, for parameterized tests.
struct MistakeCase: Sendable, CustomTestStringConvertible {
    let text: String
    let expected: [String]

    init(_ text: String, _ expected: String...) {
        self.text = text
        self.expected = expected.map { "config.yaml:" + $0 }
    }

    var testDescription: String { text }
}

@Suite("Mistakes in a file")
struct MistakeTests {
    @Test(
        "are told with line, key and what to do",
        arguments: [
            // Unknown keys
            MistakeCase(
                "generation:\n  provider: openai\n  config:\n    model_name: gpt-4\n    max_token: 3",
                "5: generation.config.max_token: unknown key; did you mean 'max_tokens'?"),
            MistakeCase(withModel("sever: {}"), "2: sever: unknown key; did you mean 'server'?"),
            MistakeCase(
                "generation: {provider: openai, model_name: x, config: {model_name: gpt-4}}",
                "1: generation.model_name: unknown key; did you mean 'config.model_name'?"),
            MistakeCase(withConfig("key: 1"), "1: generation.config.key: unknown key; did you mean 'api_key'?"),
            MistakeCase(
                withConfig("Max-Tokens: 1"), "1: generation.config.Max-Tokens: unknown key; did you mean 'max_tokens'?"),
            MistakeCase(withModel("tls: {zzz: 1}"), "2: tls.zzz: unknown key; valid: ca_file, insecure_skip_verify"),
            MistakeCase(
                withModel("retry: {\"a\\nb\": 1}"),
                "2: retry.a?b: unknown key; valid: max_attempts, initial_backoff, max_backoff, max_retry_after"),

            // Types and ranges
            MistakeCase(
                withConfig("temperature: abc"), "1: generation.config.temperature: expected a number, found \"abc\""),
            MistakeCase(
                withConfig("temperature: \"0.7\""),
                "1: generation.config.temperature: expected a number, found text in quotes; remove the quotes"),
            MistakeCase(
                withConfig("temperature: 2.5"),
                "1: generation.config.temperature: expected a number from 0 to 2, found \"2.5\""),
            MistakeCase(
                withConfig("temperature: nan"), "1: generation.config.temperature: expected a number, found \"nan\""),
            MistakeCase(
                withConfig("temperature: 1e999"),
                "1: generation.config.temperature: expected a number, found \"1e999\""),
            MistakeCase(
                withConfig("temperature: "), "1: generation.config.temperature: expected a number, found nothing"),
            MistakeCase(
                withConfig("temperature: [1]"), "1: generation.config.temperature: expected a number, found a list"),
            MistakeCase(
                withConfig("top_p: -0.1"), "1: generation.config.top_p: expected a number from 0 to 1, found \"-0.1\""),
            MistakeCase(
                withConfig("max_tokens: 0"),
                "1: generation.config.max_tokens: expected a whole number from 1 to 100000000, found \"0\""),
            MistakeCase(
                withConfig("max_tokens: 1.5"),
                "1: generation.config.max_tokens: expected a whole number, found \"1.5\""),
            MistakeCase(
                withConfig("stream_usage: yes"),
                "1: generation.config.stream_usage: expected true or false, found \"yes\""),
            MistakeCase(
                withConfig("system_role: boss"),
                "1: generation.config.system_role: expected one of system, developer, found \"boss\""),
            MistakeCase(withConfig("stop: {a: b}"), "1: generation.config.stop: expected text, found a map"),
            MistakeCase(withConfig("model: [a"), "1: not valid YAML: did not find expected ',' or ']'"),
            MistakeCase(
                withModel("timeouts: {idle: 0}"),
                "2: timeouts.idle: expected a number above 0 and at most 86400, found \"0\""),
            MistakeCase(withModel("limits: 3"), "2: limits: expected a map, found \"3\""),
            MistakeCase(
                withModel("log: {level: loud}"),
                "2: log.level: expected one of trace, debug, info, notice, warning, error, critical, found \"loud\""),
            MistakeCase("- a", "1: expected a map, found a list"),
            MistakeCase(
                withModel("limits: {max_message_bytes: 4194305, max_connections: 0}"),
                "2: limits.max_connections: expected a whole number from 1 to 1000000, found \"0\"",
                "2: limits.max_message_bytes: expected a whole number from 1024 to 4194304, found \"4194305\""),
            MistakeCase(
                withModel("retry:\n  max_backoff: 1\n  initial_backoff: 1.5"),
                "4: retry.initial_backoff: is greater than 'max_backoff'; lower it or raise 'max_backoff'"),
            MistakeCase(
                withModel("retry: {initial_backoff: 9}"),
                "2: retry.initial_backoff: is greater than 'max_backoff'; lower it or raise 'max_backoff'"),
            MistakeCase(
                "retry: {max_backoff: 2}\n" + withConfig("retry: {initial_backoff: 3}"),
                "2: generation.config.retry.initial_backoff: is greater than 'max_backoff'; lower it or raise "
                    + "'max_backoff'"),

            // Tokens
            MistakeCase(
                withModel("server: {token: \"739100000000000\"}"),
                "2: server.token: a token must have at least 16 characters; generate one with: openssl rand -hex 32"),
            MistakeCase(
                withModel("server: {tokens: {a: \"739100000000000\"}}"),
                "2: server.tokens.a: a token must have at least 16 characters; generate one with: openssl rand "
                    + "-hex 32"),
            MistakeCase(
                withModel("server:\n  token: t23456789abcdefg\n  tokens: {default: t23456789abcdefh}"),
                "4: server.tokens: 'default' is reserved for 'server.token'; choose another name"),

            MistakeCase(
                withModel("server: {tokens: t23456789abcdefg}"),
                "2: server.tokens: expected a map of names to tokens, found something else (not shown: it may be "
                    + "secret)"),
            MistakeCase(
                withConfig("extra_headers: \"x-api-key: hunter2\""),
                "1: generation.config.extra_headers: expected a map, found something else (not shown: it may be "
                    + "secret)"),

            // Models
            MistakeCase(
                "generation: {provider: opnai, config: {model_name: a}}",
                "1: generation.provider: unknown provider \"opnai\"; did you mean 'openai'?"),
            MistakeCase(
                "models:\n  m: {config: {}}", "2: models.m.provider: is missing",
                "2: models.m.config.model_name: is missing"),
            MistakeCase("models:\n  m: {provider: groq}", "2: models.m.config: is missing"),
            MistakeCase("models:\n  m: text", "2: models.m: expected a map, found \"text\""),
            MistakeCase(
                withModel("models: {default: {provider: groq, config: {model_name: a}}}"),
                "2: models.default: 'default' is reserved for the 'generation' section; choose another name"),
            MistakeCase(
                "models: {\"a b\": {provider: groq, config: {model_name: a}}}",
                "1: models.a b: a name must have 1 to 128 bytes and no spaces or control characters"),
            MistakeCase(
                withConfig("auth: crp}}\nauth: {corp: {type: static, token: t"),
                "1: generation.config.auth: no entry of 'auth' has this name; did you mean 'corp'?"),
            MistakeCase(
                "generation: {provider: vertex, config: {model_name: m, region: \"a/b\"}}",
                "1: generation.config.region: expected letters, digits and '-._:' only, found \"a/b\""),
            MistakeCase(
                withConfig("region: a"),
                "1: generation.config.region: the provider 'openai' does not support this key; it belongs to vertex, "
                    + "anthropic_vertex"),
            MistakeCase(
                "models: {m: {provider: openia, config: {model_name: m, region: a, regoin: a}}}",
                "1: models.m.provider: unknown provider \"openia\"; did you mean 'openai'?",
                "1: models.m.config.regoin: unknown key; did you mean 'region'?"),
            MistakeCase(
                "models: {m: {provider: vertex, region: a, config: {model_name: m}}}",
                "1: models.m.region: unknown key; did you mean 'config.region'?"),
            MistakeCase(
                withConfig("extra_headers: {\"a b\": c, x: \"1\\r\\ny: 2\"}"),
                "1: generation.config.extra_headers.a b: a name must have 1 to 128 bytes and no spaces or control "
                    + "characters",
                "1: generation.config.extra_headers.x: contains a line break or another control character"),
            MistakeCase(withConfig("extra_body: [1]"), "1: generation.config.extra_body: expected a map, found a list"),
            MistakeCase(
                withConfig("extra_body: {a: [{b: .inf}]}"),
                "1: generation.config.extra_body.a[0].b: JSON cannot represent infinity or NaN"),

            // URLs
            MistakeCase(
                withConfig("api_base: api.openai.com"),
                "1: generation.config.api_base: expected a URL that begins with http:// or https://, found "
                    + "\"api.openai.com\""),
            MistakeCase(
                withConfig("api_base: \"https://me:pw@host/\""),
                "1: generation.config.api_base: the URL must not contain a user name or password; use 'auth' for "
                    + "credentials"),
            MistakeCase(
                withConfig("api_base: \"http://h:99999/\""),
                "1: generation.config.api_base: not a valid URL: the port must be from 1 to 65535"),
            MistakeCase(
                withConfig("api_base: \"http:///v1\""),
                "1: generation.config.api_base: not a valid URL: the host is missing"),

            // Names
            MistakeCase(
                withModel(
                    "models:\n  openai/gpt-4: {provider: groq, config: {model_name: a}}\n"
                        + "  mine/gpt-4: {provider: groq, config: {model_name: a}}\n"
                        + "routes: {vertex/x: {targets: [default]}}"),
                "3: models.openai/gpt-4: conflicts with models that callers address as 'openai/…'; choose a name "
                    + "that does not begin with 'openai/'",
                "5: routes.vertex/x: conflicts with models that callers address as 'vertex/…'; choose a name that "
                    + "does not begin with 'vertex/'"),
            MistakeCase(
                withModel("models: {a: {provider: groq, config: {model_name: a}}}\nroutes: {a: {targets: [default]}}"),
                "3: routes.a: a model already has this name; choose another"),

            // References
            MistakeCase(
                withModel("routes: {r: {targets: [defalt]}}"),
                "2: routes.r.targets[0]: no model has this name; did you mean 'default'?"),
            MistakeCase(
                withModel("routes: {r: {targets: [{model: x, weight: 0}]}}"),
                "2: routes.r.targets[0].weight: expected a whole number from 1 to 1000000, found \"0\"",
                "2: routes.r.targets[0].model: no model has this name; valid: default"),
            MistakeCase(
                withModel("routes: {r: {strategy: loadbalance, targets: []}}"),
                "2: routes.r.strategy: expected one of fallback, weighted, round_robin, found \"loadbalance\"",
                "2: routes.r.targets: the list is empty; a route needs at least one model"),
            MistakeCase(withModel("routes: {r: {}}"), "2: routes.r.targets: is missing"),
            MistakeCase(
                withModel("routes:\n  r: {targets: [default, default]}\n  s: {targets: [r]}"),
                "3: routes.r.targets[1]: duplicate target",
                "4: routes.s.targets[0]: is a route; only models can be targets"),
            MistakeCase(
                withModel("routes: {default: {targets: [default]}}"),
                "2: routes.default: a model already has this name; choose another"),
            MistakeCase(
                withModel("routes: {main: {targets: [default]}}\ngenerators: {g: {model: man}}"),
                "3: generators.g.model: no model or route has this name; did you mean 'main'?"),
            MistakeCase(
                "models: {m: {provider: groq, config: {model_name: a}}}\ngenerators: {g: {}}",
                "2: generators.g.model: no model or route has this name; valid: m"),
        ])
    func table(_ example: MistakeCase) {
        #expect(mistakes(example.text) == example.expected)
    }

    @Test(
        "of addresses",
        arguments: [
            ("listen: [http://x]", "server.listen[0]: expected unix:PATH or tcp:HOST:PORT"),
            ("listen: [\"unix:\"]", "server.listen[0]: the path after 'unix:' is missing"),
            (
                "listen: [\"unix:\(String(repeating: "a", count: 108))\"]",
                "server.listen[0]: the path has 108 bytes; the limit for Unix sockets is 107"
            ),
            (
                "listen: [\"tcp:127.0.0.1:65536\"]",
                "server.listen[0]: expected tcp:HOST:PORT with a port from 0 to 65535, an IPv6 host in brackets"
            ),
            (
                "listen: [\"tcp:::1:80\"]",
                "server.listen[0]: expected tcp:HOST:PORT with a port from 0 to 65535, an IPv6 host in brackets"
            ),
            ("listen: [\"unix:a\", \"unix:a\"]", "server.listen[1]: duplicate address"),
            (
                "listen: [\"tcp:0.0.0.0:1\"]",
                "server.listen[0]: other machines can reach this address; set 'server.tokens', or listen on a "
                    + "loopback address such as 127.0.0.1"
            ),
            (
                "admin: \"127.0.0.1:80\", listen: [\"tcp:127.0.0.1:80\"]",
                "server.listen[0]: 'server.admin' uses the same address"
            ),
            ("admin: 7412", "server.admin: expected HOST:PORT, for example 127.0.0.1:7412, found \"7412\""),
        ])
    func addresses(_ server: String, _ expected: String) {
        #expect(mistakes(withModel("server: {\(server)}")) == ["config.yaml:2: " + expected])
    }

    @Test("are absent from good addresses")
    func goodAddresses() throws {
        let configuration = try parse(
            withModel(
                "server: {listen: [\"tcp:[::1]:0\", \"tcp:localhost:1\", \"tcp:0.0.0.0:2\"], token: t23456789abcdefg}"))
        #expect(configuration.server.listen == ["tcp:[::1]:0", "tcp:localhost:1", "tcp:0.0.0.0:2"])
        #expect(configuration.server.tokens.first?.token.reveal() == "t23456789abcdefg")
        #expect(try parse(withModel("server: {listen: unix:a}")).server.listen == ["unix:a"])
        let long = "unix:" + String(repeating: "a", count: 107)
        #expect(try parse(withModel("server: {listen: [\"\(long)\"]}")).server.listen == [long])
    }

    @Test(
        "of files without a model say what the smallest file is",
        arguments: ["", "\n# nothing\n", "---\n...\n", "{}", "models: {}", "models:", "null"])
    func noModel(_ text: String) {
        #expect(
            mistakes(text).map { $0.split(separator: ": ", maxSplits: 1).last.map(String.init) } == [
                "generation: no model is configured; a minimal configuration is 'generation: {provider: openai, "
                    + "config: {model_name: MODEL, api_key: \"${OPENAI_API_KEY}\"}}'"
            ])
    }

    @Test("are all told, in the order of the lines, but not without end")
    func all() {
        let text = withModel("loq: 1\nretry: {max_attempts: x}\nmodels: {m: {provider: q}}\nlogg: {}")
        #expect(mistakes(text).map { $0.split(separator: ":")[1] } == ["2", "3", "4", "4", "5"])
        let many = withModel((1...300).map { "k\($0): 1" }.joined(separator: "\n"))
        #expect(mistakes(many).count == 101)
        #expect(mistakes(many).last == "config.yaml: 200 more mistakes")
    }

    @Test("of the file itself")
    func file() {
        do {
            _ = try Configuration.load(path: "/nonexistent/c.yaml", environment: [:], knownProviders: providers)
            Issue.record("no error")
        } catch {
            #expect(error.description == "/nonexistent/c.yaml: the file cannot be read: No such file or directory")
        }
        do {
            _ = try Configuration.load(path: "/tmp", environment: [:], knownProviders: providers)
            Issue.record("no error")
        } catch {
            #expect(error.description == "/tmp: the file cannot be read: Is a directory")
        }
    }
}
