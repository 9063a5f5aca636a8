package import Config

extension ConfiguredModel {
    /// How long before its retirement a model is warned of, in days.
    private static let noticeDays = 60

    /// What the operator should know of the model of a section: that it is retired, retires soon, or that its facts are
    /// a guess; `nil` if there is nothing.
    package static func notice(of model: ModelConfiguration, in catalogue: Catalogue, today: Day) -> String? {
        guard let facts = facts(model, in: catalogue) else { return nil }
        let name = "\(model.name): \(model.provider)/\(model.modelName)"
        if let text = facts.retiresOn, let day = Day(text) {
            let left = day.number - today.number
            if left <= 0 { return "\(name) was retired on \(text): choose another model" }
            if left <= noticeDays { return "\(name) retires on \(text), in \(left) days: choose another model" }
        }
        // A compatible server has models of its own.
        let isOwnServer = model.apiBase != nil
        let remedy = "check the name, or describe the model in a file under 'catalogue.files'"
        switch facts.origin {
        case .listed: return nil
        case .alias(let means):
            return "\(name) is taken for \(means), by its name: set 'base_model' to what the deployment runs"
        case .family where model.provider == "azure_openai":
            return "\(name) is unknown and treated as the newest models: set 'base_model' to what the deployment runs"
        case .family: return "\(name) is unknown and treated as the newest of its family: \(remedy)"
        case .unknown: return isOwnServer ? nil : "\(name) is unknown: \(remedy)"
        }
    }
}
