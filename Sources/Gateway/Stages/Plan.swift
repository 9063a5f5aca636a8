internal import Config
internal import Providers

/// The composition of stages for one configuration: those shared by all calls, and those of each model.
///
/// To add a stage, put it into a file in this folder and add it here. Leave it out if the configuration does not enable
/// it; it then costs nothing.
struct Plan: Sendable {
    /// Returns the stages of one model, listed from the inside out. Called once per model and configuration.
    func stack(for model: ConfiguredModel) -> any Answerer {
        let attempt = AttemptStage(model: model)
        return RetryStage(policy: RetryPolicy(model.configuration.retry), inner: attempt)
    }

    /// Returns the stages that every call enters, listed from the inside out. Called once per configuration.
    func entry(to catalog: Catalog) -> any Answerer {
        RouteStage(catalog: catalog)
    }
}
