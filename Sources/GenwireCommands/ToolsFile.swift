internal import ArgumentParser
internal import Encodings
internal import Generation
internal import JSON

/// Parses the file of `--tools`: a tool or a list of tools, in Genwire's format or in OpenAI's.
///
/// ```
/// {"name": …, "description": …, "parameters": {…}, "strict": …}
/// {"type": "function", "function": {"name": …, …}}
/// {"builtin": TYPE, "config": {…}}
/// ```
/// The last form is a built-in tool of the provider. Unknown keys are errors, because a misspelt one would silently
/// produce a tool without parameters.
struct ToolsFile {
    private static let keys = ["name", "description", "parameters", "strict"]

    /// The file's path, for error messages.
    let path: String

    /// Parses the contents of the file.
    /// - Throws: `ValidationError` that names the tool and the key.
    func tools(_ bytes: [UInt8]) throws -> [Tool] {
        let value: JSONValue
        do throws(JSONError) {
            value = try JSONValue(parsing: bytes)
        } catch {
            throw ValidationError("--tools \(path): not JSON: \(error)")
        }
        return try (value.array ?? [value]).enumerated().map { try tool($1, "tool \($0 + 1)") }
    }

    private func tool(_ value: JSONValue, _ place: String) throws -> Tool {
        guard value.members != nil else { throw mistake(place, "expected an object") }
        if let builtin = value["builtin"] { return try self.builtin(builtin, value, place) }
        if let type = value["type"], type.string != "function" {
            throw mistake(
                place,
                "type: expected \"function\"; a provider's built-in tool is {\"builtin\": TYPE, \"config\": {…}}")
        }
        guard let function = value["function"] else {
            return try definition(value, place, keys: Self.keys + ["type"])
        }
        try check(value, place, keys: ["type", "function"])
        guard function.members != nil else { throw mistake(place, "function: expected an object") }
        return try definition(function, place, keys: Self.keys)
    }

    private func builtin(_ builtin: JSONValue, _ value: JSONValue, _ place: String) throws -> Tool {
        try check(value, place, keys: ["builtin", "config"])
        guard let type = builtin.string, !type.isEmpty else { throw mistake(place, "builtin: expected text") }
        guard let config = present(value, "config") else { return Tool(builtin: BuiltinTool(type: type)) }
        guard config.members != nil else { throw mistake(place, "config: expected an object") }
        return Tool(builtin: BuiltinTool(type: type, configJSON: config.text))
    }

    private func definition(_ value: JSONValue, _ place: String, keys: [String]) throws -> Tool {
        try check(value, place, keys: keys)
        guard let name = value["name"]?.string, !name.isEmpty else { throw mistake(place, "name is missing") }
        var tool = Tool(name: name, description: "", parametersJSON: "", strict: nil)
        if let description = present(value, "description") {
            guard let text = description.string else { throw mistake(place, "description: expected text") }
            tool.description = text
        }
        if let parameters = present(value, "parameters") {
            guard parameters.members != nil else { throw mistake(place, "parameters: expected a JSON Schema object") }
            tool.parametersJSON = parameters.text
        }
        if let strict = present(value, "strict") {
            guard let isStrict = strict.bool else { throw mistake(place, "strict: expected true or false") }
            tool.strict = isStrict
        }
        return tool
    }

    /// The value of a key; `nil` if it is absent or `null`.
    private func present(_ value: JSONValue, _ key: String) -> JSONValue? {
        guard let found = value[key], !found.isNull else { return nil }
        return found
    }

    private func check(_ value: JSONValue, _ place: String, keys: [String]) throws {
        var seen: Set<String> = []
        for (key, _) in value.members ?? [] {
            let shown = String(key.prefix(40))
            guard keys.contains(key) else {
                throw mistake(place, "unknown key '\(shown)'\(NearestName.hint(for: key, among: keys))")
            }
            guard seen.insert(key).inserted else { throw mistake(place, "duplicate key '\(shown)'") }
        }
    }

    private func mistake(_ place: String, _ message: String) -> ValidationError {
        ValidationError("--tools \(path): \(place): \(message)")
    }
}
