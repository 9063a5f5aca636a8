/// What a model supports, from what the wire format can express and what the catalogue knows.
struct Offer {
    /// What a request may ask for: anything else is refused here, or dropped if the caller wishes.
    private(set) var possible: Capabilities
    /// What the vendor refuses or ignores. An option that the caller sets is sent anyway, so that the vendor can report
    /// what is wrong with it, unless the caller sets `drop_unsupported`; a configured default is withheld.
    private(set) var refused: Capabilities = []

    /// - Parameter fetchesURLs: whether images and documents are fetched for a model that accepts no URLs.
    init(wire: Capabilities, _ facts: ModelFacts, fetchesURLs: Bool = false) {
        possible = wire
        if !facts.jsonSchema { possible.remove(.jsonSchema) }
        if !facts.jsonObject { possible.remove(.jsonObject) }
        if !facts.acceptsURLs {
            possible.subtract(fetchesURLs ? .audioURLs : [.imageURLs, .fileURLs, .audioURLs])
        }
        let reasoning = facts.reasoning
        if !reasoning.isPossible { possible.subtract([.effort, .thinkingBudget]) }
        refuse(.thinkingBudget, unless: reasoning.control == .budget || reasoning.acceptsBudget)
        refuse(.tools, unless: facts.tools)
        refuse(.parallelControl, unless: facts.parallelToolCalls)
        refuse(.temperature, unless: facts.temperature)
        refuse(.topP, unless: facts.topP)
        refuse(.topK, unless: facts.topK)
        refuse([.temperature, .topP], unless: facts.acceptsSampling(effort: reasoning.defaultEffort))
        refuse(.stop, unless: facts.stop)
        refuse(.seed, unless: facts.seed)
        refuse(.penalties, unless: facts.penalties)
        guard let input = facts.input else { return }
        refuse(.images, unless: input.contains(.image))
        refuse([.fileData, .fileURLs], unless: input.contains(.pdf))
        refuse([.audioData, .audioURLs], unless: input.contains(.audio))
    }

    private mutating func refuse(_ capabilities: Capabilities, unless isAccepted: Bool) {
        if !isAccepted { refused.formUnion(capabilities.intersection(possible)) }
    }
}

extension ModelFacts {
    /// Whether temperature and top_p are accepted in a request with this effort.
    func acceptsSampling(effort: Reasoning.Effort?) -> Bool { Self.holds(sampling, effort: effort) }

    /// Whether `condition` holds for a request with this effort.
    static func holds(_ condition: Condition, effort: Reasoning.Effort?) -> Bool {
        switch condition {
        case .always: true
        case .withoutReasoning: effort == Optional.some(.none)
        case .never: false
        }
    }
}
