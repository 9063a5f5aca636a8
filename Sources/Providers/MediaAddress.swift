internal import Generation

/// Where the bytes of an image or a document are. `data:` URLs (RFC 2397) are parsed here, since only some vendors
/// accept them.
enum MediaAddress {
    /// The bytes.
    case bytes([UInt8])
    /// Base64 text from a `data:` URL.
    case base64(Substring)
    /// A URL that the vendor fetches.
    case url(String)

    /// The maximum length of a `data:` URL's header, in bytes.
    private static let maximumDescription = 512

    /// The address of `source`, and the media type if the URL names one.
    static func of(_ source: MediaSource) -> (address: MediaAddress, mimeType: String?) {
        switch source {
        case .data(let bytes): return (.bytes(bytes), nil)
        case .url(let url):
            guard url.hasPrefix("data:"), let comma = url.utf8.firstIndex(of: UInt8(ascii: ",")) else {
                return (.url(url), nil)
            }
            let description = url[url.utf8.index(url.startIndex, offsetBy: 5)..<comma]
            guard description.utf8.count <= maximumDescription, description.hasSuffix(";base64") else {
                return (.url(url), nil)
            }
            let text = url[url.utf8.index(after: comma)...]
            let isBase64 = text.utf8.allSatisfy { byte in
                (byte | 0x20 >= 0x61 && byte | 0x20 <= 0x7A) || (byte >= 0x30 && byte <= 0x39)
                    || byte == UInt8(ascii: "+") || byte == UInt8(ascii: "/") || byte == UInt8(ascii: "=")
            }
            let mimeType = description.prefix { $0 != ";" }
            return isBase64 ? (.base64(text), mimeType.isEmpty ? nil : String(mimeType)) : (.url(url), nil)
        }
    }

    /// The maximum length of a file extension, in bytes.
    private static let longestEnding = 8

    /// The media type for the file extension of a URL.
    static func mimeType(ofAddress url: String) -> String? {
        let path = url.utf8.prefix { $0 != UInt8(ascii: "?") && $0 != UInt8(ascii: "#") }
        guard let dot = path.suffix(longestEnding + 1).lastIndex(of: UInt8(ascii: ".")) else { return nil }
        return switch Substring(path[path.index(after: dot)...]).lowercased() {
        case "png": "image/png"
        case "jpg", "jpeg": "image/jpeg"
        case "webp": "image/webp"
        case "gif": "image/gif"
        case "heic": "image/heic"
        case "pdf": "application/pdf"
        case "txt", "md": "text/plain"
        case "mp3": "audio/mpeg"
        case "wav": "audio/wav"
        case "mp4": "video/mp4"
        default: nil
        }
    }
}
