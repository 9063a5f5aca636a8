/// Reads the whole file: first its sections, then the references between them.
struct ConfigurationReader {
    let reading: Reading

    /// The result for one model. A broken model still counts as defined, so that references to it are not reported too.
    private struct ModelState {
        var model: ModelConfiguration?
        let cursor: Cursor
        /// The position among the models of the file.
        let order: Int
    }

    private struct AuthState {
        var auth: AuthConfiguration?
        /// The environment variables that it lacks.
        var missing: [Reading.Problem]
    }

    func read(_ root: Cursor) -> Configuration {
        var configuration = Configuration()
        guard let section = root.section(keys: Configuration.sections) else { return configuration }
        _ = section.read(into: &configuration)
        var models = models(section, configuration)
        let auth = auth(section)
        checkAuthReferences(&models, auth)
        configuration.allModels = models.values.sorted { $0.order < $1.order }.compactMap(\.model)
        configuration.auth = auth.compactMapValues(\.auth)
        let routes = section[Configuration.routeEntries]?.named() ?? []
        readRoutes(routes, models, into: &configuration)
        readGenerators(section, Set(models.keys).union(routes.map(\.name)), into: &configuration)
        return configuration
    }

    // MARK: Models

    private func models(_ section: Section, _ configuration: Configuration) -> [String: ModelState] {
        let reader = ModelReader(configuration, providers: reading.knownProviders)
        var models: [String: ModelState] = [:]
        if let generation = section[Configuration.generation] {
            models[Configuration.defaultModelName] = model(
                generation, Configuration.defaultModelName, order: 0, reader)
        }
        let entries = section[Configuration.modelEntries]
        let named = entries?.named() ?? []
        for (name, cursor) in named {
            guard name != Configuration.defaultModelName else {
                cursor.report("'default' is reserved for the 'generation' section; choose another name")
                continue
            }
            checkName(name, cursor)
            models[name] = model(cursor, name, order: models.count + 1, reader)
        }
        if models.isEmpty, entries.map({ $0.node.isEmpty }) ?? true {
            section.reportMissing(
                Configuration.generation.name,
                "no model is configured; a minimal configuration is 'generation: {provider: openai, "
                    + "config: {model_name: MODEL, api_key: \"${OPENAI_API_KEY}\"}}'")
        }
        return models
    }

    /// Reports a name that would collide with the `provider/model_name` form, by which callers address unlisted models.
    private func checkName(_ name: String, _ cursor: Cursor) {
        guard let slash = name.firstIndex(of: "/") else { return }
        let provider = String(name[..<slash])
        guard reading.knownProviders.contains(where: { $0.name == provider }) else { return }
        cursor.report(
            "conflicts with models that callers address as '\(provider)/…'; choose a name that does not begin with "
                + "'\(provider)/'")
    }

    private func model(_ cursor: Cursor, _ name: String, order: Int, _ reader: ModelReader) -> ModelState {
        var (model, problems) = reading.capturing { reader.read(cursor, name: name) }
        if model?.isOptional == true {
            model?.unconfiguredReason = problems.first { $0.isMissingVariable }.map(Self.reason)
            problems.removeAll { $0.isMissingVariable }
        }
        reading.report(problems)
        return ModelState(model: model, cursor: cursor, order: order)
    }

    private static func reason(_ problem: Reading.Problem) -> String {
        "\(problem.error.key): \(problem.error.message)"
    }

    // MARK: Credentials

    private func auth(_ section: Section) -> [String: AuthState] {
        var auth: [String: AuthState] = [:]
        for (name, cursor) in section[Configuration.authEntries]?.named() ?? [] {
            let (value, problems) = reading.capturing { AuthReader.read(cursor, name: name) }
            reading.report(problems.filter { !$0.isMissingVariable })
            let missing = problems.filter(\.isMissingVariable)
            auth[name] = AuthState(auth: missing.isEmpty ? value : nil, missing: missing)
        }
        return auth
    }

