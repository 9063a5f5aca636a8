internal import Config
internal import Gateway
internal import Generation
internal import Messages
internal import Providers
internal import RPC

/// Asks the providers of several models whether they take their credentials, for `ValidateAuth` and a deep `Health`.
/// Held by its call's closures.
final class ProbeCall {
    private var findings: [AuthReport] = []
    private var waiting: Int
    private var probes: [ProviderQuery] = []
    private let completion: ([AuthReport]) -> Void

    /// Asks every one of `models` at the same time; `completion` hears all findings, in the models' order.
    static func start(
        _ call: Call, models: [ConfiguredModel], unconfigured: [(name: String, provider: String, reason: String)],
        context: ServiceLoop, _ completion: @escaping ([AuthReport]) -> Void
    ) {
        let probeCall = ProbeCall(waiting: models.count) { findings in
            let order = Dictionary(
                models.enumerated().map { ($1.name, $0) }, uniquingKeysWith: { first, _ in first })
            completion(
                findings.sorted { (order[$0.model] ?? .max) < (order[$1.model] ?? .max) }
                    + unconfigured.map {
                        AuthReport(
                            CredentialVerdict(unconfigured: $0.reason), of: $0.name, provider: $0.provider,
                            isOptional: true)
                    })
        }
        call.onCancel = { _ in for probe in probeCall.probes { probe.cancel() } }
        guard !models.isEmpty else { return probeCall.completion([]) }
        for model in models {
            let probe = ProviderQuery(model: model, context: context.providers)
            probeCall.probes.append(probe)
            probe.probe { error in
                probeCall.found(
                    AuthReport(
                        CredentialVerdict(model, probe: error), of: model.name, provider: model.providerName,
                        isOptional: model.configuration.isOptional))
            }
        }
    }

    private init(waiting: Int, _ completion: @escaping ([AuthReport]) -> Void) {
        self.waiting = waiting
        self.completion = completion
    }

    private func found(_ finding: AuthReport) {
        findings.append(finding)
        waiting -= 1
        if waiting == 0 { completion(findings) }
    }
}

extension AuthReport {
    fileprivate init(_ verdict: CredentialVerdict, of model: String, provider: String, isOptional: Bool) {
        self.init(
            model: model, provider: provider, isValid: verdict.isValid, status: verdict.status, detail: verdict.detail,
            expiresInSeconds: verdict.expiresInSeconds, lastError: verdict.lastError,
            secondsSinceRefresh: verdict.secondsSinceRefresh, isOptional: isOptional)
    }
}
