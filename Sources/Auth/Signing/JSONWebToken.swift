internal import Config
internal import Encodings
internal import JSON

/// A signed JSON web token (RFC 7515, 7519).
enum JSONWebToken {
    /// Seconds by which `iat` and `nbf` are set in the past, to tolerate issuers whose clocks are slow.
    static let backdating = 10

    /// The compact serialization of `claims`, signed with `key`.
    /// - Parameter header: header members in addition to `alg` and `typ`.
    static func sign(
        _ claims: JSONValue, header: [(key: String, value: JSONValue)], with key: SigningKey,
        _ algorithm: SigningKey.Algorithm
    ) throws(SigningError) -> Secret {
        let header: [(key: String, value: JSONValue)] =
            [(key: "alg", value: .string(algorithm.rawValue)), (key: "typ", value: "JWT")] + header
        let signed =
            Base64.encodeForURL(JSONValue.object(header).text.utf8) + "." + Base64.encodeForURL(claims.text.utf8)
        let signature = try key.signature(of: Array(signed.utf8), algorithm)
        return Secret(signed + "." + Base64.encodeForURL(signature))
    }
}
