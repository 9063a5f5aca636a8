internal import Config
internal import Encodings
internal import Generation

/// What the two providers on Vertex AI share: hosts, projects and locations.
enum GoogleCloud {
    /// `https://HOST/VERSION/projects/PROJECT/locations/LOCATION`, without `/` at its end.
    /// - Parameters:
    ///   - locationVariables: the environment variables that name the location by custom.
    ///   - projectVariables: those that name the project.
    /// - Throws: `.invalidRequest` where the project is not known.
    static func parent(
        _ model: ModelConfiguration, projectVariables: [String], locationVariables: [String], defaultLocation: String
    ) throws(GenerationError) -> String {
        guard let project = model.projectID ?? Environment.first(projectVariables) else {
            throw GenerationError(
                .invalidRequest,
                "\(model.name): no project: set 'project_id' in the model's config, or the environment variable "
                    + (projectVariables.first ?? ""))
        }
        let location = model.region ?? Environment.first(locationVariables) ?? defaultLocation
        return "\(base(model, location: location))/projects/\(PercentEncoding.segment(project))/locations/"
            + PercentEncoding.segment(location)
    }

    /// Scheme, host and version. An `api_base` that ends with a version brings its own.
    private static func base(_ model: ModelConfiguration, location: String) -> String {
        let version = model.apiVersion ?? "v1"
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
