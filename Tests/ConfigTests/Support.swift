import Providers
import Testing

@testable import Config

/// The providers, each with its configuration keys.
let providers = ProviderRegistry.keys

/// Parses `text` as `config.yaml`.
func parse(_ text: String, _ environment: [String: String] = [:]) throws(ConfigErrors) -> Configuration {
    try Configuration.parse(
        Array(text.utf8), file: "config.yaml", environment: environment, knownProviders: providers)
}

/// The mistakes in `text`, one per line; empty if there are none.
func mistakes(_ text: String, _ environment: [String: String] = [:]) -> [String] {
    mistakes(Array(text.utf8), environment)
}

/// The mistakes in a file of raw bytes.
func mistakes(_ text: [UInt8], _ environment: [String: String] = [:]) -> [String] {
    do {
        _ = try Configuration.parse(
            text, file: "config.yaml", environment: environment, knownProviders: providers)
        return []
    } catch {
        return error.errors.map(\.description)
    }
}

/// A file with one valid model, followed by `more` from line 2 on.
func withModel(_ more: String) -> String {
    "generation: {provider: openai, config: {model_name: gpt-4, api_key: k}}\n" + more
}

/// A PEM file that starts like a certificate. Whether it forms a chain is left to the TLS library.
let samplePEM = """
    A comment, as `openssl x509 -text` writes one.
    -----BEGIN CERTIFICATE-----
    MIIBszCCAVmgAwIBAgIUQk1vY2stQ0EwCgYIKoZIzj0EAwIwDTELMAkGA1UEAwwC
    Y2EwHhcNMjQwMTAxMDAwMDAwWhcNMzQwMTAxMDAwMDAwWjANMQswCQYDVQQDDAJj
    -----END CERTIFICATE-----

    """

/// A file whose only model has `config` as its `config` map, in line 1.
func withConfig(_ config: String) -> String {
    "generation: {provider: openai, config: {model_name: gpt-4, \(config)}}"
}
