internal import CCrypto
internal import Config

/// Why signing failed. `reason` completes the sentence "the key …" and never quotes the key.
struct SigningError: Error, Equatable {
    let reason: String
}

/// An RSA private key. libcrypto overwrites its memory when it is freed.
final class SigningKey {
    /// The supported JWT signature algorithms (RFC 7518 §3.1), both with SHA-256.
    enum Algorithm: String {
        /// PKCS #1 v1.5.
        case rs256 = "RS256"
        /// PSS.
        case ps256 = "PS256"
    }

    private let key: OpaquePointer

    /// Reads the first private key of a PEM text.
    /// - Throws: `SigningError` if there is none, if it is encrypted, or if it is not an RSA key.
    init(pem: Secret) throws(SigningError) {
        let key = pem.withUnsafeBytes { gw_crypto_read_key($0.baseAddress, Int32($0.count)) }
        guard let key else {
            throw SigningError(reason: "is not PEM ('-----BEGIN PRIVATE KEY-----'), is damaged, or has a passphrase")
        }
        guard gw_crypto_is_rsa(key) else {
            EVP_PKEY_free(key)
            throw SigningError(reason: "is not an RSA key")
        }
        self.key = key
    }

    deinit { EVP_PKEY_free(key) }

    func signature(of text: [UInt8], _ algorithm: Algorithm) throws(SigningError) -> [UInt8] {
        let size = Int(gw_crypto_signature_size(key))
        var signature = [UInt8](repeating: 0, count: max(size, 1))
        let length = gw_crypto_sign(key, algorithm == .ps256, text, text.count, &signature, signature.count)
        guard length > 0 else { throw SigningError(reason: "cannot sign; it may be too short") }
        return Array(signature[..<length])
    }

    /// Whether the certificate's public key matches this key.
    func belongs(to certificate: Certificate) -> Bool { gw_crypto_belongs(certificate.certificate, key) }
}

/// An X.509 certificate.
final class Certificate {
    fileprivate let certificate: OpaquePointer

    /// Reads the first certificate of a PEM text, which may also contain the key.
    init(pem: Secret) throws(SigningError) {
        let certificate = pem.withUnsafeBytes { gw_crypto_read_certificate($0.baseAddress, Int32($0.count)) }
        guard let certificate else {
            throw SigningError(reason: "has no readable certificate ('-----BEGIN CERTIFICATE-----') in the same file")
        }
        self.certificate = certificate
    }

    deinit { X509_free(certificate) }

    /// The SHA-256 or SHA-1 digest of the certificate's DER form.
    func fingerprint(isSHA256: Bool) -> [UInt8] {
        var digest = [UInt8](repeating: 0, count: Int(EVP_MAX_MD_SIZE))
        let length = gw_crypto_fingerprint(certificate, isSHA256, &digest)
        return Array(digest[..<Int(length)])
    }
}
