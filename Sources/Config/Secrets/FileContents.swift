internal import Glibc

/// Reads complete small files.
package enum FileContents {
    /// Why a file was not read; completes the sentence "the file …".
    package struct Failure: Error, Equatable {
        /// The problem.
        package let reason: String
    }

    /// All bytes of the file at `path`.
    /// - Parameters:
    ///   - limit: the most bytes; a larger file is an error.
    ///   - onlyRegular: rejects pipes and devices, which could block forever.
    package static func read(_ path: String, limit: Int, onlyRegular: Bool) throws(Failure) -> [UInt8] {
        guard !path.isEmpty, !path.utf8.contains(0) else { throw Failure(reason: "has an invalid name") }
        let file = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | (onlyRegular ? O_NONBLOCK : 0))
        guard file >= 0 else { throw failure() }
        defer { close(file) }
        var status = stat()
        guard fstat(file, &status) == 0 else { throw failure() }
        if onlyRegular, status.st_mode & S_IFMT != S_IFREG { throw Failure(reason: "is not a regular file") }

        var bytes: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 16 << 10)
        defer { chunk.withUnsafeMutableBytes { explicit_bzero($0.baseAddress!, $0.count) } }
        while true {
            let count = Glibc.read(file, &chunk, chunk.count)
            if count == 0 { return bytes }
            if count < 0 {
                if errno == EINTR { continue }
                throw failure()
            }
            bytes += chunk[..<count]
            guard bytes.count <= limit else { throw Failure(reason: "is larger than \(limit) bytes") }
        }
    }

    private static func failure() -> Failure {
        Failure(reason: "cannot be read: \(String(cString: strerror(errno)))")
    }
}
