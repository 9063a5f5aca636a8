import EventLoop
import HTTPClient
import TestSupport
import Testing

/// Which addresses a request may connect to.
@Suite struct AddressRuleTests {
    @Test(arguments: [
        "8.8.8.8", "1.1.1.1", "11.0.0.0", "172.15.255.255", "172.32.0.0", "192.167.255.255", "100.63.255.255",
        "100.128.0.0", "198.17.255.255", "198.20.0.0", "223.255.255.255", "2606:4700:4700::1111", "2001:4860::8888",
        "::ffff:8.8.8.8", "64:ff9b::808:808", "2003::1",
    ])
    func publicOnes(_ text: String) throws {
        #expect(try #require(RemoteAddress(text)).isPublic)
    }

    @Test(arguments: [
        "0.0.0.0", "0.1.2.3", "10.0.0.1", "10.255.255.255", "100.64.0.1", "100.127.255.255", "127.0.0.1",
        "127.255.255.255", "169.254.169.254", "172.16.0.1", "172.31.255.255", "192.0.0.1", "192.0.2.1", "192.88.99.1",
        "192.168.0.1", "198.18.0.1", "198.19.255.255", "198.51.100.7", "203.0.113.7", "224.0.0.1", "240.0.0.1",
        "255.255.255.255", "::", "::1", "fe80::1", "fc00::1", "fd00:ec2::254", "ff02::1", "2001:db8::1", "2001::1",
        "2002:7f00:1::", "3fff::1", "::ffff:127.0.0.1", "::ffff:169.254.169.254", "64:ff9b::a9fe:a9fe",
        "64:ff9b:1::a00:1", "168.63.129.16", "::127.0.0.1", "fec0::1", "100::1",
    ])
    func othersAreNotPublic(_ text: String) throws {
        #expect(try #require(RemoteAddress(text)).isPublic == false)
    }

    @Test func namesAreNoAddresses() {
        for text in ["", "localhost", "1.2.3", "1.2.3.4.5", "[::1]", "fe80::1%lo"] {
            #expect(RemoteAddress(text) == nil)
        }
    }

    @Test func aRefusedAddressIsNotConnectedTo() async throws {
        let server = TestServer { connection in
            while connection.request() != nil { connection.answer("secret") }
        }
        defer { server.stop() }
        try await Harness.run { harness in
            for url in [server.url(), "http://localhost:\(server.port)/", "http://2130706433:\(server.port)/"] {
                var wanted = request(url)
                wanted.allowsAddress = { $0.isPublic }
                let got = await harness.fetch(wanted)
                #expect(
                    got.error?.isRefusedAddress == true && got.error?.kind == .connect,
                    "\(url) \(String(describing: got.error))")
                #expect(got.body.isEmpty && got.head == nil)
            }
            #expect(server.accepted == 0)
            // A connection that others have made is no way around the rule, and one under a rule is not kept for others.
            #expect(await harness.fetch(server.url()).text == "secret")
            var wanted = request(server.url())
            wanted.allowsAddress = { $0.isPublic }
            #expect(await harness.fetch(wanted).error?.isRefusedAddress == true)
            wanted.allowsAddress = { $0 == RemoteAddress("127.0.0.1") }
            #expect(await harness.fetch(wanted).text == "secret")
            #expect(server.accepted == 2)
            #expect(await harness.fetch(server.url()).text == "secret")
            #expect(server.accepted == 2)
        }
    }

    @Test(arguments: [
        ("/b", "http://h:1/a/x?q", "http://h:1/b"), ("b?c", "http://h/a/x", "http://h/a/b?c"),
        ("//other/x", "https://h/a", "https://other/x"), ("https://o/", "http://h/", "https://o/"),
        ("?n", "http://h/a", "http://h/a?n"), ("file:///etc/passwd", "http://h/", nil), ("ftp://h/x", "http://h/", nil),
        ("gopher://h/x", "http://h/", nil), ("http://", "http://h/", nil), ("javascript:1", "http://h/", nil),
    ])
    func targetsOfRedirects(_ reference: String, _ base: String, _ target: String?) {
        #expect(URLReference.resolve(reference, against: base) == target)
    }
}
