internal import Config
internal import Generation
internal import JSON

/// Runs a program that prints a token, or a JSON object that contains one.
struct CommandSource: TokenSource {
    /// Time limit of the program in seconds. Slightly shorter than that of a refresh, so that the error names the
    /// program.
    private static let timeout = SecretSource.commandTimeout * 0.95

    let command: AuthConfiguration.TokenCommand

    func fetch(_ run: RefreshRun) async throws(AuthFailure) -> FetchedToken {
        let (arguments, environment) = (command.arguments, run.environment)
        let timeout = min(Self.timeout, run.timeout * 0.95)
        let result = await run.blocking { () -> Result<[UInt8], SecretError> in
            do throws(SecretError) {
                return .success(try SecretCommand.run(arguments, environment: environment, timeout: timeout))
            } catch {
                return .failure(error)
            }
        }
        switch result {
        case .failure(let error): throw run.failure(.authentication, error.description)
        case .success(let output): return try read(output, run)
        }
    }

    private func read(_ output: [UInt8], _ run: RefreshRun) throws(AuthFailure) -> FetchedToken {
        let text = output.trimmed
        guard !text.isEmpty else { throw run.failure(.authentication, "the command printed nothing") }
        guard command.tokenPath != nil || command.expiryPath != nil || text.first == UInt8(ascii: "{") else {
            return FetchedToken(value: try run.checked(Secret(text), from: "the command"))
        }
        guard let answer = try? JSONValue(parsing: Array(text)), answer.members != nil else {
            throw run.failure(.authentication, "the command's output is not a JSON object")
        }
        var paths = TokenPaths()
        // The names that gcloud, az and other vendor programs use.
        let commonPath = ["access_token", "accessToken", "token"].first { answer.at($0)?.string != nil }
        paths.token = command.tokenPath ?? commonPath ?? paths.token
        if let expiry = command.expiryPath { paths.expiry = expiry }
        return try run.token(in: answer, paths, from: "the command")
    }
}
