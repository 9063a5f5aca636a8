internal import Glibc
internal import JSON

/// A recorded response: a folder with `response.meta.json` and `response.body`.
enum Recording {
    /// Reads PROVIDER/CASE in `folder`; `nil` if it does not exist or the name refers to a place outside `folder`.
    static func answer(_ name: String, in folder: String) -> SimulatedAnswer? {
        let parts = name.split(separator: "/")
        guard parts.count == 2, !name.contains(".."), !name.utf8.contains(0),
            let meta = file("\(folder)/\(name)/response.meta.json").flatMap({ try? JSONValue(parsing: $0) }),
            let body = file("\(folder)/\(name)/response.body")
        else { return nil }
        var answer = SimulatedAnswer()
        answer.status = meta["status"]?.int ?? 200
        answer.isStream = meta["stream"]?.bool ?? false
        // This server sets the length and framing itself.
        let own = ["content-length", "transfer-encoding", "content-encoding", "connection", "date", "server"]
        for header in meta["response_headers"]?.members ?? [] where !own.contains(header.key.lowercased()) {
            answer.headers.append((header.key, header.value.string ?? header.value.text))
        }
        answer.pieces = [SimulatedAnswer.Piece(bytes: body)]
        return answer
    }

    static func file(_ path: String) -> [UInt8]? {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { return nil }
        defer { close(descriptor) }
        var bytes: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 64 << 10)
        while true {
            let count = read(descriptor, &buffer, buffer.count)
            guard count >= 0 else { return nil }
            if count == 0 { return bytes }
            bytes += buffer[..<count]
        }
    }
}
