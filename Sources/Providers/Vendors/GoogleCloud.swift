package import Config
internal import Encodings
internal import Generation

/// The keys, hosts, projects and locations that both providers on Vertex AI share.
package enum GoogleCloud {
    /// The project.
    package static let projectID = ProviderKey<String>(
        "project_id", .identifier, default: "`GOOGLE_CLOUD_PROJECT` and others of the environment", isConnection: true,
        "The Google Cloud project; required if the environment does not name one.")
    /// The region.
    package static let region = ProviderKey<String>(
        "region", .identifier,
        default: "the environment's, else one that serves the model: see [models.md](models.md)", isConnection: true,
        "The location: a region, `us`, `eu` or `global`.")
    /// The version of the API.
    private static let apiVersion = ProviderKey<String>(
        "api_version", .identifier, default: "`v1`", isConnection: true, "The version of Vertex AI's API.")

    /// The keys of both.
    static let keys = [projectID.declaration, region.declaration, apiVersion.declaration]

    /// `https://HOST/VERSION/projects/PROJECT/locations/LOCATION`, without a trailing `/`.
    /// - Parameters:
    ///   - defaultLocation: the model's own; `nil` for the global endpoint.
    ///   - locationVariables: the environment variables that may name the location, in order of precedence.
    ///   - projectVariables: those that may name the project, in order of precedence.
    /// - Throws: `.invalidRequest` if neither the configuration nor the environment names the project.
    static func parent(
        _ model: ModelConfiguration, projectVariables: [String], locationVariables: [String], defaultLocation: String?
    ) throws(GenerationError) -> String {
        guard let project = model[projectID] ?? Environment.first(projectVariables) else {
            throw GenerationError(
                .invalidRequest,
                "\(model.name): no project: set 'project_id' in the model's config, or the environment variable "
                    + (projectVariables.first ?? ""))
        }
        let location = model[region] ?? Environment.first(locationVariables) ?? defaultLocation ?? "global"
        return "\(base(model, location: location))/projects/\(PercentEncoding.segment(project))/locations/"
            + PercentEncoding.segment(location)
    }

    /// Scheme, host and version. A version at the end of `api_base` takes precedence over `api_version`.
    private static func base(_ model: ModelConfiguration, location: String) -> String {
        let version = model[apiVersion] ?? "v1"
        guard let base = model.apiBase else { return "https://\(host(location))/\(version)" }
        let hasVersion = ["/v1", "/v1beta1"].contains { base.hasSuffix($0) }
        return hasVersion ? base : "\(base)/\(version)"
    }

    /// The host of a region, of a multi-region, or of the global endpoint.
    static func host(_ location: String) -> String {
        switch location {
        case "global": "aiplatform.googleapis.com"
        case "us", "eu": "aiplatform.\(location).rep.googleapis.com"
        default: "\(location)-aiplatform.googleapis.com"
        }
    }
}
