internal import CGenwireProto
internal import CProtobufC
internal import Generation

// The members of a oneof share their memory, so only the member that is set may be accessed.

extension Part: WireValue {
    static func initialise(_ wire: UnsafeMutablePointer<Gw__Part>) { gw__part__init(wire) }

    static func read(_ wire: UnsafeMutablePointer<Gw__Part>, _ reader: Reader) throws(MessageError) -> Part {
        var part: Part =
            switch wire.pointee.kind_case {
            case GW__PART__KIND_TEXT: .text(try wire.pointee.text.text("parts.text"))
            case GW__PART__KIND_IMAGE: .image(try Image.read(wire.pointee.image, reader))
            case GW__PART__KIND_FILE: .file(try File.read(wire.pointee.file, reader))
            case GW__PART__KIND_AUDIO: .audio(try Audio.read(wire.pointee.audio, reader))
            default: throw MessageError("the part has no content")
            }
        try reader.message(&wire.pointee.cache_breakpoint, &part.cacheBreakpoint)
        return part
    }

    func write(_ wire: UnsafeMutablePointer<Gw__Part>, _ writer: Writer) {
        if let cacheBreakpoint { wire.pointee.cache_breakpoint = writer.message(of: cacheBreakpoint) }
        switch content {
        case .text(let text):
            wire.pointee.kind_case = GW__PART__KIND_TEXT
            wire.pointee.text = writer.arena.bytes(text)
        case .image(let image):
            wire.pointee.kind_case = GW__PART__KIND_IMAGE
            wire.pointee.image = writer.message(of: image)
        case .file(let file):
            wire.pointee.kind_case = GW__PART__KIND_FILE
            wire.pointee.file = writer.message(of: file)
        case .audio(let audio):
            wire.pointee.kind_case = GW__PART__KIND_AUDIO
            wire.pointee.audio = writer.message(of: audio)
        }
    }
}

extension CacheBreakpoint: MappedValue {
    static var empty: CacheBreakpoint { CacheBreakpoint() }

    static func initialise(_ wire: UnsafeMutablePointer<Gw__CacheBreakpoint>) { gw__cache_breakpoint__init(wire) }

    static func map<P: FieldPass>(
        _ pass: P, _ wire: UnsafeMutablePointer<Gw__CacheBreakpoint>, _ value: inout CacheBreakpoint
    ) throws(P.Failure) {
        try pass.text(&wire.pointee.ttl, &value.ttl, "cache_breakpoint.ttl", atMost: RequestBounds.name)
    }
}

extension Image: WireValue {
    static func initialise(_ wire: UnsafeMutablePointer<Gw__Image>) { gw__image__init(wire) }

    static func read(_ wire: UnsafeMutablePointer<Gw__Image>, _ reader: Reader) throws(MessageError) -> Image {
        let source: MediaSource =
            switch wire.pointee.source_case {
            case GW__IMAGE__SOURCE_DATA: .data(wire.pointee.data.array)
            case GW__IMAGE__SOURCE_URL: .url(try wire.pointee.url.text("parts.image.url"))
            default: throw MessageError("parts.image has neither data nor url")
            }
        return Image(
            mimeType: try wire.pointee.mime_type.text("parts.image.mime_type", atMost: RequestBounds.name),
            source: source, detail: try wire.pointee.detail.text("parts.image.detail", atMost: RequestBounds.name))
    }

    func write(_ wire: UnsafeMutablePointer<Gw__Image>, _ writer: Writer) {
        wire.pointee.mime_type = writer.arena.bytes(mimeType)
        wire.pointee.detail = writer.arena.bytes(detail)
        switch source {
        case .data(let data):
            wire.pointee.source_case = GW__IMAGE__SOURCE_DATA
            wire.pointee.data = writer.arena.bytes(data)
        case .url(let url):
            wire.pointee.source_case = GW__IMAGE__SOURCE_URL
            wire.pointee.url = writer.arena.bytes(url)
        }
    }
}

extension File: WireValue {
    static func initialise(_ wire: UnsafeMutablePointer<Gw__File>) { gw__file__init(wire) }

    static func read(_ wire: UnsafeMutablePointer<Gw__File>, _ reader: Reader) throws(MessageError) -> File {
        let source: MediaSource =
            switch wire.pointee.source_case {
            case GW__FILE__SOURCE_DATA: .data(wire.pointee.data.array)
            case GW__FILE__SOURCE_URL: .url(try wire.pointee.url.text("parts.file.url"))
            default: throw MessageError("parts.file has neither data nor url")
            }
        return File(
            mimeType: try wire.pointee.mime_type.text("parts.file.mime_type", atMost: RequestBounds.name),
            name: try wire.pointee.name.text("parts.file.name", atMost: RequestBounds.id), source: source)
    }

    func write(_ wire: UnsafeMutablePointer<Gw__File>, _ writer: Writer) {
        wire.pointee.mime_type = writer.arena.bytes(mimeType)
        wire.pointee.name = writer.arena.bytes(name)
        switch source {
        case .data(let data):
            wire.pointee.source_case = GW__FILE__SOURCE_DATA
            wire.pointee.data = writer.arena.bytes(data)
        case .url(let url):
            wire.pointee.source_case = GW__FILE__SOURCE_URL
            wire.pointee.url = writer.arena.bytes(url)
        }
    }
}

extension Audio: WireValue {
    static func initialise(_ wire: UnsafeMutablePointer<Gw__Audio>) { gw__audio__init(wire) }

    static func read(_ wire: UnsafeMutablePointer<Gw__Audio>, _ reader: Reader) throws(MessageError) -> Audio {
        let source: MediaSource =
            switch wire.pointee.source_case {
            case GW__AUDIO__SOURCE_DATA: .data(wire.pointee.data.array)
            case GW__AUDIO__SOURCE_URL: .url(try wire.pointee.url.text("parts.audio.url"))
            default: throw MessageError("parts.audio has neither data nor url")
            }
        return Audio(
            mimeType: try wire.pointee.mime_type.text("parts.audio.mime_type", atMost: RequestBounds.name),
            source: source)
    }

    func write(_ wire: UnsafeMutablePointer<Gw__Audio>, _ writer: Writer) {
        wire.pointee.mime_type = writer.arena.bytes(mimeType)
        switch source {
        case .data(let data):
            wire.pointee.source_case = GW__AUDIO__SOURCE_DATA
            wire.pointee.data = writer.arena.bytes(data)
        case .url(let url):
            wire.pointee.source_case = GW__AUDIO__SOURCE_URL
            wire.pointee.url = writer.arena.bytes(url)
        }
    }
}