    /// Checks the models' `auth`. An environment variable that a credential lacks is an error, unless only optional
    /// models use the credential; those models are left out.
    private func checkAuthReferences(_ models: inout [String: ModelState], _ auth: [String: AuthState]) {
        var excused: Set<String> = []
        var wanted: Set<String> = []
        for (name, state) in models {
            guard let model = state.model, let reference = model.auth else { continue }
            guard let target = auth[reference] else {
                let node = state.cursor.node["config"]?["auth"] ?? state.cursor.node
                let cursor = Cursor(node: node, path: "\(state.cursor.path).config.auth", reading: reading)
                cursor.report("no entry of 'auth' has this name\(hint(cursor, reference, auth.keys))")
                continue
            }
            if model.isOptional {
                excused.insert(reference)
                if model.unconfiguredReason == nil {
                    models[name]?.model?.unconfiguredReason = target.missing.first.map(Self.reason)
                }
            } else {
                wanted.insert(reference)
            }
        }
        for (name, state) in auth where wanted.contains(name) || !excused.contains(name) {
            reading.report(state.missing)
        }
    }

    // MARK: Routes and generators

    private func readRoutes(
        _ routes: [(name: String, value: Cursor)], _ models: [String: ModelState],
        into configuration: inout Configuration
    ) {
        let routeNames = Set(routes.map(\.name))
        for (name, cursor) in routes {
            if name == Configuration.defaultModelName || models[name] != nil {
                cursor.report("a model already has this name; choose another")
            }
            checkName(name, cursor)
            guard let section = cursor.section(keys: RouteConfiguration.keys.map(\.info)) else { continue }
            var route = RouteConfiguration(name: name, targets: [])
            _ = section.read(into: &route)
            let list = section[RouteConfiguration.targets.name]
            let items = list?.items(of: "models") ?? []
            if let targets = list, case .sequence([]) = targets.node.value {
                targets.report("the list is empty; a route needs at least one model")
            }
            if items.count > RouteConfiguration.maximumTargets {
                list?.report("more than \(RouteConfiguration.maximumTargets) models")
            }
            for item in items.prefix(RouteConfiguration.maximumTargets) {
                guard let (target, cursor) = item.target() else { continue }
                if models[target.model] == nil, routeNames.contains(target.model) {
                    cursor.report("is a route; only models can be targets")
                } else if models[target.model] == nil {
                    cursor.report("no model has this name\(hint(cursor, target.model, models.keys))")
                } else if route.targets.contains(where: { $0.model == target.model }) {
                    cursor.report("duplicate target")
                }
                route.targets.append(target)
            }
            configuration.routes.append(route)
        }
    }

    private func readGenerators(_ section: Section, _ names: Set<String>, into configuration: inout Configuration) {
        for (name, cursor) in section[Configuration.generatorEntries]?.named() ?? [] {
            var generator = GeneratorConfiguration(name: name)
            guard cursor.read(into: &generator) else { continue }
            configuration.generators[name] = generator
            guard !names.contains(generator.model) else { continue }
            let node = cursor.node["model"] ?? cursor.node
            let reference = Cursor(node: node, path: "\(cursor.path).model", reading: reading)
            reference.report("no model or route has this name\(hint(reference, generator.model, names))")
        }
    }

    /// Suggests the nearest name, unless the misspelt one came from the environment.
    private func hint(_ cursor: Cursor, _ name: String, _ names: some Collection<String>) -> String {
        if case .scalar(let scalar) = cursor.node.value, scalar.text != name { return "" }
        return reading.hint(for: name, among: names.sorted())
    }
}

extension Cursor {
    /// A route's target, `NAME` or `{model: NAME, weight: N}`, and where the name is.
    fileprivate func target() -> (RouteConfiguration.Target, Cursor)? {
        guard case .mapping = node.value else { return text().map { (RouteConfiguration.Target(model: $0), self) } }
        guard let section = section(keys: RouteConfiguration.Target.keys.map(\.info)) else { return nil }
        var target = RouteConfiguration.Target.standard
        guard section.read(into: &target), let name = section["model"] else { return nil }
        return (target, name)
    }
}
