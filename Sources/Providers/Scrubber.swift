/// Takes what looks like a credential out of a vendor's words, whoever's it is.
enum Scrubber {
    /// Beginnings of well-known keys; a run of at least 12 key characters behind one is taken out.
    private static let beginnings = ["sk-", "gsk_", "ya29.", "AIza", "eyJ", "Bearer "]

    static func scrub(_ text: String) -> String {
        var text = text
        for beginning in beginnings {
            var searchFrom = text.startIndex
            while let found = text[searchFrom...].firstRange(of: beginning) {
                var end = found.upperBound
                var length = 0
                while end < text.endIndex, isKeyCharacter(text[end]) {
                    end = text.index(after: end)
                    length += 1
                }
                guard length >= 12 else {
                    searchFrom = found.upperBound
                    continue
                }
                let offset = text.distance(from: text.startIndex, to: found.upperBound)
                text.replaceSubrange(found.upperBound..<end, with: "<secret>")
                searchFrom = text.index(text.startIndex, offsetBy: offset)
            }
        }
        return text
    }

    // Asterisks are the vendor's own masking, which may well be shown.
    private static func isKeyCharacter(_ character: Character) -> Bool {
        character.isASCII && (character.isLetter || character.isNumber || "-_.=/+".contains(character))
    }
}
