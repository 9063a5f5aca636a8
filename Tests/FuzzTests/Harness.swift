import Config
import Foundation

@testable import Providers

/// The CPU time limit per input in seconds, for a debug build on a slow machine.
let secondsPerInput = 2.0

/// The CPU time that this thread has used.
func threadSeconds() -> Double {
    var time = timespec()
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time)
    return Double(time.tv_sec) + Double(time.tv_nsec) / 1e9
}

/// A model of `provider` that nobody serves.
/// - Parameter provider: its name, or `NAME/responses` for its Responses API.
func fuzzModel(_ provider: String) -> ConfiguredModel? {
    let names = provider.split(separator: "/").map(String.init)
    var model = ModelConfiguration(name: "test", provider: names[0], modelName: "claude-or-gemini-2.5-or-o3")
    if names.count > 1 { model[APIChoice.key] = APIChoice(rawValue: names[1]) }
    model.apiBase = "http://127.0.0.1:1"
    model[GoogleCloud.projectID] = "p"
    model[GoogleCloud.region] = "r"
    model.apiKey = Secret("key-of-this-test")
    return try? ConfiguredModel(model, credentials: CredentialStore(Configuration(), environment: [:]))
}
