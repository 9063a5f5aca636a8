/// The `catalogue` section: what is known of models, beyond what the program knows itself.
public struct CatalogueConfiguration: Sendable, Equatable {
    /// JSON files with facts of models, relative to the working directory; a later file wins. docs/models.md has their
    /// form.
    public var files: [String] = []

    /// The defaults.
    public init() {}
}

extension CatalogueConfiguration: Keyed {
    static let standard = CatalogueConfiguration()

    static let keys: [Key<CatalogueConfiguration>] = [
        Key(
            "files", \.files, .texts, default: "none",
            "Files with facts of models, over the program's own and those in `/etc/genwire/models.d`: see "
                + "[models.md](models.md).")
    ]
}
