internal import Config
internal import Providers

/// How calls are answered under one configuration: which stages stand before the models, and which around each of them.
/// A further stage has its line here, and its file beside this one; one that a configuration does not ask for is left
/// out and costs nothing.
struct Plan: Sendable {
    /// The stages of one model, from the inside out. Called once per model and configuration.
    func stack(for model: ConfiguredModel) -> any Answerer {
        let attempt = AttemptStage(model: model)
        return RetryStage(policy: RetryPolicy(model.configuration.retry), inner: attempt)
    }

    /// The stages of every call, from the inside out. Called once per configuration.
    func entry(to catalog: Catalog) -> any Answerer {
        RouteStage(catalog: catalog)
    }
}
