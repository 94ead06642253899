import Planning
import Schema
import Testing

@testable import Connectors

@Suite("Addresses as manifests write them")
struct OutboundURLTests {
    @Test(
        "What clients may read in different ways is refused",
        arguments: [
            "ftp://example.com/", "file:///etc/passwd", "example.com", "http:///path", "http://",
            "https://user@example.com/",
            "https://user:secret@example.com/", "https://example.com:0/", "https://example.com:65536/",
            "https://example.com:80x/", "https://exa mple.com/", "https://example.com\\@evil.example/",
            "https://bücher.example/", "http://2130706433/", "http://0x7f000001/", "http://127.1/",
            "http://0177.0.0.1/",
            "http://127.0.0.0x1/", "http://017700000001/", "http://[::1/", "http://[::1%25lo]/", "http://[1.2.3.4]/",
            "http://exa%6Dple.com/", "http://-a.example/", "http://a..example/", "http://example.com/a\nb",
            "gopher://a/",
            "http://256.256.256.256/", "http://127.0.0.1.1/",
        ]
    )
    func refused(text: String) {
        #expect(throws: OutboundFailure.self) { try OutboundURL(text) }
    }

    @Test("Hosts are read in lower case and without their final dot")
    func hosts() throws {
        let url = try OutboundURL("HTTPS://API.Example.COM.:8443/a/b?x=1#part")
        #expect(url.origin == "https://api.example.com:8443")
        #expect(url.target == "/a/b?x=1")
        #expect(try OutboundURL("http://[::1]:80").origin == "http://[::1]:80")
        #expect(try OutboundURL("http://10.0.0.1").host == .address(#require(IPAddress("10.0.0.1"))))
    }

    @Test("Nothing in a query's value can end it")
    func query() throws {
        let query: [String: JSONValue] = [
            "q": "a&b=c#d /?é", "n": 3, "f": false, "none": nil, "many": ["x", 1], "a b": "",
        ]
        let url = try OutboundURL("https://example.com/find?k=v", query: query)
        #expect(url.target == "/find?k=v&a%20b=&f=false&many=x&many=1&n=3&q=a%26b%3Dc%23d%20%2F%3F%C3%A9")
        #expect(try OutboundURL("https://example.com", query: ["q": "x"]).target == "/?q=x")
        for unfit: JSONValue in [["a": 1], [["x"]]] {
            #expect(throws: OutboundFailure.self) { try OutboundURL("https://example.com", query: ["q": unfit]) }
        }
    }
}
