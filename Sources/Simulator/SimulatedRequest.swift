internal import HTTPServer

/// A client's request.
struct SimulatedRequest {
    var method: String
    /// The path as sent, percent-encoded.
    let rawPath: String
    /// The decoded path, for comparison only; parse `rawPath` instead.
    let path: String
    /// The query's arguments, decoded.
    let query: [String: String]
    var headers: [String: String]
    var body: [UInt8]
    /// The model in the path (`models/MODEL:VERB`, `deployments/MODEL/…`), decoded and without directives.
    var pathModel: String?
    /// The verb after the model's colon in the path, for example `generateContent`.
    let verb: String?

    init(_ request: HTTPServerRequest) {
        method = request.method
        rawPath = request.rawPath
        query = request.query
        headers = request.headers
        body = request.body
        path = request.path
        let segments = rawPath.split(separator: "/")
        guard let place = segments.lastIndex(where: { $0 == "models" || $0 == "deployments" }),
            place + 1 < segments.count
        else {
            pathModel = nil
            verb = nil
            return
        }
        let name = segments[place + 1]
        // A colon in the model's name is percent-encoded.
        if let colon = name.lastIndex(of: ":") {
            pathModel = HTTPServerRequest.decoded(String(name[..<colon]))
            verb = String(name[name.index(after: colon)...])
        } else {
            pathModel = HTTPServerRequest.decoded(String(name))
            verb = nil
        }
    }
}
