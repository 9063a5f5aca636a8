internal import Config
internal import Gateway
internal import Generation
internal import Messages
internal import Providers
internal import RPC

/// Probes the credentials of several models with their providers, for `ValidateAuth` and a deep `Health`. Owned by its
/// call's closures.
final class ProbeCall {
    private var reports: [AuthReport] = []
    private var pendingCount: Int
    private var probes: [ProviderQuery] = []
    private let completion: ([AuthReport]) -> Void

    /// Probes all `models` concurrently. `completion` is called once, with the reports in the models' order, followed
    /// by those of `unconfigured`.
    static func start(
        _ call: Call, models: [ConfiguredModel], unconfigured: [(name: String, provider: String, reason: String)],
        context: ServiceLoop, _ completion: @escaping ([AuthReport]) -> Void
    ) {
        let probeCall = ProbeCall(pendingCount: models.count) { reports in
            let order = Dictionary(
                models.enumerated().map { ($1.name, $0) }, uniquingKeysWith: { first, _ in first })
            completion(
                reports.sorted { (order[$0.model] ?? .max) < (order[$1.model] ?? .max) }
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
                probeCall.add(
                    AuthReport(
                        CredentialVerdict(model, probe: error), of: model.name, provider: model.providerName,
                        isOptional: model.configuration.isOptional))
            }
        }
    }

    private init(pendingCount: Int, _ completion: @escaping ([AuthReport]) -> Void) {
        self.pendingCount = pendingCount
        self.completion = completion
    }

    private func add(_ report: AuthReport) {
        reports.append(report)
        pendingCount -= 1
        if pendingCount == 0 { completion(reports) }
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
