internal import Generation
internal import JSON

extension Gemini {
    /// The sources of a response: grounding, and passages that the vendor recognised as quotations.
    struct Sources {
        /// The length of the text so far, in bytes.
        private var textBytes = 0
        /// The byte positions at which the parts of the last content begin in the text.
        private var partStarts: [Int] = []
        private var contentCount = 0
        private var chunks = List()
        private var grounded = List()
        private var quoted = List()

        /// Citations and their size, counted once: a stream may have many reports.
        private struct List {
            private(set) var citations: [Citation]
            private(set) var keptBytes: Int

            init(_ citations: [Citation] = []) {
                self.citations = citations
                keptBytes = citations.reduce(0) { $0 + $1.keptBytes }
            }

            mutating func append(_ citation: Citation) {
                citations.append(citation)
                keptBytes += citation.keptBytes
            }
        }

        /// The bytes held here.
        var keptBytes: Int { chunks.keptBytes + grounded.keptBytes + quoted.keptBytes }

        mutating func beginContent() {
            contentCount += 1
            partStarts.removeAll(keepingCapacity: true)
        }

        mutating func beginPart() { partStarts.append(textBytes) }
        mutating func text(_ count: Int) { textBytes += count }

        /// Reads the metadata of a candidate. It is cumulative, so it replaces the previous one.
        /// - Throws: `.badProviderResponse` if there are too many.
        mutating func read(_ candidate: JSONElement, providerName: String) throws(GenerationError) {
            let (grounding, metadata) = (candidate["groundingMetadata"], candidate["citationMetadata"])
            guard grounding != nil || metadata != nil else { return }
            if let grounding { try read(grounding: grounding, providerName) }
            if let metadata {
                let list = metadata["citations"] ?? metadata["citationSources"]
                try CallBudget.check(providerName, blocks: list?.count ?? 0)
                quoted = List(
                    (list.map { Array($0.elements) } ?? []).map { source in
                        Citation(
                            url: source["uri"]?.string ?? "", title: source["title"]?.string ?? "",
                            start: max(0, source["startIndex"]?.int ?? 0), end: max(0, source["endIndex"]?.int ?? 0))
                    })
            }
            try CallBudget.check(providerName, bytes: keptBytes)
        }

        private mutating func read(grounding: JSONElement, _ providerName: String) throws(GenerationError) {
            if let list = grounding["groundingChunks"] {
                try CallBudget.check(providerName, blocks: list.count)
                chunks = List(list.elements.map { Self.chunk($0) })
            }
            guard let supports = grounding["groundingSupports"] else { return }
            grounded = List()
            for support in supports.elements {
                guard let segment = support["segment"], let indices = support["groundingChunkIndices"] else { continue }
                // In streams, the positions of segments refer to the whole text.
                let part = segment["partIndex"]?.int ?? 0
                let offset = contentCount == 1 && partStarts.indices.contains(part) ? partStarts[part] : 0
                for index in indices.elements.compactMap(\.int) where chunks.citations.indices.contains(index) {
                    var citation = chunks.citations[index]
                    citation.start = offset &+ max(0, segment["startIndex"]?.int ?? 0)
                    citation.end = offset &+ max(0, segment["endIndex"]?.int ?? 0)
                    grounded.append(citation)
                    try CallBudget.check(providerName, bytes: keptBytes, blocks: grounded.citations.count)
                }
            }
        }

        private static func chunk(_ chunk: JSONElement) -> Citation {
            let source = chunk["web"] ?? chunk["retrievedContext"] ?? chunk["maps"] ?? chunk["image"]
            return Citation(
                documentID: (source?["documentName"] ?? source?["placeId"])?.string ?? "",
                url: (source?["uri"] ?? source?["sourceUri"])?.string ?? "", title: source?["title"]?.string ?? "",
                quote: source?["text"]?.string ?? "")
        }

        /// The citations. Sources that do not support a particular passage have no range.
        var citations: [Citation] {
            ((grounded.citations.isEmpty ? chunks : grounded).citations + quoted.citations).map { citation in
                var citation = citation
                citation.start = min(citation.start, textBytes)
                citation.end = min(citation.end, textBytes)
                return citation
            }
        }
    }
}
