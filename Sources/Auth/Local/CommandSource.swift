internal import Config
internal import Generation
internal import JSON

/// A program that prints a token, or JSON that holds one.
struct CommandSource: TokenSource {
    /// Seconds that the program may run; a little less than a refresh may take, so that it is ended in time.
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
            throw run.failure(.authentication, "the command printed something that is not a JSON object")
        }
        var paths = TokenPaths()
        // What the vendors' own programs print.
        let usual = ["access_token", "accessToken", "token"].first { answer.at($0)?.string != nil }
        paths.token = command.tokenPath ?? usual ?? paths.token
        if let expiry = command.expiryPath { paths.expiry = expiry }
        return try run.token(in: answer, paths, from: "the command")
    }
}
