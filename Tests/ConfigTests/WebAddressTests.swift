import Testing

@testable import Config

@Suite struct WebAddressTests {
    @Test(arguments: [
        ("https://host/v1", "https://host/v1"), ("https://host/v1//", "https://host/v1"), ("host/", "host"), ("/", ""),
        ("", ""), ("https://host/a/?x=/", "https://host/a/?x="),
    ])
    func addressesLoseTheSlashesAtTheirEnd(_ text: String, _ expected: String) {
        #expect(WebAddress.withoutSlash(text) == expected)
    }
}
