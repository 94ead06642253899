internal import Schema
internal import Testing

@Suite struct MustacheScannerTests {
    @Test func findsNamesWithTheirSections() {
        let scan = MustacheScanner(
            "Hi {{ name }}{{! note {{ }}, {{#items}}{{title.text}}{{^last}}, {{.}}{{/last}}{{/items}}{{{raw}}}{{&x}}"
        )
        #expect(scan.problems.isEmpty)
        #expect(scan.roots == ["name", "items", "title", "last", "raw", "x"])
        #expect(
            scan.tags.map(\.name) == [["name"], ["items"], ["title", "text"], ["last"], [], ["raw"], ["x"]]
        )
        #expect(scan.tags[4].sections == [["items"], ["last"]])
        #expect(scan.tags[1].form == .section)
        #expect(scan.tags[3].form == .invertedSection)
        #expect(scan.tags[0].offset == 3)
    }

    @Test(arguments: ["", "no tags", "a single { and }", "}} {", "{ {a} }"])
    func textWithoutTagsIsText(text: String) {
        let scan = MustacheScanner(text)
        #expect(scan.tags.isEmpty)
        #expect(scan.problems.isEmpty)
    }

    @Test(arguments: [
        ("{{> head}}", 0, "partials ('{{>') are not available in prompts"),
        ("a{{< head}}", 1, "blocks ('{{<', '{{$') are not available in prompts"),
        ("{{$ block}}", 0, "blocks ('{{<', '{{$') are not available in prompts"),
        ("{{% CONTENT_TYPE:HTML}}", 0, "pragmas ('{{%') are not available in prompts"),
        ("{{=<% %>=}}", 0, "other delimiters ('{{=') are not available in prompts"),
        ("{{upper(name)}}", 0, "functions ('upper(name)') are not available in prompts"),
        ("{{}}", 0, "'{{}}' is not a variable's name"), ("{{a b}}", 0, "'{{a b}}' is not a variable's name"),
        ("{{a..b}}", 0, "'{{a..b}}' is not a variable's name"), ("{{a", 0, "'{{' is not closed"),
        ("{{{a}}", 0, "'{{' is not closed"), ("{{#a}}", 0, "section 'a' is not closed"),
        ("{{/a}}", 0, "'{{/a}}' closes no section"), ("é{{#a}}{{/b}}{{/a}}", 7, "'{{/b}}' closes section 'a'"),
    ])
    func whatPromptsMustNotDoIsRefused(text: String, offset: Int, message: String) {
        #expect(MustacheScanner(text).problems.map(\.message) == [message])
        #expect(MustacheScanner(text).problems.map(\.offset) == [offset])
    }

    @Test func everyProblemIsFound() {
        #expect(MustacheScanner("{{>a}}{{#b}}{{c()}}{{").problems.count == 4)
    }

    @Test func longTemplatesTakeOnePass() {
        let scan = MustacheScanner(String(repeating: "{{a}} and {{#b}}x{{/b}} ", count: 20_000))
        #expect(scan.tags.count == 40_000)
        #expect(scan.problems.isEmpty)
    }
}
