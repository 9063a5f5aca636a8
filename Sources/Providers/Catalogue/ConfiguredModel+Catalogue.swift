package import Config

extension ConfiguredModel {
    /// The number of days before a model's retirement in which to warn of it.
    private static let noticeDays = 60

    /// Returns a warning if a configured model is retired, retires soon, or is unknown so that its facts are a guess;
    /// otherwise `nil`.
    package static func notice(of model: ModelConfiguration, in catalogue: Catalogue, today: Day) -> String? {
        guard let facts = facts(model, in: catalogue) else { return nil }
        let name = "\(model.name): \(model.provider)/\(model.modelName)"
        if let text = facts.retiresOn, let day = Day(text) {
            let left = day.number - today.number
            if left <= 0 { return "\(name) was retired on \(text): choose another model" }
            if left <= noticeDays { return "\(name) retires on \(text), in \(left) days: choose another model" }
        }
        // A compatible server has its own models.
        let isOwnServer = model.apiBase != nil
        let remedy = "check the name, or describe the model in a file under 'catalogue.files'"
        switch facts.origin {
        case .listed: return nil
        case .alias(let means):
            return "\(name) is assumed to run \(means) from its name: set 'base_model' to what the deployment runs"
        case .family where model.provider == "azure_openai":
            return "\(name) is unknown and treated as the newest models: set 'base_model' to what the deployment runs"
        case .family: return "\(name) is unknown and treated as the newest of its family: \(remedy)"
        case .unknown: return isOwnServer ? nil : "\(name) is unknown: \(remedy)"
        }
    }
}
