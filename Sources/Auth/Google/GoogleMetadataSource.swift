internal import Config
internal import Encodings
internal import Generation
internal import HTTPClient
internal import JSON

/// The metadata server of a Google Cloud machine.
struct GoogleMetadataSource: TokenSource {
    private static let path = "/computeMetadata/v1/instance/service-accounts/default/token"

    var metadata = AuthConfiguration.GoogleMetadata()

    func fetch(_ run: RefreshRun) async throws(AuthFailure) -> FetchedToken {
        var url = endpoint(run) + Self.path
        if let scope = metadata.scope {
            url +=
                "?scopes="
                + scope.split(separator: " ").map { PercentEncoding.encode(String($0)) }
                .joined(separator: ",")
        }
        var request = TokenRequest(url: url, isLocal: true)
        request.headers.append(("Metadata-Flavor", "Google"))
        let response = try await run.send(request)
        // Another server may answer at this address; its token must not be used.
        guard response.head.header("Metadata-Flavor") == "Google" else {
            throw run.failure(
                .authentication,
                "\(request.place) is not Google's metadata server (no 'Metadata-Flavor: Google' header); is this a "
                    + "Google Cloud machine?")
        }
        guard response.isGood else {
            throw run.refusal(response, request, advice: "check that a service account is attached to this machine")
        }
        guard let answer = try? JSONValue(parsing: response.body) else {
            throw run.failure(.providerUnavailable, "\(request.place) answered with a body that is not JSON")
        }
        return try run.token(in: answer, TokenPaths(), from: request.place)
    }

    /// Scheme and host of the server, from the configuration, GCE_METADATA_HOST or the default.
    private func endpoint(_ run: RefreshRun) -> String {
        var endpoint = metadata.endpoint ?? run.variable("GCE_METADATA_HOST") ?? "metadata.google.internal"
        if !endpoint.contains("://") { endpoint = "http://" + endpoint }
        return WebAddress.withoutSlash(endpoint)
    }
}
