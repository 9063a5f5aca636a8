internal import Glibc

/// Where a secret comes from: `KEY`, `{file: PATH}` or `{command: [PROGRAM, ARGUMENT, …]}`.
public enum SecretSource: Sendable {
    /// The secret itself.
    case value(Secret)
    /// A file that holds nothing else; line breaks at its end do not count. Relative to the working directory.
    case file(path: String)
    /// A program that prints it; no shell is involved. Line breaks at the end of its output do not count.
    case command([String])

    /// The largest secret, in bytes.
    public static let maximumSize = 64 << 10
    /// How long a command may take, in seconds.
    public static let commandTimeout: Double = 10

    /// Fetches the secret. It blocks: a file is read, a command runs for up to `commandTimeout`.
    /// - Parameters:
    ///   - environment: the environment of the command.
    ///   - scope: can terminate the command early.
    /// - Throws: `SecretError` if the secret cannot be obtained or is empty.
    public func resolve(
        environment: [String: String], scope: CommandScope = CommandScope()
    ) throws(SecretError) -> Secret {
        var bytes: [UInt8]
        let origin: String
        switch self {
        case .value(let secret):
            return secret
        case .file(let path):
            origin = "the file '\(Path.printable(path, limit: 200))'"
            do {
                bytes = try FileContents.read(path, limit: Self.maximumSize, onlyRegular: true)
            } catch {
                throw SecretError("\(origin) \(error.reason)")
            }
        case .command(let arguments):
            origin = "the output of the command"
            bytes = try SecretCommand.run(
                arguments, environment: environment, timeout: Self.commandTimeout, scope: scope)
        }
        defer { bytes.withUnsafeMutableBytes { if let start = $0.baseAddress { explicit_bzero(start, $0.count) } } }
        let end = bytes.lastIndex { $0 != UInt8(ascii: "\n") && $0 != UInt8(ascii: "\r") }
        guard let end else { throw SecretError("\(origin) is empty") }
        return Secret(bytes[...end])
    }
}
