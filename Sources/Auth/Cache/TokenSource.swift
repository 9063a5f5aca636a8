internal import Config

/// A way to get a token. Holds configuration only; whatever may change is read anew for each refresh.
protocol TokenSource: Sendable {
    /// Gets a token. Runs on the run's loop.
    func fetch(_ run: RefreshRun) async throws(AuthFailure) -> FetchedToken
}

extension AuthConfiguration.Method {
    /// How the token of an entry is fetched; `nil` where it is in the configuration itself.
    var tokenSource: (any TokenSource)? {
        switch self {
        case .apiKey, .static: nil
        case .coin(let client): ClientCredentialsSource(client: client)
        case .googleServiceAccount(let account): ServiceAccountSource(account: account)
        case .googleADC(let adc): DefaultCredentialsSource(adc: adc)
        case .googleMetadata(let metadata): GoogleMetadataSource(metadata: metadata)
        case .azureAD(let application): EntraSource(application: application)
        case .azureManagedIdentity(let identity): ManagedIdentitySource(identity: identity)
        case .command(let command): CommandSource(command: command)
        case .file(let path): FileSource(path: path)
        }
    }
}
