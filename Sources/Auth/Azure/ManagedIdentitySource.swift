internal import Config
internal import Encodings
internal import Generation

/// The managed identity of an Azure machine. Uses the App Service endpoint if IDENTITY_ENDPOINT and IDENTITY_HEADER are
/// set, otherwise the instance metadata service (IMDS) of virtual machines.
struct ManagedIdentitySource: TokenSource {
    private static let path = "/metadata/identity/oauth2/token"

    let identity: AuthConfiguration.AzureManagedIdentity

    func fetch(_ run: RefreshRun) async throws(AuthFailure) -> FetchedToken {
        var request: TokenRequest
        if let header = run.variable("IDENTITY_HEADER"),
            let endpoint = identity.endpoint ?? run.variable("IDENTITY_ENDPOINT")
        {
            request = TokenRequest(url: endpoint + query("2019-08-01", after: endpoint), isLocal: true)
            request.headers.append(("X-IDENTITY-HEADER", header))
            request.redaction.add(header)
        } else {
            let endpoint = machineEndpoint(run)
            request = TokenRequest(url: endpoint + query("2018-02-01", after: endpoint), isLocal: true)
            request.headers.append(("Metadata", "true"))
        }
        return try await run.token(
            request, advice: "check that an identity is assigned to this machine, and client_id if it has several")
    }

    /// The URL of the metadata service. An endpoint that has a path is used as it is.
    private func machineEndpoint(_ run: RefreshRun) -> String {
        var endpoint =
            identity.endpoint ?? run.variable("AZURE_POD_IDENTITY_AUTHORITY_HOST") ?? "http://169.254.169.254"
        if !endpoint.contains("://") { endpoint = "http://" + endpoint }
        endpoint = WebAddress.withoutSlash(endpoint)
        let hasPath = endpoint.split(separator: "/", omittingEmptySubsequences: true).count > 2
        return hasPath ? endpoint : endpoint + Self.path
    }

    private func query(_ version: String, after endpoint: String) -> String {
        var query = "\(endpoint.contains("?") ? "&" : "?")api-version=\(version)&resource="
        query += PercentEncoding.encode(resource)
        if let id = identity.clientID { query += "&client_id=\(PercentEncoding.encode(id))" }
        return query
    }

    /// The resource; these endpoints take a resource and not a scope.
    private var resource: String {
        let resource = identity.resource ?? Azure.resource
        return resource.hasSuffix("/.default") ? String(resource.dropLast("/.default".count)) : resource
    }
}
