internal import Config
internal import Gateway
internal import Messages
internal import Providers

extension Catalog {
    /// The models that `question` asks for, the configured ones first, with the routes and providers.
    func list(_ question: ModelQuestion) -> ModelList {
        let pattern = question.pattern.isEmpty ? nil : NamePattern(part: question.pattern)
        func isWanted(_ names: String...) -> Bool {
            guard let pattern else { return true }
            return names.contains { pattern.matches($0.lowercased()) }
        }
        var list = ModelList()
        for model in models where isWanted(model.name, model.modelName) {
            var entry = ModelList.Model(
                name: model.name, provider: model.providerName, modelName: model.modelName,
                capabilities: model.capabilityNames, isDefault: model.name == Catalog.defaultName)
            entry.state(model.facts)
            list.models.append(entry)
        }
        for route in routes where isWanted(route.name) {
            list.routes.append(
                ModelList.Route(
                    name: route.name, strategy: route.strategy.rawValue, targets: route.models.map(\.name)))
        }
        list.providers = ProviderRegistry.all.map {
            ModelList.Provider(name: $0.name, capabilities: $0.capabilityNames)
        }
        guard question.all else { return list }
        for known in catalogue.known where isWanted("\(known.provider)/\(known.name)") {
            var entry = ModelList.Model(
                name: "\(known.provider)/\(known.name)", provider: known.provider, modelName: known.name,
                capabilities: known.capabilities, isDefault: false)
            entry.state(known.facts)
            list.models.append(entry)
        }
        return list
    }
}

extension ModelList.Model {
    fileprivate mutating func state(_ facts: ModelFacts) {
        contextWindow = facts.contextWindow ?? 0
        maxOutputTokens = facts.maxOutputTokens ?? 0
        retiresOn = facts.retiresOn ?? ""
        inputPrice = facts.prices.input
        outputPrice = facts.prices.output
        cachedInputPrice = facts.prices.cachedInput
        cacheWritePrice = facts.prices.cacheWrite
    }
}
