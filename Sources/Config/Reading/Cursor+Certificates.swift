extension Cursor {
    /// The path of a PEM file of certificates. It must be readable now: libcurl reads it for every connection, and
    /// calls would fail if it could not.
    func certificateFile() -> String? {
        guard let path = text() else { return nil }
        do {
            guard PEM.hasCertificate(try FileContents.read(path, limit: PEM.maximumSize, onlyRegular: true)) else {
                report("the file contains no PEM certificate (-----BEGIN CERTIFICATE----- …)")
                return nil
            }
        } catch {
            report("the file \(error.reason)")
            return nil
        }
        return path
    }
}

/// Recognizes certificates in PEM files (RFC 7468).
enum PEM {
    /// The largest file, in bytes. A system's whole collection of authorities is about 220 KB.
    static let maximumSize = 16 << 20

    private static let labels = ["CERTIFICATE", "X509 CERTIFICATE", "TRUSTED CERTIFICATE"]

    /// Whether there is a certificate in `bytes`: a block with the label of one, of Base64 that begins as DER does.
    static func hasCertificate(_ bytes: [UInt8]) -> Bool {
        let begins = labels.map { Array("-----BEGIN \($0)-----".utf8) }
        let ends = labels.map { Array("-----END \($0)-----".utf8) }
        var block: [UInt8]?
        for line in bytes.split(whereSeparator: { $0 == UInt8(ascii: "\n") || $0 == UInt8(ascii: "\r") }) {
            if begins.contains(where: { line.starts(with: $0) }) {
                block = []
            } else if let body = block, ends.contains(where: { line.starts(with: $0) }) {
                if isDER(body) { return true }
                block = nil
            } else {
                block?.append(contentsOf: line)
            }
        }
        return false
    }

    /// Whether `text` is Base64 of a DER sequence: its first byte, 0x30, always gives an `M`.
    private static func isDER(_ text: [UInt8]) -> Bool {
        text.first == UInt8(ascii: "M")
            && text.allSatisfy {
                (UInt8(ascii: "a")...UInt8(ascii: "z")).contains($0 | 0x20)
                    || (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) || "+/= \t".utf8.contains($0)
            }
    }
}
